//! Backups of what a run changes of the cluster: one JSON document, replaced as a whole.

use std::{io, io::Write as _, path::Path};

use serde::{Serialize, de::DeserializeOwned};

use crate::platform::SettingsBackup;

/// What a backup holds; nothing without a file.
///
/// # Errors
/// A file that can't be read.
pub(super) fn read<T: DeserializeOwned>(backup: &SettingsBackup) -> io::Result<Option<T>> {
    match std::fs::read(backup.path()) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a backup atomically and durably.
///
/// # Errors
/// A file that can't be written.
pub(super) fn write(saved: &impl Serialize, backup: &SettingsBackup) -> io::Result<()> {
    let path = backup.path();
    let directory = path.parent().unwrap_or(Path::new("."));
    let part = path.with_extension("json.part");
    let mut file = std::fs::File::create(&part)?;
    serde_json::to_writer_pretty(&mut file, saved)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    std::fs::File::open(directory)?.sync_all()
}
