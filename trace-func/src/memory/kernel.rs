//! Files in which the kernel shows its limits.

use std::{fs, path::Path};

/// The text of a file below /proc or /sys; one that cannot be read sets no limit.
pub(super) fn read(path: impl AsRef<Path>) -> Option<String> {
    let path = path.as_ref();
    fs::read_to_string(path).inspect_err(|error| log::debug!("no limit from {}: {error}", path.display())).ok()
}
