//! The files of a trace directory on this machine.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use loader_proto::v1::{TraceFile, TraceManifest};
use sha2::{Digest as _, Sha256};

use super::PIECE;
use crate::{Failure, file_name::is_plain};

/// The CSV files of a trace directory, by name.
#[derive(Debug)]
pub(crate) struct TraceFiles {
    directory: PathBuf,
    files: Vec<(String, u64)>,
}

impl TraceFiles {
    /// Looks for the files of a trace.
    ///
    /// # Errors
    /// In words: no directory, or one without CSV files.
    pub(crate) fn find(directory: &Path) -> Result<Self, String> {
        let unreadable = |error: io::Error| format!("cannot read {}: {error}", directory.display());
        if fs::metadata(directory).map_err(unreadable)?.is_file() {
            return Err(format!("{} is a file: give the directory that it is in", directory.display()));
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_str().unwrap_or_default().to_owned();
            // Links are followed, to regular files only.
            let metadata = fs::metadata(entry.path());
            if let Ok(metadata) = metadata
                && metadata.is_file()
                && is_plain(&name)
                && name.ends_with(".csv")
            {
                files.push((name, metadata.len()));
            }
        }
        if files.is_empty() {
            return Err(format!("there are no CSV files in {}", directory.display()));
        }
        files.sort();
        Ok(Self { directory: directory.to_owned(), files })
    }

    /// What to tell the daemon of the files, which are read for it.
    ///
    /// # Errors
    /// A file can't be read.
    pub(super) async fn manifest(self) -> Result<(Self, TraceManifest), Failure> {
        let hashing = tokio::task::spawn_blocking(move || {
            let mut files = Vec::with_capacity(self.files.len());
            for (name, size) in self.files.iter().cloned() {
                let path = self.directory.join(&name);
                let sha256 = sha256(&path)
                    .map_err(|source| Failure::System { doing: format!("cannot read {}", path.display()), source })?;
                files.push(TraceFile { name, size, sha256 });
            }
            Ok((self, TraceManifest { files }))
        });
        hashing.await.map_err(|error| Failure::System { doing: "cannot hash".to_owned(), source: error.into() })?
    }

    /// Where a file is, if it belongs to the trace.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.files.iter().any(|(known, _)| known == name).then(|| self.directory.join(name))
    }

    /// Length of a file in bytes; 0 for one that does not belong to the trace.
    pub(super) fn size(&self, name: &str) -> u64 {
        self.files.iter().find(|(known, _)| known == name).map_or(0, |(_, size)| *size)
    }
}

/// The SHA-256 of a file, in hex.
fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; PIECE];
    loop {
        let read = file.read(&mut buffer)?;
        match buffer.get(..read) {
            Some(bytes) if !bytes.is_empty() => hasher.update(bytes),
            _ => break,
        }
    }
    Ok(hasher.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Text takes everything.
        let _written = write!(hex, "{byte:02x}");
        hex
    }))
}
