//! The files of a run's workers: the secret token, the certificate of the CA, and for each a directory of its spool.

use std::{
    env,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use crate::{id::RunId, platform::StartWorkers};

/// The directory, below the one for temporary files. Its name is known from the run's id, so that it is found again after a crash.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Whether there is a certificate.
    secured: bool,
}

impl Directory {
    fn path(run: &RunId) -> PathBuf {
        env::temp_dir().join(format!("loaderd-workers-{run}"))
    }

    /// Makes the directory, for this user alone. One that is there already, whoever made it, is not used.
    pub(super) fn make(request: &StartWorkers) -> io::Result<Self> {
        let path = Self::path(&request.run);
        DirBuilder::new().mode(0o700).create(&path).map_err(of(&path))?;
        let made = Self { path, secured: request.ca_pem.is_some() };
        write(&made.token_file(), request.token.as_bytes())?;
        if let Some(pem) = &request.ca_pem {
            write(&made.path.join("ca.pem"), pem.as_bytes())?;
        }
        for index in 0..request.count {
            let spool = made.spool(index);
            DirBuilder::new().mode(0o700).create(&spool).map_err(of(&spool))?;
        }
        Ok(made)
    }

    pub(super) fn token_file(&self) -> PathBuf {
        self.path.join("token")
    }

    pub(super) fn ca_file(&self) -> Option<PathBuf> {
        self.secured.then(|| self.path.join("ca.pem"))
    }

    pub(super) fn spool(&self, index: u32) -> PathBuf {
        self.path.join(format!("spool-{index}"))
    }

    /// Removes the directory of a run, if there is one.
    pub(super) fn remove(run: &RunId) -> io::Result<()> {
        let path = Self::path(run);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(of(&path)(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Writes a file for this user alone.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.and_then(|mut file| file.write_all(content)).map_err(of(path))
}

/// An error about a path.
fn of(path: &Path) -> impl Fn(io::Error) -> io::Error + '_ {
    |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
