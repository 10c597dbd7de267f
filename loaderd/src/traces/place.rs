//! The place of an upload in the store, from its beginning until it is complete or cut off.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nix::sys::{stat::futimens, time::TimeSpec};

use super::index::{self, Entry, Index, Stage};

/// The directories of the store.
#[derive(Debug, Clone)]
pub(super) struct Root(pub(super) PathBuf);

impl Root {
    pub(super) fn complete(&self, id: &str) -> PathBuf {
        self.0.join(id)
    }

    pub(super) fn partial(&self, name: &str) -> PathBuf {
        self.0.join("partial").join(name)
    }

    pub(super) fn client(&self, name: &str) -> PathBuf {
        self.0.join("clients").join(name)
    }
}

/// Locks the index. Each change of it is whole.
pub(super) fn lock(index: &Mutex<Index>) -> MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of an upload under way. Dropped before it is complete, it is cut off; where nothing has arrived, nothing is left of it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) root: Root,
    pub(super) index: Arc<Mutex<Index>>,
    pub(super) name: String,
}

impl Place {
    /// Where the files go.
    pub(super) fn directory(&self) -> PathBuf {
        self.root.partial(&self.name)
    }

    /// Makes the directory the trace. Another upload of the same trace may have come first: then this one is removed.
    ///
    /// # Errors
    /// A directory that can't be moved.
    pub(super) fn complete(self, id: &str) -> Result<(), (PathBuf, io::Error)> {
        let mut index = lock(&self.index);
        let to = self.root.complete(id);
        if index.is_complete(id) {
            drop(index);
            self.forget();
            return Ok(());
        }
        fs::rename(self.directory(), &to).map_err(|source| (to.clone(), source))?;
        // Without it the trace is nobody's.
        let _unknown = fs::rename(self.root.client(&self.name), self.root.client(id));
        if let Some(entry) = index.entries.remove(&self.name) {
            let used = fs::metadata(&to).map_or(entry.used, |metadata| index::written(&metadata));
            let bytes = index::size(&to);
            index.entries.insert(id.to_owned(), Entry { stage: Stage::Complete, bytes, used, ..entry });
        }
        Ok(())
    }

    /// Removes what has arrived.
    fn forget(&self) {
        remove(&self.root, &mut lock(&self.index), &self.name, &self.directory());
    }
}

/// Removes a directory and what is known of it.
pub(super) fn remove(root: &Root, index: &mut Index, name: &str, directory: &Path) {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!("{} cannot be removed: {error}", directory.display());
        }
        Ok(()) | Err(_) => {
            // Without its trace it does not count.
            let _left = fs::remove_file(root.client(name));
            index.entries.remove(name);
        }
    }
}

/// Records that a trace was named. Where that fails, it expires sooner.
pub(super) fn touch(path: &Path) {
    if let Ok(directory) = fs::File::open(path) {
        let _unnoted = futimens(&directory, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let directory = self.directory();
        if !lock(&self.index).entries.get(&self.name).is_some_and(|entry| entry.stage == Stage::UnderWay) {
            return;
        }
        let bytes = index::size(&directory);
        if bytes == 0 {
            return self.forget();
        }
        // Its files were written, not the directory.
        touch(&directory);
        let used = fs::metadata(&directory).map(|metadata| index::written(&metadata));
        if let Some(entry) = lock(&self.index).entries.get_mut(&self.name) {
            *entry = Entry {
                stage: Stage::CutOff,
                bytes,
                used: used.unwrap_or(entry.used),
                client: std::mem::take(&mut entry.client),
            };
        }
    }
}
