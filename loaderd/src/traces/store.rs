//! The store of uploaded traces: limits, uploads, expiry.

use std::{
    collections::HashSet,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::sys::{stat::futimens, time::TimeSpec};
use tokio::sync::watch;

use super::{
    error::UploadError,
    lease::Lease,
    manifest::{self, Manifest},
    upload::Upload,
};
use crate::clock::UnixMicros;

/// What the store accepts.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most bytes of one trace, over all its files.
    pub max_bytes: u64,
    /// Most traces, complete or not.
    pub max_count: usize,
    /// Most traces that one client began to upload.
    pub max_per_client: usize,
    /// How long a trace is kept that no run names.
    pub expire: Option<Duration>,
}

/// The uploaded traces of a daemon. Clones are the same store.
#[derive(Debug, Clone)]
pub struct TraceStore {
    root: PathBuf,
    limits: watch::Sender<Limits>,
    /// Uploads begin one after the other, so that they are counted right.
    beginning: Arc<Mutex<()>>,
    under_way: Arc<Mutex<HashSet<String>>>,
}

/// The outcome of [`TraceStore::begin`].
#[derive(Debug)]
pub enum Begun {
    /// The trace is already stored.
    Stored,
    /// Bytes are missing, which this upload receives.
    Missing(Upload),
}

impl TraceStore {
    /// Opens the store in `root`, and makes the directory where it is missing.
    ///
    /// # Errors
    /// A directory that can't be made.
    pub fn open(root: &Path, limits: Limits) -> Result<Self, UploadError> {
        for path in [root.join("partial"), root.join("clients")] {
            fs::create_dir_all(&path).map_err(|source| UploadError::Io { path, source })?;
        }
        let (limits, _) = watch::channel(limits);
        Ok(Self { root: root.to_owned(), limits, beginning: Arc::default(), under_way: Arc::default() })
    }

    /// Accepts other traces from now on; those that are stored stay.
    pub fn set_limits(&self, limits: Limits) {
        self.limits.send_replace(limits);
    }

    /// The directory of a complete trace.
    pub fn path_of(&self, id: &str) -> Option<PathBuf> {
        let path = manifest::is_hash(id).then(|| self.root.join(id))?;
        fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()).then_some(path)
    }

    /// Begins or resumes the upload of a trace by `client`.
    ///
    /// # Errors
    /// A trace above the limits, one that another client is sending, and directories that can't be made.
    pub fn begin(&self, manifest: Manifest, client: &str) -> Result<Begun, UploadError> {
        let limits = *self.limits.borrow();
        let (bytes, most) = (manifest.size(), limits.max_bytes);
        if bytes > most {
            return Err(UploadError::TooLarge { bytes, most });
        }
        let lease = Lease::take(&self.under_way, manifest.id()).ok_or(UploadError::UnderWay)?;
        if let Some(path) = self.path_of(manifest.id()) {
            touch(&path);
            return Ok(Begun::Stored);
        }
        // It guards nothing that could be left half done.
        let _one_by_one = self.beginning.lock().unwrap_or_else(PoisonError::into_inner);
        let ids: Vec<_> = self.ages().into_iter().map(|(_, id, _)| id).collect();
        // An upload that was cut off can resume.
        if !ids.iter().any(|id| id == manifest.id()) {
            if ids.len() >= limits.max_count {
                return Err(UploadError::TooMany { most: limits.max_count });
            }
            if ids.iter().filter(|id| self.client_of(id).as_deref() == Some(client)).count() >= limits.max_per_client {
                return Err(UploadError::TooManyOfClient { client: client.to_owned(), most: limits.max_per_client });
            }
            let path = self.root.join("clients").join(manifest.id());
            fs::write(&path, client).map_err(|source| UploadError::Io { path, source })?;
        }
        let partial = self.root.join("partial").join(manifest.id());
        let complete = self.root.join(manifest.id());
        Upload::begin(manifest, partial, complete, lease).map(Begun::Missing)
    }

    /// Who began to upload a trace, if that is known.
    pub(super) fn client_of(&self, id: &str) -> Option<String> {
        fs::read_to_string(self.root.join("clients").join(id)).ok()
    }

    /// Each trace, complete or not, with its id and when it was last written or named, in seconds.
    pub(super) fn ages(&self) -> Vec<(PathBuf, String, i64)> {
        let of = |root: &Path| {
            let entries = fs::read_dir(root).into_iter().flatten().flatten();
            entries.filter_map(|entry| {
                let id = entry.file_name().into_string().ok().filter(|id| manifest::is_hash(id))?;
                Some((entry.path(), id, entry.metadata().ok()?.mtime()))
            })
        };
        of(&self.root).chain(of(&self.root.join("partial"))).collect()
    }

    /// Removes traces that no spec has named for long, except those `in_use` and those under way.
    pub fn expire(&self, in_use: &HashSet<String>, now: UnixMicros) {
        let Some(expire) = self.limits.borrow().expire else { return };
        for (path, id, used) in self.ages() {
            let old = UnixMicros(used.saturating_mul(1_000_000)).plus(expire) < now;
            if !old || in_use.contains(&id) {
                continue;
            }
            let Some(_lease) = Lease::take(&self.under_way, &id) else { continue };
            match fs::remove_dir_all(&path) {
                Ok(()) => {
                    // Without its trace it does not count.
                    let _left = fs::remove_file(self.root.join("clients").join(&id));
                    log::info!("the trace {id} has expired");
                }
                Err(error) => log::warn!("{} has expired and cannot be removed: {error}", path.display()),
            }
        }
    }
}

/// Records that a trace was named. Where that fails, it expires sooner.
fn touch(path: &Path) {
    if let Ok(directory) = fs::File::open(path) {
        let _unnoted = futimens(&directory, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW);
    }
}
