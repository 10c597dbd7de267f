//! Disk space that is reserved in the directory of a run, or a study, that has not ended, so that its final state can be written even on a
//! full disk.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use nix::fcntl::{FallocateFlags, fallocate};

/// The file's name; names with a leading dot are not results.
const NAME: &str = ".reserve";

/// Reserves `bytes`. A run, or a study, goes on without them on a disk that reserves nothing.
///
/// # Errors
/// The disk has no room for them.
pub(super) fn allocate(directory: &Path, bytes: i64) -> io::Result<()> {
    let path = directory.join(NAME);
    let made = File::create(&path).and_then(|file| Ok(fallocate(file, FallocateFlags::empty(), 0, bytes)?));
    let Err(error) = made else { return Ok(()) };
    // It may not exist.
    let _none = fs::remove_file(&path);
    if is_full(&error) {
        return Err(error);
    }
    log::debug!("{}: {error}", path.display());
    Ok(())
}

/// Whether there is any.
pub(super) fn is_there(directory: &Path) -> bool {
    directory.join(NAME).exists()
}

/// Releases the space; whether there was any.
pub(super) fn release(directory: &Path) -> bool {
    fs::remove_file(directory.join(NAME)).is_ok()
}

/// Whether the disk is full, of bytes or of files, or a quota is used up.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
