//! The state directory as a whole: whose it is, and of which version.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

/// Version of the state directory that this program makes. Each step up from an older one stands in [`migrate`].
const VERSION: u32 = 1;

/// Why the state directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// It can't be made.
    #[error("cannot create {}: {source}", path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another daemon works in it.
    #[error("another loaderd{} works in {}: two would undo each other's runs", pid.map_or(String::new(), |pid| format!(" (pid {pid})")), path.display())]
    Taken {
        /// The directory.
        path: PathBuf,
        /// The other, where it says who it is.
        pid: Option<u32>,
    },
    /// A newer program made it.
    #[error("{} has the version {found}, and this loaderd knows only up to {VERSION}: use a newer one", path.display())]
    Newer {
        /// The directory.
        path: PathBuf,
        /// What it has.
        found: u32,
    },
}

/// The state directory, held against other daemons until this is dropped.
#[derive(Debug)]
pub struct Home {
    _lock: Option<Flock<File>>,
}

impl Home {
    /// Takes the directory, makes it where it is missing, and brings it to this version. One that can't be written is taken
    /// all the same: what is in it can still be read.
    ///
    /// # Errors
    /// A directory that can't be made, that another daemon has, or that a newer program made.
    pub fn take(path: &Path) -> Result<Self, HomeError> {
        fs::create_dir_all(path).map_err(|source| HomeError::Create { path: path.to_owned(), source })?;
        let lock = lock(path)?;
        let stamp = path.join("version");
        match fs::read_to_string(&stamp).map(|text| text.trim().parse::<u32>()) {
            Ok(Ok(found)) if found > VERSION => return Err(HomeError::Newer { path: path.to_owned(), found }),
            Ok(Ok(VERSION)) => {}
            found => {
                if let Ok(Err(error)) = &found {
                    log::warn!("{} is no version ({error}): taken for an old one", stamp.display());
                }
                migrate(found.ok().and_then(Result::ok).unwrap_or_default());
                if let Err(error) = fs::write(&stamp, format!("{VERSION}\n")) {
                    log::warn!("{} cannot be written: {error}", stamp.display());
                }
            }
        }
        Ok(Self { _lock: lock })
    }
}

/// Brings the directory up to this version, step by step. Version 0, before there were stamps, was laid out as 1 is.
fn migrate(from: u32) {
    log::debug!("the state directory is of version {from}, from now on of {VERSION}");
}

/// The lock; none where no file can be written, and so nothing can be spoilt either.
fn lock(path: &Path) -> Result<Option<Flock<File>>, HomeError> {
    let file = path.join("lock");
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&file);
    let opened = match opened.or_else(|_| File::open(&file)) {
        Ok(opened) => opened,
        Err(error) => {
            log::warn!("{} cannot be written: {error}; there will be no runs", path.display());
            return Ok(None);
        }
    };
    match Flock::lock(opened, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            // For whoever finds it taken; not worth failing for.
            let _untold = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
            Ok(Some(lock))
        }
        Err((mut held, Errno::EWOULDBLOCK)) => {
            let mut text = String::new();
            let pid = held.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            Err(HomeError::Taken { path: path.to_owned(), pid })
        }
        Err((_, error)) => {
            log::warn!("{} cannot be locked: {error}", file.display());
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_daemon_at_a_time_has_it() {
        let state = tempfile::tempdir().expect("a directory");
        let path = state.path().join("state");
        let home = Home::take(&path).expect("is free");
        let words = Home::take(&path).expect_err("is taken").to_string();
        assert!(words.starts_with(&format!("another loaderd (pid {})", std::process::id())), "{words}");
        drop(home);
        Home::take(&path).expect("is free again");
        assert_eq!(fs::read_to_string(path.join("version")).expect("is stamped"), "1\n");
    }

    #[test]
    fn a_newer_one_is_left_alone_and_a_broken_stamp_is_made_anew() {
        let state = tempfile::tempdir().expect("a directory");
        let stamp = state.path().join("version");
        fs::write(&stamp, "2\n").expect("writes");
        assert!(matches!(Home::take(state.path()), Err(HomeError::Newer { found: 2, .. })));
        fs::write(&stamp, "\0\0").expect("writes");
        Home::take(state.path()).expect("is usable");
        assert_eq!(fs::read_to_string(&stamp).expect("is stamped"), "1\n");
    }
}
