//! Instances as processes.
//!
//! One thread starts and owns them all, and lives as long as the platform: an instance asks the kernel to end it when its
//! parent *thread* ends (`PR_SET_PDEATHSIG`, set by `trace-func --die-with-parent`), so that a daemon that is killed leaves
//! nothing behind. A daemon that ends in order stops its instances itself.
//!
//! Processes are started without a `pre_exec` hook, so that the standard library can use `posix_spawn`: from a parent
//! with much memory that is some hundred times faster than `fork`.

use std::{
    env, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::pin,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    instance::{Exit, Launch, Launcher, Process, Stream},
    live::{self, Order},
    process_thread::ProcessThread,
};

/// Prefix of the line with an instance's address.
const LISTENING: &str = "listening on ";
/// Maximum time to read the remaining output of a process that has ended.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Processes {
    program: PathBuf,
    stop_grace: Duration,
    stop: CancellationToken,
    thread: ProcessThread,
}

impl Processes {
    /// Starts the thread. A process that has not ended `stop_grace` after it was stopped is killed.
    pub(super) fn start(program: PathBuf, stop_grace: Duration) -> io::Result<Self> {
        let thread = ProcessThread::start("instances")?;
        Ok(Self { program, stop_grace, stop: CancellationToken::new(), thread })
    }

    /// Stops all processes, and then the thread.
    pub(super) async fn shutdown(&self) {
        self.stop.cancel();
        self.thread.end().await;
    }

    fn command(&self, launch: &Launch) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["--kind", &launch.kind, "--host", "127.0.0.1", "--port", "0"])
            .args(["--instance-id", &launch.instance, &format!("--die-with-parent={}", std::process::id())])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A process group of its own, so that Ctrl-C on the daemon's terminal does not reach instances.
            .process_group(0)
            .kill_on_drop(true);
        if !launch.startup_busy_loop.is_zero() {
            command.arg(format!("--startup-busy-loop={}ms", launch.startup_busy_loop.as_millis()));
        }
        command
    }
}

impl Drop for Processes {
    /// Without a shutdown the thread still ends by itself, after the processes.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tonic::async_trait]
impl Launcher for Processes {
    fn launch_error(&self) -> Option<String> {
        let found = match self.program.parent() {
            Some(folder) if folder != Path::new("") => self.program.is_file(),
            _ => env::var_os("PATH")
                .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(&self.program).is_file())),
        };
        (!found).then(|| format!("{} not found: install trace-func, or set local.trace_func", self.program.display()))
    }

    fn launch(&self, launch: Launch, stop: CancellationToken) -> Process {
        let (listens, listening) = oneshot::channel();
        let (ends, exit) = oneshot::channel();
        let (orders, ordered) = live::orders();
        let spawned = self.command(&launch);
        let (program, grace, stop_all) = (self.program.clone(), self.stop_grace, self.stop.clone());
        let watch = async move {
            let stop = async {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = stop_all.cancelled() => {}
                }
            };
            let exit = match watch(spawned, &launch, listens, (stop, grace), ordered).await {
                Ok(exit) => exit,
                Err(error) => Exit(format!("cannot run {}: {error}", program.display())),
            };
            // The receiver is closed when the platform has ended.
            ends.send(exit).ok();
        };
        self.thread.spawn(watch);
        Process { listening, exit, orders }
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

/// Runs a process to its end.
async fn watch(
    mut command: Command,
    launch: &Launch,
    listens: oneshot::Sender<SocketAddr>,
    (stop, grace): (impl Future<Output = ()>, Duration),
    mut orders: mpsc::Receiver<Order>,
) -> io::Result<Exit> {
    let mut child = command.spawn()?;
    let group = group(&child);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut output = pin!(async { tokio::join!(read_address(stdout, listens), forward_stderr(stderr, launch)).1 });
    let mut last_line = None;
    let mut end = pin!(end(&mut child, stop, grace));
    let status = loop {
        tokio::select! {
            biased;
            status = &mut end => break status?,
            // It has not been waited for: its end is looked at first.
            Some(order) = orders.recv() => signal(group, match order {
                Order::Kill => Signal::SIGKILL,
                Order::Pause => Signal::SIGSTOP,
                Order::Resume => Signal::SIGCONT,
            }),
            last = &mut output, if last_line.is_none() => last_line = Some(last),
        }
    };
    let last = match last_line {
        Some(last) => last,
        None => timeout(OUTPUT_TIMEOUT, output).await.unwrap_or_default(),
    };
    Ok(Exit(match last {
        Some(line) => format!("{status}: {line}"),
        None => status.to_string(),
    }))
}

/// Waits until the process ends, by itself or because it is stopped.
pub(super) async fn end(child: &mut Child, stop: impl Future<Output = ()>, grace: Duration) -> io::Result<ExitStatus> {
    tokio::select! {
        status = child.wait() => return status,
        () = stop => {}
    }
    let group = group(child);
    signal(group, Signal::SIGTERM);
    if let Ok(status) = timeout(grace, child.wait()).await {
        return status;
    }
    signal(group, Signal::SIGKILL);
    child.wait().await
}

/// The group of the process; absent once it was waited for.
fn group(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw)
}

/// Signals the process and what it may have started, which form a group. It has not been waited for, so its number is
/// still its own.
fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(Err(error)) = group.map(|group| killpg(group, signal)) {
        log::warn!("cannot send {signal} to a local process: {error}");
    }
}

/// Reads the address from an instance's standard output, and the rest so that the pipe never fills.
async fn read_address(stdout: Option<impl AsyncRead + Unpin>, listens: oneshot::Sender<SocketAddr>) {
    let Some(stdout) = stdout else { return };
    let mut lines = BufReader::new(stdout).lines();
    let mut listens = Some(listens);
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = line.strip_prefix(LISTENING).and_then(|address| address.trim().parse().ok())
            && let Some(listens) = listens.take()
        {
            // The receiver is closed when the instance was stopped meanwhile.
            listens.send(address).ok();
        }
    }
}

/// Logs an instance's standard error and returns its last line.
async fn forward_stderr(stderr: Option<impl AsyncRead + Unpin>, launch: &Launch) -> Option<String> {
    let mut lines = BufReader::new(stderr?).lines();
    let mut last = None;
    while let Ok(Some(line)) = lines.next_line().await {
        let Launch { run, function, kind: _, startup_busy_loop: _, instance } = launch;
        log::warn!(RUN_ID = run.as_str(), FUNCTION = function.as_str(), INSTANCE = instance.as_str(); "{instance}: {line}");
        last = Some(line);
    }
    last
}

#[cfg(test)]
mod tests;
