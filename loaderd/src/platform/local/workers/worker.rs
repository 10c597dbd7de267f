//! One worker: its process from its start to its end.

use std::{io, os::unix::process::ExitStatusExt as _, path::Path, process::ExitStatus, process::Stdio, time::Duration};

use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{super::process::end, directory::Directory};
use crate::{
    id::RunId,
    platform::{WorkerNews, WorkerState},
};

/// Maximum time to read the remaining output of a process that has ended.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

/// A worker to start, and where news of it go.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) run: RunId,
    pub(super) index: u32,
    pub(super) node: String,
    pub(super) news: mpsc::Sender<WorkerNews>,
    /// Cancelled when it shall end.
    pub(super) stop: CancellationToken,
    /// How long it may take to end before it is killed.
    pub(super) stop_grace: Duration,
}

/// The name of this machine.
pub(super) fn node() -> String {
    nix::unistd::gethostname().map_or_else(|_| "localhost".to_owned(), |name| name.to_string_lossy().into_owned())
}

impl Worker {
    /// The command that starts it. The token is in a file: command lines can be read by everybody.
    pub(super) fn command(&self, program: &Path, coordinator: &str, directory: &Directory) -> Command {
        let mut command = Command::new(program);
        command
            .args(["worker", "--coordinator", coordinator, "--run", self.run.as_str()])
            .args(["--index", &self.index.to_string()])
            .args(["--die-with-parent", &std::process::id().to_string()])
            .arg("--token-file")
            .arg(directory.token_file())
            .arg("--spool-dir")
            .arg(directory.spool(self.index))
            .env("LOADER_NODE", &self.node)
            // The service manager is the daemon's.
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A process group of its own, so that Ctrl-C on the daemon's terminal does not reach it.
            .process_group(0)
            .kill_on_drop(true);
        if let Some(file) = directory.ca_file() {
            command.arg("--ca-file").arg(file);
        }
        command
    }

    /// Runs it to its end. `spawned` gets whether its process could be started.
    pub(super) async fn live(self, mut command: Command, spawned: oneshot::Sender<io::Result<()>>) {
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                // The receiver is closed when another worker could not be started.
                spawned.send(Err(error)).ok();
                return;
            }
        };
        spawned.send(Ok(())).ok();
        self.report(WorkerState::Running { node: self.node.clone(), pod: String::new() }).await;
        let reason = match self.watch(child).await {
            Ok(reason) => reason,
            Err(error) => format!("cannot be watched: {error}"),
        };
        self.report(WorkerState::Gone { reason }).await;
    }

    /// Waits for its end: how it ended.
    async fn watch(&self, mut child: Child) -> io::Result<String> {
        let stderr = child.stderr.take();
        let mut output = std::pin::pin!(self.forward(stderr));
        let mut end = std::pin::pin!(end(&mut child, self.stop.cancelled(), self.stop_grace));
        let (status, last) = tokio::select! {
            status = &mut end => (status?, timeout(OUTPUT_TIMEOUT, output).await.unwrap_or_default()),
            last = &mut output => (end.await?, last),
        };
        Ok(describe(status, last))
    }

    /// Logs its standard error and returns the last line.
    async fn forward(&self, stderr: Option<impl AsyncRead + Unpin>) -> Option<String> {
        let mut lines = BufReader::new(stderr?).lines();
        let mut last = None;
        while let Ok(Some(line)) = lines.next_line().await {
            log::info!(RUN_ID = self.run.as_str(), WORKER = self.index; "worker {}: {line}", self.index);
            last = Some(line);
        }
        last
    }

    /// Sends news, unless it is stopped: then nobody may be waiting for them.
    async fn report(&self, state: WorkerState) {
        let news = WorkerNews { index: self.index, state };
        tokio::select! {
            biased;
            // The receiver may be closed.
            _sent = self.news.send(news) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// How a process ended, for people. The last line that it wrote is its reason, unless it was killed.
fn describe(status: ExitStatus, last_line: Option<String>) -> String {
    match (status.signal(), status.code(), last_line) {
        (Some(signal), _, _) => match Signal::try_from(signal) {
            Ok(name) => format!("killed by signal {signal} ({name})"),
            Err(_) => format!("killed by signal {signal}"),
        },
        (None, Some(code), Some(line)) => format!("exit code {code}: {line}"),
        (None, Some(code), None) => format!("exit code {code}"),
        (None, None, _) => status.to_string(),
    }
}
