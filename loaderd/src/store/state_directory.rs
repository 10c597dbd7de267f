//! The state directory as a whole: its lock and its version.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    sys::signal::kill,
    unistd::{Pid, Uid},
};

/// Version of the state directory that this program writes. [`migrate`] has the steps up from older ones.
const VERSION: u32 = 1;

/// The name of the lock file, which has the daemon's process id.
const LOCK: &str = "lock";

/// How often the lock of a process that is gone is tried again, and the pause before each try. A child of it that is about to execute
/// another program holds the lock until then.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// Why the state directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StateDirectoryError {
    /// It can't be created.
    #[error("cannot create {}: {source}", path.display())]
    Create {
        /// The path of the state directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another daemon uses it.
    #[error("another loaderd{} uses {}: only one daemon can use a state directory", pid.map_or(String::new(), |pid| format!(" (pid {pid})")), path.display())]
    InUse {
        /// The path of the state directory.
        path: PathBuf,
        /// The other daemon's process; absent when it is unknown.
        pid: Option<u32>,
    },
    /// A newer program wrote it.
    #[error("{} has version {found}, newer than this loaderd supports ({VERSION}): upgrade loaderd", path.display())]
    Newer {
        /// The path of the state directory.
        path: PathBuf,
        /// The version that the directory has.
        found: u32,
    },
}

/// The state directory, locked against other daemons until this is dropped.
///
/// Both the directory and the file `lock` in it are locked: a file can be removed, and earlier versions know no other lock.
#[derive(Debug)]
pub struct StateDirectory {
    _directory: Option<Flock<File>>,
    _file: Option<Flock<File>>,
}

impl StateDirectory {
    /// Locks the directory, creates it if it is missing, and migrates it to this version. One that can't be written is used
    /// read-only.
    ///
    /// # Errors
    /// A directory that can't be created, that another daemon uses, or that a newer program wrote.
    pub fn lock(path: &Path) -> Result<Self, StateDirectoryError> {
        let mut left = TRIES;
        loop {
            match Self::try_lock(path) {
                Err(StateDirectoryError::InUse { pid: Some(pid), .. }) if left > 0 && is_gone(pid) => left -= 1,
                locked => return locked,
            }
            thread::sleep(PAUSE);
        }
    }

    fn try_lock(path: &Path) -> Result<Self, StateDirectoryError> {
        fs::create_dir_all(path).map_err(|source| StateDirectoryError::Create { path: path.to_owned(), source })?;
        let directory = lock_directory(path)?;
        let file = lock_file(path)?;
        let stamp = path.join("version");
        close_to_others(path, &stamp);
        match fs::read_to_string(&stamp).map(|text| text.trim().parse::<u32>()) {
            Ok(Ok(found)) if found > VERSION => {
                return Err(StateDirectoryError::Newer { path: path.to_owned(), found });
            }
            Ok(Ok(VERSION)) => {}
            found => {
                if let Ok(Err(error)) = &found {
                    log::warn!("{}: invalid version ({error}): treated as version 0", stamp.display());
                }
                migrate(found.ok().and_then(Result::ok).unwrap_or_default());
                if let Err(error) = fs::write(&stamp, format!("{VERSION}\n")) {
                    log::warn!("cannot write {}: {error}", stamp.display());
                }
            }
        }
        Ok(Self { _directory: directory, _file: file })
    }
}

/// Whether there is no process with this id.
fn is_gone(pid: u32) -> bool {
    i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH))
}

/// Takes what earlier versions, or another umask, gave others of the directory. One that is not a daemon's yet, or another user's, is
/// left as it is: what is written into it is for this user alone anyway.
fn close_to_others(path: &Path, stamp: &Path) {
    let is_ours = |it: &fs::Metadata| Uid::from_raw(it.uid()) == Uid::effective() && stamp.is_file();
    let Some(metadata) = fs::metadata(path).ok().filter(is_ours) else { return };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return;
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(0o700)) {
        Ok(()) => log::info!("{} was open to others (mode {mode:04o}): closed", path.display()),
        Err(error) => log::warn!("{} is open to others (mode {mode:04o}): {error}", path.display()),
    }
}

/// Migrates the directory to this version, step by step. Version 0, before there was a file `version`, has the layout of 1.
fn migrate(from: u32) {
    log::debug!("migrated the state directory from version {from} to {VERSION}");
}

