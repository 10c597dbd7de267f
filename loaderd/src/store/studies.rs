//! Directories of studies: `<state>/studies/<study-id>/`, with `study.yaml` and `study.json` in each.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Codec, StudyFile, SubmittedStudy,
    files::{self, DELETED, StoreError, failed},
    reserve,
    study_file::VERSION,
};
use crate::id::StudyId;

/// Largest study.json that is read, in bytes: that of a study with 10 000 runs, each made many times.
const MAX_STUDY_FILE: u64 = 256 << 20;

/// Largest study.yaml that is read, in bytes.
const MAX_SPEC_FILE: u64 = 4 << 20;

/// Space that is reserved for a study, for each of its runs, in bytes: study.json is written anew beside the old one.
const RESERVE: (i64, i64) = (256 << 10, 512);

/// The store of all directories of studies.
#[derive(Debug, Clone)]
pub struct StudyStore {
    studies: PathBuf,
    codec: Arc<dyn Codec>,
}

impl StudyStore {
    /// The store below `state`, which is created if it is missing. `codec` converts its messages.
    ///
    /// # Errors
    /// A directory that can't be created.
    pub fn open(state: &Path, codec: Arc<dyn Codec>) -> Result<Self, StoreError> {
        let studies = state.join("studies");
        fs::create_dir_all(&studies).map_err(failed("create", &studies))?;
        Ok(Self { studies, codec })
    }

    /// How messages are converted.
    pub fn codec(&self) -> &dyn Codec {
        &*self.codec
    }

    /// The path of a study's directory, whether it exists or not.
    pub fn directory(&self, study: &StudyId) -> PathBuf {
        self.studies.join(study.as_str())
    }

    /// Creates the directory of a study.
    ///
    /// # Errors
    /// A file that can't be written. Then nothing is left.
    pub fn create(&self, file: &StudyFile, study: &SubmittedStudy) -> Result<(), StoreError> {
        let path = self.directory(&file.study_id);
        fs::create_dir(&path).map_err(failed("create", &path))?;
        let written = files::replace(&path, "study.yaml", self.codec.write_study(study).as_bytes());
        let (fixed, of_run) = RESERVE;
        let runs = i64::try_from(file.runs.len()).unwrap_or(i64::MAX);
        let bytes = runs.saturating_mul(of_run).saturating_add(fixed);
        let reserve = || reserve::allocate(&path, bytes).map_err(failed("reserve space in", &path));
        let written = written.and_then(|()| self.save(file)).and_then(|()| reserve());
        if written.is_err() {
            // The first error is returned.
            let _left_behind = fs::remove_dir_all(&path);
        }
        written
    }

    /// Saves a study's state; a crash leaves either the old or the new one.
    ///
    /// # Errors
    /// A file that can't be written. Also where it could be written only with the space that is reserved for the study's end, which is to
    /// follow: it is saved then.
    pub fn save(&self, file: &StudyFile) -> Result<(), StoreError> {
        let path = self.directory(&file.study_id);
        let text = serde_json::to_string_pretty(file).map_err(io::Error::from);
        let text = text.map_err(failed("write", &path.join("study.json")))?;
        let had_reserve = reserve::is_there(&path);
        files::replace(&path, "study.json", text.as_bytes())?;
        if file.state.is_terminal() {
            reserve::release(&path);
        } else if had_reserve && !reserve::is_there(&path) {
            let full =
                io::Error::new(io::ErrorKind::StorageFull, "no space left but what was kept for the study's end");
            return Err(failed("carry the study out further in", &path)(full));
        }
        Ok(())
    }

    /// Writes a file of results, replacing an earlier one.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn save_result(&self, study: &StudyId, name: &str, content: &[u8]) -> Result<(), StoreError> {
        files::replace(&self.directory(study), name, content)
    }

    /// The study as it was submitted.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn study(&self, study: &StudyId) -> Result<SubmittedStudy, StoreError> {
        let path = self.directory(study).join("study.yaml");
        let text = files::read_regular(&path, MAX_SPEC_FILE).map_err(failed("read", &path))?;
        let study = self.codec.read_study(&text).map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault));
        study.map_err(failed("read", &path))
    }

    /// Every study whose state can be read, oldest first. Others are logged and left alone, but for those whose creation was interrupted:
    /// nobody was told of them, and they are removed.
    ///
    /// # Errors
    /// When the directory itself can't be listed.
    pub fn load(&self) -> Result<Vec<StudyFile>, StoreError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.studies).map_err(failed("list", &self.studies))? {
            let path = entry.map_err(failed("list", &self.studies))?.path();
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(DELETED.as_bytes())) {
                // Its removal was interrupted; a failure now is tried again at the next start.
                let _left_behind = fs::remove_dir_all(&path);
                continue;
            }
            match read(&path) {
                Ok(file) => found.push(file),
                Err(_) if is_half_made(&path) => {
                    log::info!("removed a study whose creation was interrupted: {}", path.display());
                    // A failure now is tried again at the next start.
                    let _left_behind = fs::remove_dir_all(&path);
                }
                Err(reason) => log::warn!("skipped {}: {reason}", path.display()),
            }
        }
        found.sort_by(|a: &StudyFile, b| a.study_id.cmp(&b.study_id));
        Ok(found)
    }

    /// Removes a study's directory.
    ///
    /// # Errors
    /// A file that can't be removed.
    pub fn remove(&self, study: &StudyId) -> Result<(), StoreError> {
        files::remove(&self.directory(study))
    }
}

/// Why a directory is not a study of this program.
#[derive(Debug, thiserror::Error)]
enum NotAStudy {
    #[error("its name is not the id of a study")]
    Name,
    #[error("it is not a directory")]
    NoDirectory,
    #[error("cannot read study.json: {0}")]
    Read(#[source] io::Error),
    #[error("study.json is damaged: {0}")]
    Damaged(#[source] serde_json::Error),
    #[error("study.json has version {0}, which this loaderd does not know: upgrade loaderd")]
    Version(u32),
    #[error("study.json is that of {0}")]
    OtherStudy(StudyId),
}

/// What each version of study.json has.
#[derive(serde::Deserialize)]
struct Versioned {
    version: u32,
}

fn read(path: &Path) -> Result<StudyFile, NotAStudy> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let id: StudyId = name.parse().map_err(|_| NotAStudy::Name)?;
    if !fs::symlink_metadata(path).map_err(NotAStudy::Read)?.is_dir() {
        return Err(NotAStudy::NoDirectory);
    }
    let text = files::read_regular(&path.join("study.json"), MAX_STUDY_FILE).map_err(NotAStudy::Read)?;
    let Versioned { version } = serde_json::from_str(&text).map_err(NotAStudy::Damaged)?;
    if version != VERSION {
        return Err(NotAStudy::Version(version));
    }
    let file: StudyFile = serde_json::from_str(&text).map_err(NotAStudy::Damaged)?;
    if file.study_id == id { Ok(file) } else { Err(NotAStudy::OtherStudy(file.study_id)) }
}

/// Whether a directory is that of a study whose creation was interrupted: it has nothing that is written later than its spec.
fn is_half_made(path: &Path) -> bool {
    let is_study = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.parse::<StudyId>().is_ok());
    let is_directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let is_early = |entry: fs::DirEntry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name == "study.yaml" || (name.starts_with('.') && name.ends_with(".tmp")))
    };
    is_study && is_directory && fs::read_dir(path).is_ok_and(|mut entries| entries.all(|it| it.is_ok_and(is_early)))
}

#[cfg(test)]
mod tests;
