//! Run directories: `<state>/runs/<run-id>/`, with `run.json` and `spec.yaml` in each.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Codec, Manifest, RunFile, RunSummary, State, SubmittedSpec, file, reserve};
use crate::{clock::UnixMicros, id::RunId, results};

/// Prefix of a directory that is being removed.
const DELETED: &str = ".deleted-";

/// An operation on a run's directory that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct StoreError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Adds the operation and the path, for `map_err`.
fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError { action, path: path.to_owned(), source }
}

/// The store of all run directories.
#[derive(Debug, Clone)]
pub struct Store {
    runs: PathBuf,
    codec: Arc<dyn Codec>,
}

/// The directory of one run.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
    codec: Arc<dyn Codec>,
}

impl Store {
    /// The store below `state`, which is created if it is missing. `codec` converts its messages.
    ///
    /// # Errors
    /// A directory that can't be created.
    pub fn open(state: &Path, codec: Arc<dyn Codec>) -> Result<Self, StoreError> {
        let runs = state.join("runs");
        fs::create_dir_all(&runs).map_err(failed("create", &runs))?;
        Ok(Self { runs, codec })
    }

    /// The run's directory, whether it exists or not.
    pub fn directory(&self, run: &RunId) -> RunDirectory {
        RunDirectory { path: self.runs.join(run.as_str()), codec: Arc::clone(&self.codec) }
    }

    /// Creates the directory of a run, with its spec and its state.
    ///
    /// # Errors
    /// A file that can't be written. Then nothing is left.
    pub fn create(&self, file: &RunFile, spec: &SubmittedSpec) -> Result<RunDirectory, StoreError> {
        let directory = self.directory(&file.run_id);
        fs::create_dir(&directory.path).map_err(failed("create", &directory.path))?;
        let written = directory.replace("spec.yaml", self.codec.write_spec(spec).as_bytes());
        match written.and_then(|()| directory.save(file)) {
            Ok(()) => {
                reserve::allocate(&directory.path);
                Ok(directory)
            }
            Err(error) => {
                // The first error is returned.
                let _left_behind = fs::remove_dir_all(&directory.path);
                Err(error)
            }
        }
    }

    /// Every run whose state can be read, oldest first. Unreadable ones are logged and left alone.
    ///
    /// # Errors
    /// When the directory itself can't be listed.
    pub fn load(&self) -> Result<Vec<RunFile>, StoreError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.runs).map_err(failed("list", &self.runs))? {
            let path = entry.map_err(failed("list", &self.runs))?.path();
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(DELETED.as_bytes())) {
                // Its removal was interrupted; a failure now is tried again at the next start.
                let _left_behind = fs::remove_dir_all(&path);
                continue;
            }
            match read_run_file(&path) {
                Ok(file) => files.push(file),
                Err(reason) => log::warn!("skipped {}: {reason}", path.display()),
            }
        }
        files.sort_by(|a: &RunFile, b| a.run_id.cmp(&b.run_id));
        Ok(files)
    }

    /// Removes a run's directory.
    ///
    /// # Errors
    /// A file that can't be removed.
    pub fn remove(&self, run: &RunId) -> Result<(), StoreError> {
        let path = self.directory(run).path;
        // Renamed first, so that a crash in the middle leaves no partial run.
        let removed = path.with_file_name(format!("{DELETED}{run}"));
        fs::rename(&path, &removed).map_err(failed("remove", &path))?;
        fs::remove_dir_all(&removed).map_err(failed("remove", &removed))
    }
}

/// Why a directory is not a run of this program.
#[derive(Debug, thiserror::Error)]
enum NotARun {
    #[error("its name is not a run id")]
    Name,
    #[error("cannot read run.json: {0}")]
    Read(#[source] io::Error),
    #[error("run.json is damaged: {0}")]
    Damaged(#[source] serde_json::Error),
    #[error("unknown version {0} of run.json")]
    Version(u32),
    #[error("run.json is that of {0}")]
    OtherRun(RunId),
}

fn read_run_file(path: &Path) -> Result<RunFile, NotARun> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let id: RunId = name.parse().map_err(|_| NotARun::Name)?;
    let text = fs::read_to_string(path.join("run.json")).map_err(NotARun::Read)?;
    let file: RunFile = serde_json::from_str(&text).map_err(NotARun::Damaged)?;
    match file {
        RunFile { version, .. } if version != file::VERSION => Err(NotARun::Version(version)),
        RunFile { run_id, .. } if run_id != id => Err(NotARun::OtherRun(run_id)),
        file => Ok(file),
    }
}

impl RunDirectory {
    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Saves the run's state; a crash leaves either the old or the new one.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn save(&self, file: &RunFile) -> Result<(), StoreError> {
        let text = serde_json::to_string_pretty(file).map_err(io::Error::from);
        let text = text.map_err(failed("write", &self.path.join("run.json")))?;
        self.replace("run.json", text.as_bytes())?;
        if file.state.is_terminal() {
            reserve::release(&self.path);
        }
        Ok(())
    }

    /// The file of the settings backup.
    pub fn settings_backup(&self) -> PathBuf {
        self.path.join(results::SETTINGS_BACKUP)
    }

    /// The spec as it was submitted.
    ///
    /// # Errors
    /// A spec that can't be read.
    pub fn spec(&self) -> Result<SubmittedSpec, StoreError> {
        let path = self.path.join("spec.yaml");
        let text = fs::read_to_string(&path).map_err(failed("read", &path))?;
        let spec = self.codec.read_spec(&text).map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault));
        spec.map_err(failed("read", &path))
    }

    /// Writes the summary, replacing an earlier one.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn save_summary(&self, summary: &RunSummary) -> Result<(), StoreError> {
        self.replace("summary.json", self.codec.write_summary(summary).as_bytes())
    }

    /// Writes the manifest of the present files; `state` is the run's final one.
    ///
    /// # Errors
    /// A file that can't be read, or a manifest that can't be written.
    pub fn seal(&self, run: &RunId, state: State, now: UnixMicros) -> Result<Manifest, StoreError> {
        let files = results::inventory(&self.path).map_err(io::Error::other);
        let files = files.map_err(failed("check", &self.path))?;
        let manifest = Manifest { run_id: run.clone(), state, written: now, files };
        self.replace(results::MANIFEST, self.codec.write_manifest(&manifest).as_bytes())?;
        Ok(manifest)
    }

    /// The text of the summary as it was written; absent when there is none.
    pub fn summary(&self) -> Option<String> {
        fs::read_to_string(self.path.join("summary.json")).ok()
    }

    /// Replaces a file whole, durably: a crash leaves either the old or the new content. On a full disk the reserved space is
    /// released first.
    fn replace(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let path = self.path.join(name);
        let replace = || {
            let mut file = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(&self.path)?;
            file.write_all(content)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            fs::File::open(&self.path)?.sync_all()
        };
        let replaced = match replace() {
            Err(error) if reserve::is_full(&error) && reserve::release(&self.path) => replace(),
            replaced => replaced,
        };
        replaced.map_err(failed("write", &path))
    }
}

#[cfg(test)]
mod tests;
