//! The state directory: whose it is, and what it keeps of each run.
//!
//! ```text
//! <state>/lock, version       one daemon at a time, one layout ([`Home`])
//! <state>/runs/<run-id>/      run.json, spec.yaml, summary.json, manifest.json, beside the records ([`Store`])
//! ```
//! Every file is replaced whole and durably: a crash leaves either the old or the new one. What the API's messages look like
//! in files is the edge's business, which hands in a [`Codec`].

mod codec;
mod file;
mod home;
mod reserve;
mod retention;
mod runs;
mod state;

pub use codec::{Codec, Manifest, RunSummary, SubmittedSpec, UnreadableSpec};
pub use file::RunFile;
pub use home::{Home, HomeError};
pub(crate) use retention::EndedRun;
pub use retention::Retention;
pub use runs::{RunDirectory, Store, StoreError};
pub use state::State;
