//! What a run's directory keeps that has a form outside of this program, and the seam by which it gets that form.

use std::sync::Arc;

use super::State;
use crate::{clock::UnixMicros, id::RunId, plan::Request, record::Summary, results::ManifestFile, spec::Violation};

/// A spec as it was submitted.
#[derive(Debug, Clone)]
pub struct SubmittedSpec {
    /// The API's message, encoded: opaque to all but the edge, which made it and shows it again. Specs with the same bytes are the
    /// same.
    pub message: Vec<u8>,
    /// The id of the uploaded trace that it names.
    pub upload: Option<String>,
    /// What it asks for with this daemon's defaults; or every fault, by field.
    pub checked: Result<Arc<Request>, Vec<Violation>>,
}

/// What came out of a run.
#[derive(Debug)]
pub struct RunSummary {
    /// The run.
    pub run_id: RunId,
    /// The spec's name.
    pub name: String,
    /// The mode.
    pub mode: String,
    /// The platform.
    pub platform: String,
    /// How it ended.
    pub state: State,
    /// Why, where it did not succeed.
    pub reason: String,
    /// What came out of its load.
    pub load: Summary,
}

/// What a run left, sealed: written last, over everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The run.
    pub run_id: RunId,
    /// How it ended.
    pub state: State,
    /// When the manifest was written.
    pub written: UnixMicros,
    /// The files, in order of their names.
    pub files: Vec<ManifestFile>,
}

/// A stored spec that is none.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {description}")]
pub struct UnreadableSpec {
    /// The first field that is wrong; empty for the whole text.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// The forms of what is kept, as text.
pub trait Codec: std::fmt::Debug + Send + Sync {
    /// A spec, from the text of spec.yaml.
    ///
    /// # Errors
    /// The first fault of a text that is no spec. One that asks for what can't be is readable, see [`SubmittedSpec::checked`].
    fn read_spec(&self, text: &str) -> Result<SubmittedSpec, UnreadableSpec>;

    /// The text of spec.yaml.
    fn write_spec(&self, spec: &SubmittedSpec) -> String;

    /// The text of summary.json.
    fn write_summary(&self, summary: &RunSummary) -> String;

    /// The text of manifest.json.
    fn write_manifest(&self, manifest: &Manifest) -> String;
}
