//! The files of a run's directory whose format is defined by the API, and the interface that converts them.

use std::sync::Arc;

use loader_report::{expectation::Judged, indicator::Figures};

use super::State;
use crate::{clock::UnixMicros, id::RunId, plan::Request, record::Summary, results::ManifestFile, spec::Violation};

/// A spec as it was submitted.
#[derive(Debug, Clone)]
pub struct SubmittedSpec {
    /// The API's message, encoded: opaque to all but the edge, which made it and returns it. Specs with the same bytes are equal.
    pub message: Vec<u8>,
    /// The id of the uploaded trace that it names.
    pub upload: Option<String>,
    /// The run that it requests with this daemon's defaults; or every fault, by field.
    pub checked: Result<Arc<Request>, Vec<Violation>>,
}

/// The results of a run.
#[derive(Debug)]
pub struct RunSummary {
    /// The id of the run.
    pub run_id: RunId,
    /// The name of the run, from its spec.
    pub name: String,
    /// The mode of the run.
    pub mode: String,
    /// The name of the platform.
    pub platform: String,
    /// The state in which the run ended.
    pub state: State,
    /// Why it did not succeed; empty when it did.
    pub reason: String,
    /// The results of its load.
    pub load: Summary,
    /// The expectations of its spec, in their order.
    pub expectations: Vec<Judged>,
}

/// The files that a run left, sealed: written last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The id of the run.
    pub run_id: RunId,
    /// The state in which the run ended.
    pub state: State,
    /// When the manifest was written.
    pub written: UnixMicros,
    /// The files, in order of their names.
    pub files: Vec<ManifestFile>,
}

/// A stored spec that can't be parsed.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {description}")]
pub struct UnreadableSpec {
    /// The first field that is wrong; empty for the whole text.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// Converts stored files to and from text.
pub trait Codec: std::fmt::Debug + Send + Sync {
    /// A spec, from the text of spec.yaml.
    ///
    /// # Errors
    /// The first fault of a text that is not a spec. An invalid spec can be read, see [`SubmittedSpec::checked`].
    fn read_spec(&self, text: &str) -> Result<SubmittedSpec, UnreadableSpec>;

    /// The text of spec.yaml.
    fn write_spec(&self, spec: &SubmittedSpec) -> String;

    /// The text of summary.json.
    fn write_summary(&self, summary: &RunSummary) -> String;

    /// The figures of a load by their paths in summary.json.
    fn figures(&self, load: &Summary) -> Figures;

    /// The text of manifest.json.
    fn write_manifest(&self, manifest: &Manifest) -> String;
}
