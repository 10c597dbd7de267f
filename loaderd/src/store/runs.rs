//! Run directories: `<state>/runs/<run-id>/`, with `run.json` and `spec.yaml` in each.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Codec, Manifest, RunFile, RunSummary, State, SubmittedSpec, file, reserve};
use crate::{clock::UnixMicros, id::RunId, results};

/// How the name of a directory begins that is being removed.
const DELETED: &str = ".deleted-";

/// What went wrong with a run's directory.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}: {source}", path.display())]
pub struct StoreError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// A way to say what failed, for `map_err`.
fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError { doing, path: path.to_owned(), source }
}

/// All run directories.
#[derive(Debug, Clone)]
pub struct Store {
    runs: PathBuf,
    codec: Arc<dyn Codec>,
}

/// One run's directory.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
    codec: Arc<dyn Codec>,
}

impl Store {
    /// The store below `state`, which is made if it is not there. Messages are written and read as `codec` has them.
    ///
    /// # Errors
    /// A directory that can't be made.
    pub fn open(state: &Path, codec: Arc<dyn Codec>) -> Result<Self, StoreError> {
        let runs = state.join("runs");
        fs::create_dir_all(&runs).map_err(failed("create", &runs))?;
        Ok(Self { runs, codec })
    }

    /// Where the run's directory is, or would be.
    pub fn directory(&self, run: &RunId) -> RunDirectory {
        RunDirectory { path: self.runs.join(run.as_str()), codec: Arc::clone(&self.codec) }
    }

    /// Makes the directory of a run, with its spec and its state.
    ///
    /// # Errors
    /// What can't be written. Nothing is left then.
    pub fn create(&self, file: &RunFile, spec: &SubmittedSpec) -> Result<RunDirectory, StoreError> {
        let directory = self.directory(&file.run_id);
        fs::create_dir(&directory.path).map_err(failed("create", &directory.path))?;
        let written = directory.replace("spec.yaml", self.codec.write_spec(spec).as_bytes());
        match written.and_then(|()| directory.save(file)) {
            Ok(()) => {
                reserve::set_aside(&directory.path);
                Ok(directory)
            }
            Err(error) => {
                // The first error is the one to tell.
                let _left_behind = fs::remove_dir_all(&directory.path);
                Err(error)
            }
        }
    }

    /// Every run whose state can be read, oldest first. What can't be read is left where it is, and logged.
    ///
    /// # Errors
    /// When the directory itself can't be listed.
    pub fn load(&self) -> Result<Vec<RunFile>, StoreError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.runs).map_err(failed("list", &self.runs))? {
            let path = entry.map_err(failed("list", &self.runs))?.path();
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(DELETED.as_bytes())) {
                // Its removal was cut off; what can't be removed now is tried again at the next start.
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
    /// What can't be removed.
    pub fn remove(&self, run: &RunId) -> Result<(), StoreError> {
        let path = self.directory(run).path;
        // Out of sight first, so that a crash in the middle leaves no half run.
        let doomed = path.with_file_name(format!("{DELETED}{run}"));
        fs::rename(&path, &doomed).map_err(failed("remove", &path))?;
        fs::remove_dir_all(&doomed).map_err(failed("remove", &doomed))
    }
}

fn read_run_file(path: &Path) -> Result<RunFile, String> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let id: RunId = name.parse().map_err(|_| "it is not named like a run".to_owned())?;
    let file = path.join("run.json");
    let text = fs::read_to_string(&file).map_err(|error| format!("cannot read run.json: {error}"))?;
    let file: RunFile = serde_json::from_str(&text).map_err(|error| format!("run.json is damaged: {error}"))?;
    match file {
        RunFile { version, .. } if version != file::VERSION => {
            Err(format!("run.json has the unknown version {version}"))
        }
        RunFile { run_id, .. } if run_id != id => Err(format!("run.json is that of {run_id}")),
        file => Ok(file),
    }
}

impl RunDirectory {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Saves the run's state; a crash leaves either the old or the new one.
    ///
    /// # Errors
    /// What can't be written.
    pub fn save(&self, file: &RunFile) -> Result<(), StoreError> {
        let text = serde_json::to_string_pretty(file).map_err(io::Error::from);
        let text = text.map_err(failed("write", &self.path.join("run.json")))?;
        self.replace("run.json", text.as_bytes())?;
        if file.state.is_terminal() {
            reserve::give_back(&self.path);
        }
        Ok(())
    }

    /// Where a run notes settings of the cluster before it changes them.
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

    /// Saves the summary.
    ///
    /// # Errors
    /// What can't be written.
    pub fn save_summary(&self, summary: &RunSummary) -> Result<(), StoreError> {
        self.replace("summary.json", self.codec.write_summary(summary).as_bytes())
    }

    /// Writes the manifest of what is there now; `state` is the run's last.
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

    /// The text of the summary, if there is one: for whoever shows it as it was written.
    pub fn summary(&self) -> Option<String> {
        fs::read_to_string(self.path.join("summary.json")).ok()
    }

    /// Replaces a file whole, durably: a crash leaves either the old or the new content. A full disk is given the room back that
    /// was set aside.
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
            Err(error) if reserve::is_full(&error) && reserve::give_back(&self.path) => replace(),
            replaced => replaced,
        };
        replaced.map_err(failed("write", &path))
    }
}

#[cfg(test)]
mod tests;
