//! Uploaded traces, kept below the state directory by what is in them.
//!
//! ```text
//! <state>/traces/<id>/…           complete: every file has its size and hash
//! <state>/traces/partial/<id>/…   under way, or cut off; an upload goes on where the last one ended
//! ```
//! A trace's id is a hash over its [`Manifest`], so that the same files are stored once, whoever sends them.

mod manifest;
mod upload;

pub use manifest::{Manifest, TraceFile};
pub use upload::{Upload, Wanted};

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::sys::{stat::futimens, time::TimeSpec};

use crate::{clock::UnixMicros, spec::Violation};

/// What the store accepts.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most bytes of one trace, over all its files.
    pub max_bytes: u64,
    /// Most traces, complete or not.
    pub max_count: usize,
    /// How long a trace is kept that no run names.
    pub expire: Option<Duration>,
}

/// Why a trace is not stored.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The manifest or the content is not what it must be.
    #[error("the trace cannot be taken")]
    Invalid(Vec<Violation>),
    /// The trace is above the limit.
    #[error("the trace has {bytes} bytes; this daemon takes at most {most} (traces.max_upload_mib)")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// There are too many.
    #[error("there are {most} traces already, which is all that this daemon takes (traces.max_uploads)")]
    TooMany {
        /// The limit.
        most: usize,
    },
    /// Another client sends the same trace.
    #[error("another client is uploading this trace: try again when it has ended")]
    UnderWay,
    /// A file can't be written or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The uploaded traces of a daemon. Clones are the same store.
#[derive(Debug, Clone)]
pub struct TraceStore {
    root: PathBuf,
    limits: Limits,
    under_way: Arc<Mutex<HashSet<String>>>,
}

/// What [`TraceStore::begin`] found.
#[derive(Debug)]
pub enum Begun {
    /// The trace is there already.
    Stored,
    /// Bytes are missing.
    Missing(Upload),
}

impl TraceStore {
    /// Opens the store in `root`, and makes the directory where it is missing.
    ///
    /// # Errors
    /// A directory that can't be made.
    pub fn open(root: &Path, limits: Limits) -> Result<Self, UploadError> {
        let partial = root.join("partial");
        fs::create_dir_all(&partial).map_err(|source| UploadError::Io { path: partial, source })?;
        Ok(Self { root: root.to_owned(), limits, under_way: Arc::default() })
    }

    /// The directory of a complete trace.
    pub fn path_of(&self, id: &str) -> Option<PathBuf> {
        let path = manifest::is_hash(id).then(|| self.root.join(id))?;
        fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()).then_some(path)
    }

    /// Begins, or goes on with, the upload of a trace.
    ///
    /// # Errors
    /// A trace above the limit, one that another client is sending, and directories that can't be made.
    pub fn begin(&self, manifest: Manifest) -> Result<Begun, UploadError> {
        let (bytes, most) = (manifest.size(), self.limits.max_bytes);
        if bytes > most {
            return Err(UploadError::TooLarge { bytes, most });
        }
        let lease = Lease::take(&self.under_way, manifest.id()).ok_or(UploadError::UnderWay)?;
        if let Some(path) = self.path_of(manifest.id()) {
            touch(&path);
            return Ok(Begun::Stored);
        }
        let most = self.limits.max_count;
        // One that was cut off may go on.
        if self.ages().iter().filter(|(_, id, _)| id != manifest.id()).count() >= most {
            return Err(UploadError::TooMany { most });
        }
        let partial = self.root.join("partial").join(manifest.id());
        let complete = self.root.join(manifest.id());
        Upload::begin(manifest, partial, complete, lease).map(Begun::Missing)
    }
}

impl TraceStore {
    /// Each trace, complete or not, with its id and when it was last written or named, in seconds.
    fn ages(&self) -> Vec<(PathBuf, String, i64)> {
        let of = |root: &Path| {
            let entries = fs::read_dir(root).into_iter().flatten().flatten();
            entries.filter_map(|entry| {
                let id = entry.file_name().into_string().ok().filter(|id| manifest::is_hash(id))?;
                Some((entry.path(), id, entry.metadata().ok()?.mtime()))
            })
        };
        of(&self.root).chain(of(&self.root.join("partial"))).collect()
    }

    /// Removes traces that have not been named for long, but for those `in_use` and those under way.
    pub fn expire(&self, in_use: &HashSet<String>, now: UnixMicros) {
        let Some(expire) = self.limits.expire else { return };
        for (path, id, used) in self.ages() {
            let old = UnixMicros(used.saturating_mul(1_000_000)).plus(expire) < now;
            if !old || in_use.contains(&id) {
                continue;
            }
            let Some(_lease) = Lease::take(&self.under_way, &id) else { continue };
            match fs::remove_dir_all(&path) {
                Ok(()) => log::info!("the trace {id} has expired"),
                Err(error) => log::warn!("{} has expired and cannot be removed: {error}", path.display()),
            }
        }
    }
}

/// Notes that a trace was named. Where that can't be noted it expires sooner.
fn touch(path: &Path) {
    if let Ok(directory) = fs::File::open(path) {
        let _unnoted = futimens(&directory, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW);
    }
}

/// The right to write a trace, given up when it is dropped.
#[derive(Debug)]
struct Lease {
    under_way: Arc<Mutex<HashSet<String>>>,
    id: String,
}

impl Lease {
    fn take(under_way: &Arc<Mutex<HashSet<String>>>, id: &str) -> Option<Self> {
        // A set of names stays whole whoever broke off while holding it.
        let first = under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        first.then(|| Self { under_way: Arc::clone(under_way), id: id.to_owned() })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
