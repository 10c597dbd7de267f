//! Room that is set aside in the directory of a run that has not ended, so that on a full disk it can still be written how the
//! run ended, and why.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use nix::fcntl::{FallocateFlags, fallocate};

/// Its name; what begins with a point is none of a run's files.
const NAME: &str = ".reserve";

/// Enough for the run's state, its manifest, and the summary of some hundred functions.
const BYTES: i64 = 256 << 10;

/// Sets it aside. Where that is not possible, a run goes without.
pub(super) fn set_aside(directory: &Path) {
    let path = directory.join(NAME);
    let made = File::create(&path).and_then(|file| Ok(fallocate(file, FallocateFlags::empty(), 0, BYTES)?));
    if let Err(error) = made {
        log::debug!("{}: {error}", path.display());
        // It may not even be there.
        let _none = fs::remove_file(path);
    }
}

/// Gives it back to the disk; whether there was any.
pub(super) fn give_back(directory: &Path) -> bool {
    fs::remove_file(directory.join(NAME)).is_ok()
}

/// Whether the disk has no room, for bytes or for files.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
