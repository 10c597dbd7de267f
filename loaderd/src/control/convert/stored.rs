//! The files of a run directory, as text: the API's messages in their YAML and JSON form.

use std::{collections::BTreeSet, sync::Arc};

use loader_proto::{json, v1};
use loader_report::indicator::Figures;
use prost::{Message as _, Name};

use super::{
    spec::{self, message},
    study::study_message,
    summary::{of_load, summary},
};
use crate::{
    clock::UnixMicros,
    plan::{self, Request},
    record::Summary,
    results::ManifestFile,
    spec::{Defaults, Violation},
    store::{Codec, Manifest, Reading, RunSummary, SubmittedSpec, SubmittedStudy, UnreadableSpec},
    study::{PlannedRun, StudyPlan},
};

/// Version of manifest.json that this program writes.
const MANIFEST_VERSION: u32 = 1;

/// Most bytes of a spec's message. Long lists go by file, as traces do.
const MAX_SPEC: usize = 256 << 10;

/// Between domain types and the texts of their messages.
#[derive(Debug, Clone)]
pub struct WireCodec {
    /// Values for fields that a spec leaves out.
    pub defaults: Defaults,
}

impl WireCodec {
    /// Checks a spec message. What passes can be stored, and is the same when it is read back.
    ///
    /// # Errors
    /// The faults, by field.
    pub fn check(&self, message: &v1::RunSpec) -> Result<Request, Vec<Violation>> {
        let bytes = message.encoded_len();
        if bytes > MAX_SPEC {
            let rule = format!("has {bytes} bytes; must have at most {MAX_SPEC}, of which long lists take most");
            return Err(vec![Violation::new("spec", rule)]);
        }
        let request = plan::validate(message, &self.defaults)?;
        let (read, faults) = json::from_yaml::<v1::RunSpec>(&json::to_yaml(message));
        match faults.into_iter().next() {
            Some(json::Fault { field, description }) => {
                Err(vec![Violation::new(field, format!("cannot be stored: {description}"))])
            }
            None if read != *message => Err(vec![Violation::new(
                "spec",
                "cannot be stored: it has a text that is not the same when it is read",
            )]),
            None => Ok(request),
        }
    }

    /// Checks a study's message: the study itself, and the spec of each of its cells.
    ///
    /// # Errors
    /// The faults, by field.
    pub fn check_study(&self, message: &v1::StudySpec) -> Result<StudyPlan, Vec<Violation>> {
        let bytes = message.encoded_len();
        if bytes > MAX_SPEC {
            return Err(vec![Violation::new("study", format!("has {bytes} bytes; must have at most {MAX_SPEC}"))]);
        }
        StudyPlan::of(message, &self.defaults)
    }

    /// The stored form of a spec message.
    pub fn submitted(&self, message: &v1::RunSpec) -> SubmittedSpec {
        spec::submitted(message, &self.defaults)
    }

    /// The stored form of a study's message.
    pub fn submitted_study(&self, message: &v1::StudySpec) -> SubmittedStudy {
        let checked = self.check_study(message).map(Arc::new);
        // Each cell has its trace.
        let of_cells = |plan: &Arc<StudyPlan>| -> BTreeSet<String> {
            let first = plan.runs.iter().filter(|run| run.repeat == 0);
            first.filter_map(|&run| spec::upload(&plan.spec(run))).collect()
        };
        let uploads = checked.as_ref().map(of_cells).unwrap_or_default();
        SubmittedStudy { message: message.encode_to_vec(), uploads, checked }
    }

    /// The summary of the text of a summary.json; unreadable fields have their defaults.
    pub fn read_summary(&self, text: &str) -> Option<v1::RunSummary> {
        let value = serde_json::from_str(text).ok()?;
        Some(json::from_value(&value).0)
    }
}

impl Codec for WireCodec {
    fn read_spec(&self, text: &str) -> Result<SubmittedSpec, UnreadableSpec> {
        let (message, faults) = json::from_yaml(text);
        match faults.into_iter().next() {
            None => Ok(self.submitted(&message)),
            Some(json::Fault { field, description }) => Err(UnreadableSpec { field, description }),
        }
    }

    fn write_spec(&self, spec: &SubmittedSpec) -> String {
        json::to_yaml(&message(spec))
    }

    fn read_study(&self, text: &str) -> Result<SubmittedStudy, UnreadableSpec> {
        let (message, faults) = json::from_yaml(text);
        match faults.into_iter().next() {
            None => Ok(self.submitted_study(&message)),
            Some(json::Fault { field, description }) => Err(UnreadableSpec { field, description }),
        }
    }

    fn write_study(&self, study: &SubmittedStudy) -> String {
        json::to_yaml(&study_message(study))
    }

    fn spec_of(&self, study: &StudyPlan, run: PlannedRun) -> SubmittedSpec {
        self.submitted(&study.spec(run))
    }

    fn read_figures(&self, summary: &str, figure: Option<&str>) -> Reading {
        let Some(summary) = self.read_summary(summary) else { return Reading::default() };
        let saturated = summary.saturated.as_ref().filter(|it| it.saturated);
        let waiting = summary.open_loop.as_ref().filter(|it| it.violated);
        Reading {
            saturated: saturated.map(|it| it.reason.clone()),
            not_open_loop: waiting.map(|it| it.reason.clone()),
            is_measured: summary.requested > 0,
            figure: figure.and_then(|name| Figures::of(&summary).get(name)),
        }
    }

