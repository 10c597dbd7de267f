//! The files of a trace on this machine, of which only those are uploaded that its replay reads.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use loader_proto::v1::{TraceFile, TraceManifest};
use loader_trace::{Directory, Fault, Faults, Needed, Options, Source as _};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::Failure;

/// Bytes that are read, and sent, at once.
pub(super) const PIECE: usize = 256 << 10;

/// The files of a trace that are uploaded: those that its replay reads.
#[derive(Debug)]
pub(crate) struct TraceFiles {
    files: Vec<StoredFile>,
    /// What the user calls the trace.
    path: PathBuf,
}

/// A file of a trace on this machine, and what it is called at the daemon.
#[derive(Debug)]
struct StoredFile {
    name: String,
    /// What the user calls it.
    shown: PathBuf,
    place: Place,
    size: u64,
}

/// Where the bytes of a file are.
#[derive(Debug)]
enum Place {
    /// Where the user has it.
    There(PathBuf),
    /// In a file of our own, into which it was taken out of an archive, and which goes away on its own.
    Extracted(NamedTempFile),
}

impl StoredFile {
    fn path(&self) -> &Path {
        match &self.place {
            Place::There(path) => path,
            Place::Extracted(file) => file.path(),
        }
    }
}

/// Why a trace can't be uploaded.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The option that it is a matter of, if it is one.
    pub(crate) option: Option<&'static str>,
    /// The reason, which names the file.
    pub(crate) reason: String,
}

impl TraceFiles {
    /// Looks for the files that a replay of the trace at `path` reads.
    ///
    /// # Errors
    /// The reasons: nothing there, no known trace, several days or samples of which none is selected.
    pub(crate) fn find(path: &Path, options: &Options) -> Result<Self, Vec<Refused>> {
        let unreadable = |path: &Path, error: io::Error| {
            vec![Refused { option: None, reason: format!("cannot read {}: {error}", path.display()) }]
        };
        fs::metadata(path).map_err(|error| unreadable(path, error))?;
        let source = Directory(path.to_owned());
        let needed = loader_trace::needed(&source, options).map_err(|faults| refused(&source, &faults))?;
        let mut files = Vec::with_capacity(needed.len());
        for Needed { name, store_as, extract } in needed {
            let shown = folder(&source).join(&name);
            let place = if extract { extracted(&source, &name) } else { Ok(Place::There(shown.clone())) };
            let file = place.and_then(|place| {
                // What was taken out is packed on its way.
                let name = if extract { format!("{store_as}.gz") } else { store_as };
                let file = StoredFile { name, shown: shown.clone(), place, size: 0 };
                Ok(StoredFile { size: fs::metadata(file.path())?.len(), ..file })
            });
            files.push(file.map_err(|error| unreadable(&shown, error))?);
        }
        Ok(Self { files, path: path.to_owned() })
    }

    /// What the daemon says of an upload, with the paths that the user knows.
    pub(crate) fn in_words_of_the_user(names: &[(String, PathBuf)], description: &str) -> String {
        let found = names.iter().find_map(|(name, path)| {
            let rest = description.strip_prefix(name.as_str())?;
            rest.starts_with([':', '/']).then(|| format!("{}{rest}", path.display()))
        });
        found.unwrap_or_else(|| description.to_owned())
    }

    /// The names at the daemon, with the paths on this machine.
    pub(crate) fn names(&self) -> Vec<(String, PathBuf)> {
        let files = self.files.iter().map(|file| (file.name.clone(), file.shown.clone()));
        files.chain([("the uploaded trace".to_owned(), self.path.clone())]).collect()
    }

    /// The manifest of the files, which are read for their checksums.
    ///
    /// # Errors
    /// A file can't be read.
    pub(super) async fn manifest(self) -> Result<(Self, TraceManifest), Failure> {
        let hashing = tokio::task::spawn_blocking(move || {
            let mut files = Vec::with_capacity(self.files.len());
            for file in &self.files {
                let doing = || format!("cannot read {}", file.shown.display());
                let sha256 = sha256(file.path()).map_err(|source| Failure::System { doing: doing(), source })?;
                files.push(TraceFile { name: file.name.clone(), size: file.size, sha256 });
            }
            Ok((self, TraceManifest { files }))
        });
        hashing.await.map_err(|error| Failure::System { doing: "cannot hash".to_owned(), source: error.into() })?
    }

    /// The path of a file; `None` for one that does not belong to the trace.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.find_file(name).map(|file| file.path().to_owned())
    }

    /// Length of a file in bytes; 0 for one that does not belong to the trace.
    pub(super) fn size(&self, name: &str) -> u64 {
        self.find_file(name).map_or(0, |file| file.size)
    }

    fn find_file(&self, name: &str) -> Option<&StoredFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

/// A file that is taken out of its archive, without what else that holds.
fn extracted(source: &Directory, name: &str) -> io::Result<Place> {
    let mut content = loader_trace::extract(source, name)?;
    let mut packed = GzEncoder::new(NamedTempFile::new()?, Compression::fast());
    io::copy(&mut content, &mut packed)?;
    packed.finish().map(Place::Extracted)
}

/// The directory that the names of a source start from.
fn folder(source: &Directory) -> &Path {
    let Directory(path) = source;
    if source.focus().is_some() { path.parent().unwrap_or(Path::new("")) } else { path }
}

/// Faults as the user reads them: each file with its path.
fn refused(source: &Directory, faults: &Faults) -> Vec<Refused> {
    let location = source.location();
    let describe = |fault: &Fault| {
        let text = fault.to_string();
        let reason = if fault.file == location { text } else { folder(source).join(text).display().to_string() };
        Refused { option: fault.problem.option(), reason }
    };
    faults.shown.iter().map(describe).collect()
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