/// The lock of the directory itself; none on file systems that lock only files, such as NFS.
fn lock_directory(path: &Path) -> Result<Option<Flock<File>>, StateDirectoryError> {
    let unlocked = |error: &dyn std::error::Error| {
        log::debug!("cannot lock {}: {error}", path.display());
        Ok(None)
    };
    let directory = match File::open(path) {
        Ok(directory) => directory,
        Err(error) => return unlocked(&error),
    };
    match Flock::lock(directory, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => {
            let text = fs::read_to_string(path.join(LOCK)).unwrap_or_default();
            Err(StateDirectoryError::InUse { path: path.to_owned(), pid: text.trim().parse().ok() })
        }
        Err((_, error)) => unlocked(&error),
    }
}

/// The lock of the file; none where no file can be written, so nothing can be damaged either.
fn lock_file(path: &Path) -> Result<Option<Flock<File>>, StateDirectoryError> {
    let file = path.join(LOCK);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&file);
    let opened = match opened.or_else(|_| File::open(&file)) {
        Ok(opened) => opened,
        Err(error) => {
            log::warn!("cannot write to {}: {error}; no run can be submitted", path.display());
            return Ok(None);
        }
    };
    match Flock::lock(opened, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            // For the message of a second daemon; not worth failing for.
            let _ignored = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
            Ok(Some(lock))
        }
        Err((mut held, Errno::EWOULDBLOCK)) => {
            let mut text = String::new();
            let pid = held.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            Err(StateDirectoryError::InUse { path: path.to_owned(), pid })
        }
        Err((_, error)) => {
            log::warn!("cannot lock {}: {error}", file.display());
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_daemon_at_a_time_uses_it() {
        let state = tempfile::tempdir().expect("a directory");
        let path = state.path().join("state");
        let home = StateDirectory::lock(&path).expect("is free");
        let message = StateDirectory::lock(&path).expect_err("is taken").to_string();
        assert!(message.starts_with(&format!("another loaderd (pid {})", std::process::id())), "{message}");
        drop(home);
        StateDirectory::lock(&path).expect("is free again");
        assert_eq!(fs::read_to_string(path.join("version")).expect("is stamped"), "1\n");
    }

    #[test]
    fn the_lock_of_a_process_that_is_gone_is_waited_for() {
        let state = tempfile::tempdir().expect("a directory");
        let home = StateDirectory::lock(state.path()).expect("is free");
        let mut child = std::process::Command::new("true").spawn().expect("starts");
        let gone = child.id();
        child.wait().expect("ends");
        fs::write(state.path().join(LOCK), format!("{gone}\n")).expect("writes");
        let release = thread::spawn(move || {
            thread::sleep(2 * PAUSE);
            drop(home);
        });
        StateDirectory::lock(state.path()).expect("is free in the end");
        release.join().expect("is done");
    }

    #[test]
    fn a_lock_file_that_was_removed_or_replaced_lets_nobody_in() {
        let state = tempfile::tempdir().expect("a directory");
        let home = StateDirectory::lock(state.path()).expect("is free");
        fs::write(state.path().join("new"), "1\n").expect("writes");
        fs::rename(state.path().join("new"), state.path().join(LOCK)).expect("replaces it");
        assert!(matches!(StateDirectory::lock(state.path()), Err(StateDirectoryError::InUse { pid: Some(1), .. })));
        fs::remove_file(state.path().join(LOCK)).expect("removes it");
        assert!(matches!(StateDirectory::lock(state.path()), Err(StateDirectoryError::InUse { pid: None, .. })));
        drop(home);
        StateDirectory::lock(state.path()).expect("is free again");
    }

    #[test]
    fn a_daemon_of_an_earlier_version_locks_its_file_alone() {
        let state = tempfile::tempdir().expect("a directory");
        let file = File::create(state.path().join(LOCK)).expect("creates");
        let _earlier = Flock::lock(file, FlockArg::LockExclusive).expect("locks");
        assert!(matches!(StateDirectory::lock(state.path()), Err(StateDirectoryError::InUse { .. })));
    }

    #[test]
    fn a_newer_one_is_refused_and_an_invalid_version_is_replaced() {
        let state = tempfile::tempdir().expect("a directory");
        let stamp = state.path().join("version");
        fs::write(&stamp, "2\n").expect("writes");
        assert!(matches!(StateDirectory::lock(state.path()), Err(StateDirectoryError::Newer { found: 2, .. })));
        fs::write(&stamp, "\0\0").expect("writes");
        StateDirectory::lock(state.path()).expect("is usable");
        assert_eq!(fs::read_to_string(&stamp).expect("is stamped"), "1\n");
    }
}
