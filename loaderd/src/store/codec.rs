//! The files of a run's directory whose format is defined by the API, and the interface that converts them.

use std::{collections::BTreeSet, sync::Arc};

use loader_report::{expectation::Judged, indicator::Figures};

use super::State;
use crate::{
    clock::UnixMicros,
    id::RunId,
    plan::Request,
    record::Summary,
    results::ManifestFile,
    spec::Violation,
    study::{PlannedRun, StudyPlan},
};

/// A spec as it was submitted.
#[derive(Debug, Clone)]
pub struct SubmittedSpec {
    /// The API's message, encoded: opaque to all but the edge, which made it and returns it. Specs with the same bytes are equal.
    pub message: Vec<u8>,
    /// Equal of specs that differ in nothing but their names: SHA-256 of the message without it.
    pub identity: [u8; 32],
    /// The id of the uploaded trace that it names.
    pub upload: Option<String>,
    /// The run that it requests with this daemon's defaults; or every fault, by field.
    pub checked: Result<Arc<Request>, Vec<Violation>>,
}

/// A study as it was submitted.
#[derive(Debug, Clone)]
pub struct SubmittedStudy {
    /// The API's message, encoded, as in [`SubmittedSpec`].
    pub message: Vec<u8>,
    /// The ids of the uploaded traces that its runs name.
    pub uploads: BTreeSet<String>,
    /// The study with this daemon's defaults; or every fault, by field.
    pub checked: Result<Arc<StudyPlan>, Vec<Violation>>,
}

/// What a study reads of the summary of one of its runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// Why the loader was the bottleneck; absent when it was not.
    pub saturated: Option<String>,
    /// Why the load was not open-loop; absent when it was.
    pub not_open_loop: Option<String>,
    /// Whether anything was measured.
    pub is_measured: bool,
    /// The figure that was asked for; absent where the run has none.
    pub figure: Option<f64>,
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

    /// A study, from the text of study.yaml.
    ///
    /// # Errors
    /// The first fault of a text that is not a study. An invalid one can be read, see [`SubmittedStudy::checked`].
    fn read_study(&self, text: &str) -> Result<SubmittedStudy, UnreadableSpec>;

    /// The text of study.yaml.
    fn write_study(&self, study: &SubmittedStudy) -> String;

    /// The spec of a run of a study.
    fn spec_of(&self, study: &StudyPlan, run: PlannedRun) -> SubmittedSpec;

    /// What a study reads of the text of summary.json, with the figure of that name.
    fn read_figures(&self, summary: &str, figure: Option<&str>) -> Reading;

    /// The text of summary.json.
    fn write_summary(&self, summary: &RunSummary) -> String;

    /// The figures of a load by their paths in summary.json.
    fn figures(&self, load: &Summary) -> Figures;

    /// The text of manifest.json.
    fn write_manifest(&self, manifest: &Manifest) -> String;
}
