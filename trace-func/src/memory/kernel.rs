//! Files in which the kernel tells its limits.

use std::{fs, path::Path};

/// The text of a file of the kernel's; one that can't be read sets no bound.
pub(super) fn read(path: impl AsRef<Path>) -> Option<String> {
    let path = path.as_ref();
    fs::read_to_string(path).inspect_err(|error| log::debug!("no bound from {}: {error}", path.display())).ok()
}
