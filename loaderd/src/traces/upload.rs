//! One upload: pieces are appended to files in the partial directory, and when all bytes have arrived and their hashes
//! match, the directory becomes the trace.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{
    error::UploadError,
    manifest::{Manifest, TraceFile, hex},
    place::Place,
};
use crate::spec::Violation;

/// Where to resume a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The name of the file in the trace.
    pub name: String,
    /// The first missing byte.
    pub offset: u64,
}

/// An upload under way. Its methods block on files.
#[derive(Debug)]
pub struct Upload {
    manifest: Manifest,
    partial: PathBuf,
    /// The bytes received of each incomplete file.
    received: BTreeMap<String, u64>,
    open: Option<(String, File)>,
    place: Place,
}

impl Upload {
    pub(super) fn begin(manifest: Manifest, place: Place) -> Result<Self, UploadError> {
        let partial = place.directory();
        let mut received = BTreeMap::new();
        for TraceFile { name, size, .. } in manifest.files() {
            let path = partial.join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(failed(folder))?;
            }
            let length = match fs::metadata(&path) {
                Ok(metadata) => metadata.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    File::create(&path).map_err(failed(&path))?;
                    0
                }
                Err(error) => return Err(failed(&path)(error)),
            };
            // A file that is longer than it should be is started again.
            let length = if length > *size {
                File::create(&path).map_err(failed(&path))?;
                0
            } else {
                length
            };
            if length < *size {
                received.insert(name.clone(), length);
            }
        }
        Ok(Self { manifest, partial, received, open: None, place })
    }

    /// What is missing, by file.
    pub fn wanted(&self) -> Vec<Wanted> {
        self.received.iter().map(|(name, &offset)| Wanted { name: name.clone(), offset }).collect()
    }

    /// Whether all bytes have been received.
    pub fn is_complete(&self) -> bool {
        self.received.is_empty()
    }

    /// Appends a piece to the file `name`.
    ///
    /// # Errors
    /// A piece that does not start where its file ends, or exceeds its size; a file that can't be written.
    pub fn append(&mut self, name: &str, offset: u64, data: &[u8]) -> Result<(), UploadError> {
        let invalid = |field: &str, description: String| UploadError::Invalid(vec![Violation::new(field, description)]);
        let Some(&received) = self.received.get(name) else {
            return Err(invalid("data.name", format!("unexpected file {name:?}")));
        };
        if offset != received {
            return Err(invalid("data.offset", format!("is {offset}; {name} continues at {received}")));
        }
        let size = self.manifest.files().iter().find(|file| file.name == name).map_or(0, |file| file.size);
        let after = received + data.len() as u64;
        if after > size {
            return Err(invalid("data.data", format!("exceeds the {size} bytes of {name}")));
        }
        let path = self.partial.join(name);
        let file = match &mut self.open {
            Some((open, file)) if open == name => file,
            open => {
                let file = OpenOptions::new().append(true).open(&path).map_err(failed(&path))?;
                &mut open.insert((name.to_owned(), file)).1
            }
        };
        file.write_all(data).map_err(failed(&path))?;
        if after == size {
            self.received.remove(name);
        } else {
            self.received.insert(name.to_owned(), after);
        }
        Ok(())
    }

    /// Compares the hashes and completes the trace; returns its id.
    ///
    /// # Errors
    /// Files whose content does not match the manifest: these start again the next time. A file that cannot be read or
    /// moved.
    pub fn finish(self) -> Result<String, UploadError> {
        let mut violations = Vec::new();
        for (index, TraceFile { name, sha256, .. }) in self.manifest.files().iter().enumerate() {
            let path = self.partial.join(name);
            let found = hash(&path).map_err(failed(&path))?;
            if found != *sha256 {
                fs::remove_file(&path).map_err(failed(&path))?;
                let field = format!("manifest.files[{index}].sha256");
                violations.push(Violation::new(field, format!("is {sha256}; the content of {name} has {found}")));
            }
        }
        if !violations.is_empty() {
            return Err(UploadError::Invalid(violations));
        }
        let id = self.manifest.id().to_owned();
        self.place.complete(&id).map_err(|(path, source)| UploadError::Io { path, source })?;
        Ok(id)
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> UploadError {
    let path = path.to_owned();
    move |source| UploadError::Io { path: path.clone(), source }
}

/// SHA-256 of a file, and synchronizes it to disk.
fn hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.sync_data()?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}
