//! The files of a run directory, as text: the API's messages in their YAML and JSON form.

use loader_proto::{json, v1};
use prost::Name;

use super::{
    spec::{self, message},
    summary::summary,
};
use crate::{
    clock::UnixMicros,
    plan::{self, Request},
    results::ManifestFile,
    spec::{Defaults, Violation},
    store::{Codec, Manifest, RunSummary, SubmittedSpec, UnreadableSpec},
};

/// Version of manifest.json that this program writes.
const MANIFEST_VERSION: u32 = 1;

/// Between domain types and the texts of their messages.
#[derive(Debug, Clone)]
pub struct WireCodec {
    /// Values for fields that a spec leaves out.
    pub defaults: Defaults,
}

impl WireCodec {
    /// Checks a spec message.
    ///
    /// # Errors
    /// Every fault, by field.
    pub fn check(&self, message: &v1::RunSpec) -> Result<Request, Vec<Violation>> {
        plan::validate(message, &self.defaults)
    }

    /// The stored form of a spec message.
    pub fn submitted(&self, message: &v1::RunSpec) -> SubmittedSpec {
        spec::submitted(message, &self.defaults)
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

    fn write_summary(&self, it: &RunSummary) -> String {
        text(&summary(it))
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
