//! Files of the state directory: replaced whole, read with care, removed out of sight first.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use nix::fcntl::OFlag;

use super::reserve;

/// Prefix of a directory that is being removed.
pub(super) const DELETED: &str = ".deleted-";

/// An operation on the directory of a run or of a study that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct StoreError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl StoreError {
    /// Whether the disk is full, of bytes or of files, or a quota is used up.
    pub fn is_full(&self) -> bool {
        reserve::is_full(&self.source)
    }
}

/// Adds the operation and the path, for `map_err`.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError { action, path: path.to_owned(), source }
}

/// Replaces a file of `directory` whole, durably: a crash leaves either the old or the new content. On a full disk the reserved space
/// is released first.
pub(super) fn replace(directory: &Path, name: &str, content: &[u8]) -> Result<(), StoreError> {
    let path = directory.join(name);
    let replace = || {
        let mut file = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(directory)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        fs::File::open(directory)?.sync_all()
    };
    let replaced = match replace() {
        Err(error) if reserve::is_full(&error) && reserve::release(directory) => replace(),
        replaced => replaced,
    };
    replaced.map_err(failed("write", &path))
}

/// The text of a regular file of at most `most` bytes. Links are not followed, and nothing is waited for, as a FIFO would be.
pub(super) fn read_regular(path: &Path, most: u64) -> io::Result<String> {
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut text = String::new();
    if file.take(most + 1).read_to_string(&mut text)? as u64 > most {
        return Err(io::Error::other(format!("larger than {most} bytes")));
    }
    Ok(text)
}

/// Removes a directory. It is renamed first, so that a crash in the middle leaves no partial one in sight.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let removed = path.with_file_name(format!("{DELETED}{name}"));
    fs::rename(path, &removed).map_err(failed("remove", path))?;
    fs::remove_dir_all(&removed).map_err(failed("remove", &removed))
}
