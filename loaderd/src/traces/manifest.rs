//! The manifest of an upload: the files that a client announces. Pure.

use std::{collections::HashSet, fmt::Write as _};

use sha2::{Digest as _, Sha256};

use crate::spec::Violation;

/// Most files of one trace.
const MOST_FILES: usize = 64;

/// Longest name of a file.
const LONGEST_NAME: usize = 128;

/// One file of a trace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceFile {
    /// Its name; at most in one folder.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of its content, 64 lower-case hex digits.
    pub sha256: String,
}

/// The files of a trace, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    files: Vec<TraceFile>,
    id: String,
}

impl Manifest {
    /// Checks the files; their order does not matter.
    ///
    /// # Errors
    /// Every fault, by field.
    pub fn check(mut files: Vec<TraceFile>) -> Result<Self, Vec<Violation>> {
        let mut violations = Vec::new();
        if files.is_empty() {
            violations.push(Violation::new("manifest.files", "is empty"));
        }
        if files.len() > MOST_FILES {
            let rule = format!("has {} files; a trace has at most {MOST_FILES}", files.len());
            violations.push(Violation::new("manifest.files", rule));
        }
        let mut names = HashSet::new();
        for (index, file) in files.iter_mut().enumerate().take(MOST_FILES) {
            file.sha256.make_ascii_lowercase();
            let mut fault = |field: &str, description: String| {
                violations.push(Violation::new(format!("manifest.files[{index}].{field}"), description));
            };
            if !is_safe(&file.name) {
                let rule = "must be letters, digits, '.', '_' and '-', first not a dot, at most in one folder";
                fault("name", format!("is {:?}; {rule}, up to {LONGEST_NAME} characters", file.name));
            }
            if !names.insert(&file.name) {
                fault("name", format!("{:?} is listed twice", file.name));
            }
            if !is_hash(&file.sha256) {
                fault("sha256", "must be 64 hex digits".to_owned());
            }
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        files.sort();
        let id = id(&files);
        Ok(Self { files, id })
    }

    /// The files, by name.
    pub fn files(&self) -> &[TraceFile] {
        &self.files
    }

    /// The trace's id: 64 hex digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size))
    }
}

/// SHA-256 over each file's name, size and hash, a line each.
fn id(files: &[TraceFile]) -> String {
    let mut hash = Sha256::new();
    for TraceFile { name, size, sha256 } in files {
        hash.update(format!("{name} {size} {sha256}\n"));
    }
    hex(&hash.finalize())
}

/// Bytes as hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a name names a file here, or in a folder here, and nothing elsewhere.
fn is_safe(name: &str) -> bool {
    name.split_once('/').map_or_else(|| is_plain(name), |(folder, name)| is_plain(folder) && is_plain(name))
}

fn is_plain(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.starts_with('.') && name.bytes().all(allowed)
}

/// Whether a text is a SHA-256 hash in lower-case hex digits.
pub fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
