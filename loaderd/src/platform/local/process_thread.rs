//! A thread that starts processes, and lives until they have ended.
//!
//! A process that asked the kernel to end it with its parent ends with the *thread* that started it, and the threads of a runtime's pool
//! may end before the daemon does.

use std::{
    io,
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::runtime::{self, Handle};
use tokio_util::task::TaskTracker;

/// The thread, with the tasks that start and watch processes.
#[derive(Debug)]
pub(super) struct ProcessThread {
    runtime: Handle,
    tasks: TaskTracker,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl ProcessThread {
    /// Starts the thread.
    pub(super) fn start(name: &str) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (handle, tasks) = (runtime.handle().clone(), TaskTracker::new());
        let all_gone = tasks.clone();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || runtime.block_on(async move { all_gone.wait().await }))?;
        Ok(Self { runtime: handle, tasks, thread: Mutex::new(Some(thread)) })
    }

    /// Runs a task on the thread.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.tasks.spawn_on(task, &self.runtime));
    }

    /// Waits for the tasks, and then for the thread.
    pub(super) async fn end(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The thread has nothing left to wait for; this fails only if it panicked.
        if let Some(Err(_)) = thread.map(JoinHandle::join) {
            log::error!("a thread of local processes has panicked");
        }
    }

    /// Whether the thread was awaited.
    #[cfg(test)]
    pub(super) fn has_ended(&self) -> bool {
        self.thread.lock().unwrap().is_none()
    }
}

impl Drop for ProcessThread {
    /// The thread ends by itself, after the tasks.
    fn drop(&mut self) {
        self.tasks.close();
    }
}
