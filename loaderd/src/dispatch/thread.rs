//! Threads whose end can be awaited.

use tokio::sync::oneshot;

/// A thread that panicked: it left no result.
#[derive(Debug, thiserror::Error)]
#[error("the thread {name} panicked; this is a bug in loaderd, see its log")]
pub struct Lost {
    name: String,
}

/// A running thread. It ends when its inputs do; the owner of this value awaits that.
#[derive(Debug)]
pub struct Running<T> {
    name: String,
    result: oneshot::Receiver<T>,
    ended: Option<T>,
}

impl<T> Running<T> {
    /// Work on another thread that sends its result when it ends. It counts as lost when the sender is dropped.
    pub(super) fn reported_by(name: &str) -> (oneshot::Sender<T>, Self) {
        let (sender, result) = oneshot::channel();
        (sender, Self { name: name.to_owned(), result, ended: None })
    }
}

/// Starts a thread called `name`.
fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> std::io::Result<Running<T>> {
    let (sender, running) = Running::reported_by(name);
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        // The receiver is dropped when the run was cancelled.
        let _dropped = sender.send(run());
    })?;
    Ok(running)
}

impl<T: Send + 'static> Running<T> {
    /// Starts a thread called `name`.
    ///
    /// # Errors
    /// When the system refuses another thread.
    pub fn start(name: &str, run: impl FnOnce() -> T + Send + 'static) -> std::io::Result<Self> {
        spawn(name, run)
    }

    /// Waits until the thread has ended. Cancel safe.
    ///
    /// # Errors
    /// [`Lost`] when it panicked.
    pub async fn wait(&mut self) -> Result<(), Lost> {
        if self.ended.is_none() {
            let result = (&mut self.result).await;
            self.ended = Some(result.map_err(|_| Lost { name: self.name.clone() })?);
        }
        Ok(())
    }

    /// Waits until the thread has ended and returns its result. To be called once.
    ///
    /// # Errors
    /// [`Lost`] when it panicked.
    pub async fn take(&mut self) -> Result<T, Lost> {
        self.wait().await?;
        self.ended.take().ok_or_else(|| Lost { name: self.name.clone() })
    }
}
