//! The state directory: its lock, and the files of each run.
//!
//! ```text
//! <state>/lock, version       one daemon at a time, one layout ([`StateDirectory`])
//! <state>/studies/<study-id>/ study.json, study.yaml, next to its results ([`StudyStore`])
//! <state>/runs/<run-id>/      run.json, spec.yaml, summary.json, manifest.json, next to the records ([`Store`])
//! ```
//! Every file is replaced whole and durably: a crash leaves either the old or the new one. What the API's messages look like
//! in files is the edge's business, which hands in a [`Codec`].

mod codec;
mod file;
mod files;
mod reserve;
mod retention;
mod runs;
mod state;
mod state_directory;
mod studies;
mod study_file;

pub use codec::{Codec, Manifest, Reading, RunSummary, SubmittedSpec, SubmittedStudy, UnreadableSpec};
pub use file::RunFile;
pub use files::StoreError;
pub(crate) use retention::EndedRun;
pub use retention::Retention;
pub use runs::{RunDirectory, Store};
pub use state::State;
pub use state_directory::{StateDirectory, StateDirectoryError};
pub use studies::StudyStore;
pub use study_file::{ClientStages, StudyFile, StudyPlace, StudyState};
