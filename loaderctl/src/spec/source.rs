//! Texts that come from somewhere else: the spec file, and lists of numbers in files.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// A spec file, read.
#[derive(Debug, Default)]
pub(super) struct SpecFile {
    pub(super) text: String,
    /// What relative paths in it start from.
    pub(super) folder: PathBuf,
}

/// Reads a spec file; `-` is standard input.
///
/// # Errors
/// Why it can't be read.
pub(super) fn spec_file(name: &str) -> Result<SpecFile, String> {
    if name == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map_err(|error| format!("cannot read standard input: {error}"))?;
        return Ok(SpecFile { text, folder: PathBuf::new() });
    }
    let text = fs::read_to_string(name).map_err(|error| format!("cannot read {name}: {error}"))?;
    let folder = Path::new(name).parent().map(Path::to_path_buf).unwrap_or_default();
    Ok(SpecFile { text, folder })
}

/// A text, or with `@FILE` what is in that file.
///
/// # Errors
/// The file cannot be read.
pub(super) fn text(given: &str) -> Result<String, String> {
    match given.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}")),
        None => Ok(given.to_owned()),
    }
}

/// The items of a list, `5,1,2` or `@FILE` with such lines; whether they are numbers is checked with the field.
///
/// # Errors
/// Why the file can't be read.
pub(super) fn numbers(list: &str) -> Result<Vec<String>, String> {
    let read = text(list)?;
    let lines = read.lines().map(|line| line.trim().trim_end_matches(',')).filter(|line| !line.is_empty());
    Ok(lines.flat_map(|line| line.split(',')).map(|item| item.trim().to_owned()).collect())
}
