//! Threads whose end can be awaited.

use tokio::sync::oneshot;

/// A thread that broke: it left no result.
#[derive(Debug, thiserror::Error)]
#[error("the thread {name} broke; this is a fault of loaderd, and its log says where")]
pub struct Lost {
    name: String,
}

/// A thread under way. It is asked to end by what it was given; whoever holds this awaits its end.
#[derive(Debug)]
pub struct Running<T> {
    name: String,
    result: oneshot::Receiver<T>,
    ended: Option<T>,
}

impl<T> Running<T> {
    /// Work that is done elsewhere, and how it tells that it has ended. It is lost when that is dropped.
    pub(super) fn told_by(name: &str) -> (oneshot::Sender<T>, Self) {
        let (sender, result) = oneshot::channel();
        (sender, Self { name: name.to_owned(), result, ended: None })
    }
}

/// Starts a thread.
fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> std::io::Result<Running<T>> {
    let (sender, running) = Running::told_by(name);
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Nobody waits any more when the run was given up; then there is nobody to tell.
        let _unheard = sender.send(run());
    })?;
    Ok(running)
}

impl<T: Send + 'static> Running<T> {
    /// Starts a thread.
    ///
    /// # Errors
    /// The system's, when there can be no more threads.
    pub fn start(name: &str, run: impl FnOnce() -> T + Send + 'static) -> std::io::Result<Self> {
        spawn(name, run)
    }

    /// Waits until the thread has ended. May be given up and called again.
    ///
    /// # Errors
    /// [`Lost`] when it broke.
    pub async fn wait(&mut self) -> Result<(), Lost> {
        if self.ended.is_none() {
            let result = (&mut self.result).await;
            self.ended = Some(result.map_err(|_| Lost { name: self.name.clone() })?);
        }
        Ok(())
    }

    /// Waits until the thread has ended; what it left. Only once.
    ///
    /// # Errors
    /// [`Lost`] when it broke.
    pub async fn take(&mut self) -> Result<T, Lost> {
        self.wait().await?;
        self.ended.take().ok_or_else(|| Lost { name: self.name.clone() })
    }
}
