//! Executables of the daemon's `[hooks]` directory: which may be run, and how. No shell is involved; the environment is the daemon's own
//! choice, the time is limited, and of the output only the beginning is kept.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::{Pid, Uid},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
};

/// Most bytes of the output that are kept, of each of its two streams.
const MOST_OUTPUT: usize = 64 << 10;

/// How long the output is read after the executable has ended: what it has started may hold it open.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// The search path of hooks.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where hooks are, and how long they may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookSettings {
    /// The directory of the executables; absent: hooks are off.
    pub directory: Option<PathBuf>,
    /// How long one of them may take.
    pub timeout: Duration,
}

/// Why a hook is not run, or has failed.
#[derive(Debug, thiserror::Error)]
pub enum HookFault {
    /// No directory is configured.
    #[error("hooks are off on this daemon: set hooks.directory in its configuration")]
    Off,
    /// The directory or the executable can't be looked at.
    #[error("cannot use {}: {source}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// It is no regular file.
    #[error("{} is not a regular file", .0.display())]
    NoFile(PathBuf),
    /// It can't be executed.
    #[error("{} is not executable: chmod 0755 {}", .0.display(), .0.display())]
    NotExecutable(PathBuf),
    /// Others could change it.
    #[error("{} can be changed by others (mode {mode:04o}): chmod go-w {}", path.display(), path.display())]
    Writable {
        /// The path of the file, or of a folder above it.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to the user {owner}: it must belong to root or to the daemon's user", path.display())]
    Foreign {
        /// The path of the file, or of a folder above it.
        path: PathBuf,
        /// The id of its owner.
        owner: u32,
    },
    /// It can't be started.
    #[error("cannot start it: {0}")]
    Start(io::Error),
    /// It took too long.
    #[error("it took longer than {}: it was killed", humantime::format_duration(*.0))]
    TimedOut(Duration),
    /// It ended with a failure.
    #[error("it failed: {0}")]
    Failed(ExitStatus),
}

/// What running a hook came to.
#[derive(Debug)]
pub(super) struct Ran {
    /// The beginning of its output.
    pub(super) output: Vec<u8>,
    pub(super) outcome: Result<(), HookFault>,
}

impl HookSettings {
    /// The path of a hook that may be run.
    ///
    /// # Errors
    /// Hooks are off, it is not there, or somebody else could change what is run.
    pub fn find(&self, name: &str) -> Result<PathBuf, HookFault> {
        let directory = self.directory.as_deref().ok_or(HookFault::Off)?;
        let unreadable = |path: &Path, source| HookFault::Unreadable { path: path.to_owned(), source };
        let directory = fs::canonicalize(directory).map_err(|source| unreadable(directory, source))?;
        for folder in directory.ancestors() {
            let metadata = fs::symlink_metadata(folder).map_err(|source| unreadable(folder, source))?;
            // In a folder with the sticky bit nobody can replace what belongs to others.
            let is_sticky = metadata.mode() & 0o1000 != 0 && folder != directory;
            judge(folder, &metadata, Uid::effective(), is_sticky)?;
        }
        let path = directory.join(name);
        let metadata = fs::symlink_metadata(&path).map_err(|source| unreadable(&path, source))?;
        if !metadata.is_file() {
            return Err(HookFault::NoFile(path));
        }
        judge(&path, &metadata, Uid::effective(), false)?;
        if metadata.permissions().mode() & 0o111 == 0 {
            return Err(HookFault::NotExecutable(path));
        }
        Ok(path)
    }

    /// Runs a hook with an environment.
    pub(super) async fn run(&self, name: &str, environment: Vec<(String, String)>) -> Ran {
        let started = self.find(name).and_then(|path| {
            let mut command = Command::new(path);
            command
                .env_clear()
                .env("PATH", PATH)
                .envs(environment)
                .current_dir("/")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                // A group of its own, which is killed as a whole.
                .process_group(0)
                .kill_on_drop(true);
            command.spawn().map_err(HookFault::Start)
        });
        match started {
            Ok(child) => self.watch(child).await,
            Err(fault) => Ran { output: Vec::new(), outcome: Err(fault) },
        }
    }

    /// Awaits a hook that was started, and reads its output. What it has started itself may hold the output open, and is killed then.
    async fn watch(&self, mut child: Child) -> Ran {
        let mut group = Group(child.id());
        let (mut out, mut err) = (Output::default(), Output::default());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let outcome = {
            let read = async { tokio::join!(out.read(stdout), err.read(stderr)) };
            tokio::pin!(read);
            let mut is_read = false;
            let ended = async {
                let status = tokio::select! {
                    status = child.wait() => status,
                    _ = &mut read => {
                        is_read = true;
                        child.wait().await
                    }
                };
                is_read = is_read || tokio::time::timeout(OUTPUT_GRACE, &mut read).await.is_ok();
                status
            };
            let outcome = match tokio::time::timeout(self.timeout, ended).await {
                Ok(Ok(status)) if status.success() => Ok(()),
                Ok(Ok(status)) => Err(HookFault::Failed(status)),
                Ok(Err(error)) => Err(HookFault::Start(error)),
                Err(_) => Err(HookFault::TimedOut(self.timeout)),
            };
            if is_read && !matches!(outcome, Err(HookFault::TimedOut(_))) {
                // Nothing holds its output open, and it has been awaited: the number of its group may be another's by now.
                group.0 = None;
            }
            outcome
        };
        Ran { output: joined(out, err), outcome }
    }
}

/// The process group of a hook, which is killed when this is dropped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0.and_then(|id| i32::try_from(id).ok()) {
            // It may have ended.
            let _gone = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }
}

/// The beginning of a stream of output.
#[derive(Default)]
struct Output {
    kept: Vec<u8>,
    dropped: u64,
}

impl Output {
    /// Reads a stream to its end.
    async fn read(&mut self, stream: Option<impl AsyncRead + Unpin>) {
        let Some(mut stream) = stream else { return };
        let mut piece = vec![0; 8 << 10];
        while let Ok(count @ 1..) = stream.read(&mut piece).await {
            let kept = count.min(MOST_OUTPUT - self.kept.len());
            self.kept.extend_from_slice(&piece[..kept]);
            self.dropped += (count - kept) as u64;
        }
    }
}

/// Both streams of output, one after the other.
fn joined(out: Output, err: Output) -> Vec<u8> {
    let mut all = Vec::new();
    for (title, Output { kept, dropped }) in [("", out), ("--- standard error ---\n", err)] {
        if kept.is_empty() {
            continue;
        }
        all.extend_from_slice(title.as_bytes());
        all.extend_from_slice(&kept);
        if dropped > 0 {
            all.extend_from_slice(format!("\n… and {dropped} bytes more\n").as_bytes());
        }
    }
    all
}

/// Whether only root and the daemon's user can change a file or a folder.
fn judge(path: &Path, metadata: &Metadata, me: Uid, is_sticky: bool) -> Result<(), HookFault> {
    let (owner, mode) = (Uid::from_raw(metadata.uid()), metadata.mode() & 0o7777);
    if !owner.is_root() && owner != me {
        return Err(HookFault::Foreign { path: path.to_owned(), owner: owner.as_raw() });
    }
    if mode & 0o022 != 0 && !is_sticky {
        return Err(HookFault::Writable { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
