//! Threads whose end can be awaited.

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::oneshot;

/// The priority of a thread that yields to those that send, from 0 to 99: a niceness of 10, with which it gets a tenth of what they get
/// where both want a processor.
const YIELDING: u8 = 22;

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

    /// Starts a thread called `name` that yields to those that send, and so do the threads that it starts.
    ///
    /// # Errors
    /// When the system refuses another thread.
    pub fn start_yielding(name: &str, run: impl FnOnce() -> T + Send + 'static) -> std::io::Result<Self> {
        spawn(name, move || {
            yield_to_others();
            run()
        })
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

/// Lowers the priority of the calling thread. Where the system refuses that, it stays as it is.
fn yield_to_others() {
    let Ok(priority) = ThreadPriorityValue::try_from(YIELDING) else { return };
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch);
    let set = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(priority), policy);
    if let Err(error) = set {
        log::debug!("a thread that should yield to others keeps its priority: {error:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_that_yields_has_a_low_priority() {
        let nice = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("reads");
            let (_, fields) = stat.rsplit_once(") ").expect("has a name");
            fields.split(' ').nth(16).expect("niceness").parse::<i32>().expect("a number")
        };
        let own = nice();
        let there = Running::start_yielding("yields", move || (nice(), std::thread::spawn(nice).join()));
        let (there, started) = there.expect("starts").take().await.expect("ends");
        assert_eq!((there, started.expect("ends")), (10, 10));
        assert_eq!(nice(), own);
    }

    #[tokio::test]
    async fn a_thread_that_panics_is_lost() {
        let mut lost = Running::<()>::start("breaks", || panic!("on purpose")).expect("starts");
        assert!(lost.take().await.is_err());
    }
}
