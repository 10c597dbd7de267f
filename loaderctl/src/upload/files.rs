//! The files of a trace directory on this machine.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use loader_proto::v1::{TraceFile, TraceManifest};
use sha2::{Digest as _, Sha256};

use crate::{Failure, file_name::is_plain};

/// Bytes that are read, and sent, at once.
pub(super) const PIECE: usize = 256 << 10;

/// The files of a trace, by name.
#[derive(Debug)]
pub(crate) struct TraceFiles {
    directory: PathBuf,
    files: Vec<(String, u64)>,
}

impl TraceFiles {
    /// Looks for the files of a trace.
    ///
    /// # Errors
    /// The reason: no directory, or one without CSV files.
    pub(crate) fn find(directory: &Path) -> Result<Self, String> {
        let unreadable = |error: io::Error| format!("cannot read {}: {error}", directory.display());
        let metadata = fs::metadata(directory).map_err(unreadable)?;
        if metadata.is_file() {
            return Self::single(directory, metadata.len());
        }
        let mut files = listed(directory, "").map_err(unreadable)?;
        // Some traces have a folder for each quantity.
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let folder = entry.file_name().to_str().unwrap_or_default().to_owned();
            if entry.path().is_dir() && is_plain(&folder) {
                files.extend(listed(&entry.path(), &format!("{folder}/")).map_err(unreadable)?);
            }
        }
        if files.is_empty() {
            return Err(format!("no CSV files in {}", directory.display()));
        }
        files.sort();
        Ok(Self { directory: directory.to_owned(), files })
    }

    /// A trace that is one file.
    fn single(path: &Path, size: u64) -> Result<Self, String> {
        let name = path.file_name().and_then(|name| name.to_str()).filter(|name| is_plain(name) && is_table(name));
        let name = name.ok_or_else(|| format!("{} is not a CSV file", path.display()))?;
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { directory, files: vec![(name.to_owned(), size)] })
    }

    /// The manifest of the files, which are read for their checksums.
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

    /// The path of a file; `None` for one that does not belong to the trace.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.files.iter().any(|(known, _)| known == name).then(|| self.directory.join(name))
    }

    /// Length of a file in bytes; 0 for one that does not belong to the trace.
    pub(super) fn size(&self, name: &str) -> u64 {
        self.files.iter().find(|(known, _)| known == name).map_or(0, |(_, size)| *size)
    }
}

/// The tables in one folder, with sizes; names begin with `prefix`.
fn listed(folder: &Path, prefix: &str) -> io::Result<Vec<(String, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_str().unwrap_or_default().to_owned();
        // Links are followed, to regular files only.
        let metadata = fs::metadata(entry.path());
        if let Ok(metadata) = metadata
            && metadata.is_file()
            && is_plain(&name)
            && is_table(&name)
        {
            files.push((format!("{prefix}{name}"), metadata.len()));
        }
    }
    Ok(files)
}

/// Whether a file of this name can be part of a trace: Azure's of 2021 is published as `.txt`.
fn is_table(name: &str) -> bool {
    name.ends_with(".csv") || (name.starts_with("AzureFunctionsInvocationTrace") && name.ends_with(".txt"))
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
