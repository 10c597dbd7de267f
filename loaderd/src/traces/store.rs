//! The store of uploaded traces: limits, uploads, expiry.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    error::{DeleteError, UploadError},
    index::{self, Entry, Index, Most, Shortage, Stage},
    manifest::{self, Manifest},
    place::{Place, Root, lock, remove, touch},
    upload::Upload,
};
use crate::clock::UnixMicros;

/// How long an upload is kept that was cut off, where complete traces are kept longer.
const CUT_OFF_KEPT: Duration = Duration::from_hours(24);

/// What the store accepts.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most bytes of one trace, over all its files.
    pub max_bytes: u64,
    /// Most bytes of all traces.
    pub max_total_bytes: u64,
    /// Most bytes of the traces that one client began to upload.
    pub max_client_bytes: u64,
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
    root: Root,
    limits: watch::Sender<Limits>,
    index: Arc<Mutex<Index>>,
}

/// A trace, or an upload of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTrace {
    /// The trace's id.
    pub id: String,
    /// How far it has come.
    pub stage: Stage,
    /// Who began to upload it; empty where that is not known.
    pub client: String,
    /// Bytes on disk; of an upload under way those that were announced.
    pub bytes: u64,
    /// When it was last written, or named by a spec.
    pub used: UnixMicros,
    /// When it is removed, unless a run that has not ended names it; absent where traces are kept forever.
    pub expires: Option<UnixMicros>,
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
        let index = Arc::new(Mutex::new(Index::read(root)));
        Ok(Self { root: Root(root.to_owned()), limits, index })
    }

    /// Accepts other traces from now on; those that are stored stay.
    pub fn set_limits(&self, limits: Limits) {
        self.limits.send_replace(limits);
    }

    /// The directory of a complete trace.
    pub fn path_of(&self, id: &str) -> Option<PathBuf> {
        let path = manifest::is_hash(id).then(|| self.root.complete(id))?;
        fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()).then_some(path)
    }

    /// The directory of a complete trace that a spec names, which keeps it from expiring.
    pub fn named(&self, id: &str) -> Option<PathBuf> {
        let path = self.path_of(id)?;
        touch(&path);
        let used = fs::metadata(&path).map(|metadata| index::written(&metadata));
        if let (Some(entry), Ok(used)) = (lock(&self.index).entries.get_mut(id), used) {
            entry.used = used;
        }
        Some(path)
    }

    /// Begins or resumes the upload of a trace by `client`. Uploads that were cut off make room for it, the oldest first.
    ///
    /// # Errors
    /// A trace above the limits, and directories that can't be made.
    pub fn begin(&self, manifest: Manifest, client: &str) -> Result<Begun, UploadError> {
        let limits = *self.limits.borrow();
        let (bytes, most) = (manifest.size(), limits.max_bytes);
        if bytes > most {
            return Err(UploadError::TooLarge { bytes, most });
        }
        if self.named(manifest.id()).is_some() {
            return Ok(Begun::Stored);
        }
        let mut index = lock(&self.index);
        let name = index.name_for(manifest.id(), client);
        while let Some(shortage) = index.shortage(&name, client, bytes, limits.most()) {
            let victim = index.victim(&name, client, shortage).ok_or_else(|| limits.exceeded(shortage, client))?;
            remove(&self.root, &mut index, &victim, &self.root.partial(&victim));
            if index.entries.contains_key(&victim) {
                return Err(limits.exceeded(shortage, client));
            }
        }
        let path = self.root.client(&name);
        fs::write(&path, client).map_err(|source| UploadError::Io { path, source })?;
        let partial = self.root.partial(&name);
        let made = fs::create_dir_all(&partial).and_then(|()| fs::metadata(&partial));
        let used = made.map(|metadata| index::written(&metadata));
        let used = used.map_err(|source| UploadError::Io { path: partial, source })?;
        index.entries.insert(name.clone(), Entry { stage: Stage::UnderWay, client: client.to_owned(), bytes, used });
        drop(index);
        let place = Place { root: self.root.clone(), index: Arc::clone(&self.index), name };
        Upload::begin(manifest, place).map(Begun::Missing)
    }

    /// All traces and uploads, by id.
    pub fn list(&self) -> Vec<StoredTrace> {
        let limits = *self.limits.borrow();
        let index = lock(&self.index);
        let listed = index.entries.iter().filter_map(|(name, Entry { stage, client, bytes, used })| {
            let kept = limits.kept(*stage);
            Some(StoredTrace {
                id: index::id_of(name)?.to_owned(),
                stage: *stage,
                client: client.clone(),
                bytes: *bytes,
                used: *used,
                expires: kept.map(|kept| used.plus(kept)),
            })
        });
        listed.collect()
    }

    /// Removes a trace, and uploads of it that were cut off. That no run needs it is for the caller to know.
    ///
    /// # Errors
    /// A trace that is not stored, or that a client is sending.
    pub fn delete(&self, id: &str) -> Result<(), DeleteError> {
        let mut index = lock(&self.index);
        let of_trace = index.entries.iter().filter(|(name, _)| index::id_of(name) == Some(id));
        let (under_way, idle): (Vec<_>, Vec<_>) =
            of_trace.map(|(name, entry)| (name.clone(), entry.stage)).partition(|(_, stage)| *stage == Stage::UnderWay);
        if idle.is_empty() {
            return Err(if under_way.is_empty() {
                DeleteError::NotFound(id.to_owned())
            } else {
                DeleteError::UnderWay
            });
        }
        for (name, stage) in idle {
            self.remove(&mut index, &name, stage);
            if index.entries.contains_key(&name) {
                return Err(DeleteError::NotRemoved);
            }
        }
        Ok(())
    }

    fn remove(&self, index: &mut Index, name: &str, stage: Stage) {
        if stage != Stage::Complete {
            return remove(&self.root, index, name, &self.root.partial(name));
        }
        // Out of sight first: no half of it is ever read. What a crash leaves there counts as cut off, and expires.
        let hidden = self.root.partial(&format!("{name}.0"));
        if let Err(error) = fs::rename(self.root.complete(name), &hidden) {
            log::warn!("the trace {name} cannot be removed: {error}");
            return;
        }
        remove(&self.root, index, name, &hidden);
    }

    /// Removes traces that no spec has named for long, except those `in_use` and those under way.
    pub fn expire(&self, in_use: &HashSet<String>, now: UnixMicros) {
        let limits = *self.limits.borrow();
        let mut index = lock(&self.index);
        let old = index.entries.iter().filter(|(name, entry)| {
            let is_old = limits.kept(entry.stage).is_some_and(|kept| entry.used.plus(kept) < now);
            is_old && entry.stage != Stage::UnderWay && index::id_of(name).is_some_and(|id| !in_use.contains(id))
        });
        let old: Vec<_> = old.map(|(name, entry)| (name.clone(), entry.stage)).collect();
        for (name, stage) in old {
            self.remove(&mut index, &name, stage);
            if !index.entries.contains_key(&name) {
                log::info!("the trace {name} has expired");
            }
        }
    }
}

impl Limits {
    const fn most(&self) -> Most {
        Most {
            count: self.max_count,
            bytes: self.max_total_bytes,
            count_of_client: self.max_per_client,
            bytes_of_client: self.max_client_bytes,
        }
    }

    /// How long a trace is kept that nobody uses.
    fn kept(&self, stage: Stage) -> Option<Duration> {
        match stage {
            Stage::Complete => self.expire,
            Stage::UnderWay | Stage::CutOff => Some(self.expire.map_or(CUT_OFF_KEPT, |it| it.min(CUT_OFF_KEPT))),
        }
    }

    fn exceeded(&self, shortage: Shortage, client: &str) -> UploadError {
        let client = client.to_owned();
        match shortage {
            Shortage::Count => UploadError::TooMany { most: self.max_count },
            Shortage::Bytes => UploadError::Full { most: self.max_total_bytes },
            Shortage::CountOfClient => UploadError::TooManyOfClient { client, most: self.max_per_client },
            Shortage::BytesOfClient => UploadError::FullOfClient { client, most: self.max_client_bytes },
        }
    }
}
