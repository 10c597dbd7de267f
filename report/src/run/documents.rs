//! The documents of a run: run.json, spec.yaml, summary.json, manifest.json.

use std::{fs, io, path::Path};

use loader_proto::{
    json::{self, Fault},
    v1::{Manifest, RunSpec, RunState, RunSummary},
};
use prost::Name;
use serde_json::Value;

use super::remark::Remark;

/// The versions that are known here.
const VERSION: u64 = 1;

/// Longest document that is read, in bytes: the summary of a million functions has fewer.
const LONGEST: u64 = 1 << 30;

/// What run.json says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFile {
    /// The id of the run.
    pub run_id: String,
    /// The name of its spec.
    pub name: String,
    /// Its mode.
    pub mode: String,
    /// Its platform.
    pub platform: String,
    /// Its state, such as `succeeded`.
    pub state: String,
    /// Why it failed or ended early; empty otherwise.
    pub reason: String,
    /// When it was submitted, Unix microseconds.
    pub submitted_unix_us: Option<i64>,
    /// When it left the queue.
    pub started_unix_us: Option<i64>,
    /// When it reached a terminal state.
    pub finished_unix_us: Option<i64>,
}

/// The documents, as far as they are there and can be read.
#[derive(Debug, Default)]
pub struct Documents {
    /// run.json.
    pub run: Option<RunFile>,
    /// spec.yaml, as it was submitted.
    pub spec_text: Option<String>,
    /// The same, read.
    pub spec: Option<RunSpec>,
    /// summary.json.
    pub summary: Option<RunSummary>,
    /// manifest.json.
    pub manifest: Option<Manifest>,
}

impl Documents {
    /// Reads them; what is wrong with them goes to `remarks`.
    pub(super) fn read(directory: &Path, remarks: &mut Vec<Remark>) -> Self {
        let run = text(directory, "run.json", remarks).and_then(|text| run_file(&text, remarks));
        let spec_text = text(directory, "spec.yaml", remarks);
        let spec = spec_text.as_deref().and_then(|text| spec(text, remarks));
        let summary = text(directory, "summary.json", remarks).and_then(|text| message(&text, "summary.json", remarks));
        let manifest = text(directory, "manifest.json", remarks);
        let manifest = manifest.and_then(|text| message::<Manifest>(&text, "manifest.json", remarks));
        if let Some(version) = manifest.as_ref().map(|it| u64::from(it.version)).filter(|it| *it > VERSION) {
            remarks.push(newer("manifest.json", version));
        }
        let documents = Self { run, spec_text, spec, summary, manifest };
        if documents.summary.is_none() {
            let text = "there is no summary: the run has not ended, or was not ended by its daemon. Figures are of its rows alone";
            remarks.push(Remark::serious(text));
        }
        documents
    }

    /// What the run is called: the name of its spec, or its id.
    pub(super) fn label(&self) -> &str {
        let summary = self.summary.as_ref();
        let names = [
            summary.map(|it| it.name.as_str()),
            self.run.as_ref().map(|it| it.name.as_str()),
            summary.map(|it| it.run_id.as_str()),
            self.run.as_ref().map(|it| it.run_id.as_str()),
        ];
        names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or("run")
    }

    /// How the run ended, as far as is known.
    pub(super) fn state(&self) -> RunState {
        let said = self.run.as_ref().map(|run| format!("RUN_STATE_{}", run.state.to_uppercase()));
        let said = said.and_then(|name| RunState::from_str_name(&name));
        let summary = || self.summary.as_ref().map(RunSummary::state);
        said.or_else(summary).unwrap_or(RunState::Unspecified)
    }

    /// The start of the load; absent without a summary.
    pub(super) fn t0_unix_us(&self) -> Option<i64> {
        self.summary.as_ref().map(|summary| summary.t0_unix_us).filter(|t0| *t0 > 0)
    }

    /// Whether functions run for the time that they are asked to, so that there are slowdowns.
    pub(super) fn has_runtimes(&self) -> bool {
        match (&self.summary, &self.spec) {
            (Some(summary), _) => summary.slowdown.as_ref().is_some_and(|slowdown| slowdown.count > 0),
            (None, Some(spec)) => {
                let function = spec.function.clone().unwrap_or_default();
                matches!(function.kind.as_str(), "" | "trace" | "timed") && function.http.is_none()
            }
            (None, None) => true,
        }
    }
}

/// The text of a file; absent where there is none.
fn text(directory: &Path, name: &str, remarks: &mut Vec<Remark>) -> Option<String> {
    let path = directory.join(name);
    let read = fs::metadata(&path).and_then(|metadata| {
        if metadata.len() > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 1 GiB"));
        }
        fs::read(&path)
    });
    match read {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            remarks.push(Remark::serious(format!("cannot read {name}: {error}")));
            None
        }
    }
}

fn newer(name: &str, version: u64) -> Remark {
    let text =
        format!("{name} has version {version}, this program knows {VERSION}: it is read as far as it is understood");
    Remark::serious(text)
}

fn parsed(text: &str, name: &str, remarks: &mut Vec<Remark>) -> Option<Value> {
    let parsed = serde_json::from_str(text);
    parsed.map_err(|error| remarks.push(Remark::serious(format!("{name} is damaged: {error}")))).ok()
}

fn run_file(text: &str, remarks: &mut Vec<Remark>) -> Option<RunFile> {
    let value = parsed(text, "run.json", remarks)?;
    if let Some(version) = value["version"].as_u64().filter(|version| *version > VERSION) {
        remarks.push(newer("run.json", version));
    }
    let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let instant = |field: &str| value[field].as_i64();
    Some(RunFile {
        run_id: text("run_id"),
        name: text("name"),
        mode: text("mode"),
        platform: text("platform"),
        state: text("state"),
        reason: text("reason"),
        submitted_unix_us: instant("submitted_unix_us"),
        started_unix_us: instant("started_unix_us"),
        finished_unix_us: instant("finished_unix_us"),
    })
}

/// A message of the API in its JSON form. Fields that are not known here are a newer version's.
fn message<M: Name + Default>(text: &str, name: &str, remarks: &mut Vec<Remark>) -> Option<M> {
    let value = parsed(text, name, remarks)?;
    let (message, faults) = json::from_value::<M>(&value);
    remark_faults(&faults, name, remarks);
    Some(message)
}

fn spec(text: &str, remarks: &mut Vec<Remark>) -> Option<RunSpec> {
    let (spec, faults) = json::from_yaml::<RunSpec>(text);
    remark_faults(&faults, "spec.yaml", remarks);
    Some(spec)
}

fn remark_faults(faults: &[Fault], name: &str, remarks: &mut Vec<Remark>) {
    let Some(Fault { field, description }) = faults.first() else { return };
    let more = faults.len() - 1;
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let text = format!("{name} has fields that this version does not understand: {field}: {description}{more}");
    remarks.push(Remark::slight(text));
}
