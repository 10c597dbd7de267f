//! Run directories: `<state>/runs/<run-id>/`, with `run.json` and `spec.yaml` in each.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use loader_report::indicator::Figures;

use super::{
    Codec, Manifest, RunFile, RunSummary, State, SubmittedSpec, file,
    files::{self, DELETED, StoreError, failed},
    reserve,
};
use crate::{clock::UnixMicros, id::RunId, record::Summary, results};

/// Largest run.json that is read, in bytes.
const MAX_RUN_FILE: u64 = 1 << 20;

/// Space that is reserved for a run: its state, its manifest, and the summary of some hundred functions, in bytes.
const RESERVE: i64 = 256 << 10;

/// Most runs that are named in one message.
const MAX_NAMED: usize = 100;

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
        let written = files::replace(&directory.path, "spec.yaml", self.codec.write_spec(spec).as_bytes());
        let reserve =
            || reserve::allocate(&directory.path, RESERVE).map_err(failed("reserve space in", &directory.path));
        match written.and_then(|()| directory.save(file)).and_then(|()| reserve()) {
            Ok(()) => Ok(directory),
            Err(error) => {
                // The first error is returned.
                let _left_behind = fs::remove_dir_all(&directory.path);
                Err(error)
            }
        }
    }

    /// Every run whose state can be read, oldest first. Others are logged and left alone, but for runs whose creation was interrupted:
    /// nobody was told of them, and they are removed.
    ///
    /// # Errors
    /// When the directory itself can't be listed.
    pub fn load(&self) -> Result<Vec<RunFile>, StoreError> {
        let (mut files, mut skipped, mut half_made) = (Vec::new(), Vec::new(), 0_u64);
        for entry in fs::read_dir(&self.runs).map_err(failed("list", &self.runs))? {
            let path = entry.map_err(failed("list", &self.runs))?.path();
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(DELETED.as_bytes())) {
                // Its removal was interrupted; a failure now is tried again at the next start.
                let _left_behind = fs::remove_dir_all(&path);
                continue;
            }
            match read_run_file(&path) {
                Ok(file) => files.push(file),
                Err(_) if is_half_made(&path) => {
                    // A failure now is tried again at the next start.
                    let _left_behind = fs::remove_dir_all(&path);
                    half_made += 1;
                }
                Err(reason) => skipped.push(format!("{}: {reason}", path.display())),
            }
        }
        if half_made > 0 {
            log::info!("removed {half_made} runs whose creation was interrupted");
        }
        if !skipped.is_empty() {
            let (count, shown) =
                (skipped.len(), skipped.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join("; "));
            let rest = if count > MAX_NAMED { "; …" } else { "" };
            log::warn!("skipped {count} entries of {}: {shown}{rest}", self.runs.display());
        }
        files.sort_by(|a: &RunFile, b| a.run_id.cmp(&b.run_id));
        Ok(files)
    }

    /// Removes a run's directory.
    ///
    /// # Errors
    /// A file that can't be removed.
    pub fn remove(&self, run: &RunId) -> Result<(), StoreError> {
        files::remove(&self.directory(run).path)
    }
}

/// Why a directory is not a run of this program.
#[derive(Debug, thiserror::Error)]
enum NotARun {
    #[error("its name is not a run id")]
    Name,
    #[error("it is not a directory")]
    NoDirectory,
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
    if !fs::symlink_metadata(path).map_err(NotARun::Read)?.is_dir() {
        return Err(NotARun::NoDirectory);
    }
    let text = files::read_regular(&path.join("run.json"), MAX_RUN_FILE).map_err(NotARun::Read)?;
    let file: RunFile = serde_json::from_str(&text).map_err(NotARun::Damaged)?;
    match file {
        RunFile { version, .. } if version != file::VERSION => Err(NotARun::Version(version)),
        RunFile { run_id, .. } if run_id != id => Err(NotARun::OtherRun(run_id)),
        file => Ok(file),
    }
}

/// Whether a directory is that of a run whose creation was interrupted: it has no run.json yet, and nothing that is written later.
fn is_half_made(path: &Path) -> bool {
    let is_run = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.parse::<RunId>().is_ok());
    let is_directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    is_run && is_directory && fs::read_dir(path).is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(is_early)))
}

/// Whether a file of a run directory is one that its creation writes before run.json.
fn is_early(entry: fs::DirEntry) -> bool {
    let name = entry.file_name();
    let is_temporary = |name: &str| name.starts_with('.') && name.ends_with(".tmp");
    name.to_str().is_some_and(|name| name == "spec.yaml" || is_temporary(name))
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
        files::replace(&self.path, "run.json", text.as_bytes())?;
        if file.state.is_terminal() {
            reserve::release(&self.path);
        }
        Ok(())
    }

    /// The file of the settings backup.
    pub fn settings_backup(&self) -> PathBuf {
        self.path.join(results::SETTINGS_BACKUP)
    }

    /// The file of what disturbances change.
    pub fn disturbances_backup(&self) -> PathBuf {
        self.path.join(results::DISTURBANCES_BACKUP)
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
        files::replace(&self.path, "summary.json", self.codec.write_summary(summary).as_bytes())
    }

    /// Writes the manifest of the present files; `state` is the run's final one.
    ///
    /// # Errors
    /// A file that can't be read, or a manifest that can't be written.
    pub fn seal(&self, run: &RunId, state: State, now: UnixMicros) -> Result<Manifest, StoreError> {
        let files = results::inventory(&self.path).map_err(io::Error::other);
        let files = files.map_err(failed("check", &self.path))?;
        let manifest = Manifest { run_id: run.clone(), state, written: now, files };
        files::replace(&self.path, results::MANIFEST, self.codec.write_manifest(&manifest).as_bytes())?;
        Ok(manifest)
    }

    /// The figures of a load by their paths in summary.json.
    pub fn figures(&self, load: &Summary) -> Figures {
        self.codec.figures(load)
    }

    /// The text of the summary as it was written; absent when there is none.
    pub fn summary(&self) -> Option<String> {
        fs::read_to_string(self.path.join("summary.json")).ok()
    }
}

#[cfg(test)]
mod tests;