    fn write_summary(&self, it: &RunSummary) -> String {
        text(&summary(it))
    }

    fn figures(&self, load: &Summary) -> Figures {
        Figures::of(&of_load(load))
    }

    fn write_manifest(&self, manifest: &Manifest) -> String {
        let Manifest { run_id, state, written: UnixMicros(written_unix_us), files } = manifest;
        let files = files.iter().map(|ManifestFile { name, bytes, sha256, rows, cut_off_bytes }| v1::ManifestFile {
            name: name.clone(),
            bytes: *bytes,
            sha256: sha256.clone(),
            rows: *rows,
            cut_off_bytes: *cut_off_bytes,
        });
        text(&v1::Manifest {
            version: MANIFEST_VERSION,
            run_id: run_id.to_string(),
            state: v1::RunState::from(*state).into(),
            written_unix_us: *written_unix_us,
            files: files.collect(),
        })
    }
}

/// Every field that is not optional, zero or not; numbers as numbers.
fn text<M: Name>(message: &M) -> String {
    format!("{:#}\n", json::to_full_value(message, json::Integers::Numbers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::RunId, store::State};

    fn codec() -> WireCodec {
        WireCodec { defaults: Defaults { platform: "local".to_owned() } }
    }

    #[test]
    fn a_spec_is_the_same_after_it_was_stored() {
        let trace = v1::TraceMode {
            source: Some(v1::trace_mode::Source::Upload("0a1b".to_owned())),
            ..v1::TraceMode::default()
        };
        let sent = v1::RunSpec {
            name: "demo".to_owned(),
            seed: Some(u64::MAX),
            mode: Some(v1::run_spec::Mode::Trace(trace)),
            ..v1::RunSpec::default()
        };
        let stored = codec().read_spec(&codec().write_spec(&codec().submitted(&sent))).unwrap();
        assert_eq!(message(&stored), sent);
        assert_eq!(stored.upload.as_deref(), Some("0a1b"));
        assert_eq!(stored.checked.unwrap().run.seed, u64::MAX);
    }

    fn of_cold_starts(count: usize) -> v1::RunSpec {
        let mode = v1::ColdStartMode { cold_starts: vec![0; count], ..v1::ColdStartMode::default() };
        v1::RunSpec { mode: Some(v1::run_spec::Mode::Coldstart(mode)), ..v1::RunSpec::default() }
    }

    #[test]
    fn the_longest_list_can_be_read_back_and_a_spec_that_is_too_large_is_refused_at_once() {
        let longest = of_cold_starts(1 << 14);
        codec().check(&longest).expect("is accepted");
        assert_eq!(message(&codec().read_spec(&codec().write_spec(&codec().submitted(&longest))).unwrap()), longest);
        // As many as the reader of YAML refuses.
        let faults = codec().check(&of_cold_starts(300_000)).unwrap_err();
        assert!(faults[0].to_string().starts_with("spec: has 3000"), "{faults:?}");
    }

    proptest::proptest! {
        #[test]
        fn what_is_accepted_can_be_read_back(name in ".{0,40}", path in "/.{0,40}", body in proptest::prelude::any::<String>()) {
            let http = v1::HttpRequest { path, body, ..v1::HttpRequest::default() };
            let function = v1::FunctionSpec { protocol: "http1".to_owned(), http: Some(http), ..v1::FunctionSpec::default() };
            let sent = v1::RunSpec { name, function: Some(function), ..of_cold_starts(1) };
            if codec().check(&sent).is_ok() {
                let stored = codec().read_spec(&codec().write_spec(&codec().submitted(&sent)));
                proptest::prop_assert_eq!(message(&stored.unwrap()), sent);
            }
        }
    }

    #[test]
    fn a_text_that_is_no_spec_is_told_from_a_spec_that_asks_for_what_cannot_be() {
        let unreadable = codec().read_spec("seed: many\n").unwrap_err().to_string();
        assert!(unreadable.starts_with("seed: "), "{unreadable}");
        let violations = codec().read_spec("name: demo\n").unwrap().checked.unwrap_err();
        assert_eq!(violations.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["mode"]);
    }

    #[test]
    fn a_manifest_is_written_with_every_field() {
        let file = ManifestFile {
            name: "slots.csv".to_owned(),
            bytes: 9,
            sha256: "0a".to_owned(),
            rows: Some(0),
            cut_off_bytes: 0,
        };
        let run_id = RunId::new(0, 7);
        let manifest =
            Manifest { run_id: run_id.clone(), state: State::Failed, written: UnixMicros(5), files: vec![file] };
        let text = codec().write_manifest(&manifest);
        let (read, faults): (v1::Manifest, _) = json::from_value(&serde_json::from_str(&text).unwrap());
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!((read.version, read.run_id, read.written_unix_us), (1, run_id.to_string(), 5));
        assert_eq!(read.state, i32::from(v1::RunState::Failed));
        assert_eq!((read.files[0].rows, read.files[0].bytes), (Some(0), 9));
        assert!(text.contains("\"cutOffBytes\": 0") || text.contains("\"cut_off_bytes\": 0"), "{text}");
    }
}
