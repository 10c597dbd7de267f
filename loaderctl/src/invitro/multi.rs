//! From a multi-loader file to a study. Pure.
//!
//! What a swept key means is found by converting the loader's configuration once with each of its values: where one field of the spec
//! differs, that is the axis; where several fields of one group do, the group is.

mod member;
mod sweep;

pub(crate) use member::member;

use loader_proto::json::Fault;
use serde_json::{Value, json};

use super::{
    files::name,
    given::LABEL,
    loader::{Beside, Converted, Surroundings, convert},
};
use crate::document::Document;

/// Keys of a study and of the whole file that have no counterpart, and why.
const DROPPED: &[(&str, &str)] = &[
    ("OutputDir", "runs are in the daemon's state directory: loaderctl results RUN --to DIR fetches one"),
    ("Verbosity", "the log level is a setting of the daemon"),
    ("IatGeneration", "loaderctl plan --write writes a plan"),
    ("Generated", "a plan is a trace: trace.path names it"),
    ("MasterNode", "nothing is done over ssh"),
    ("AutoScalerNode", "nothing is done over ssh"),
    ("ActivatorNode", "nothing is done over ssh"),
    ("LoaderNode", "nothing is done over ssh"),
    ("WorkerNodes", "nothing is done over ssh"),
    ("Metrics", "samples of nodes, pods and the autoscaler are always taken"),
];

/// Scripts, which become hooks by hand: the field of each, and the flag that runs it on the user's own machine.
const SCRIPTS: &[(&str, &str, &str)] =
    &[("PreScript", "hooks.beforeRun", "--before"), ("PostScript", "hooks.afterRun", "--after")];

/// Keys of a study that are taken.
const TAKEN: &[&str] =
    &["Name", "Config", "TracesDir", "TracesFormat", "TraceValues", "Sweep", "SweepType", "PreScript", "PostScript"];

/// Keys of the whole file that are taken.
const TAKEN_OF_FILE: &[&str] = &["Studies", "BaseConfigPath", "PreScript", "PostScript"];

/// What a study of a multi-loader file becomes.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// The study's document.
    pub(crate) document: Document,
    /// What was dropped, and what the user should know.
    pub(crate) notes: Vec<String>,
    /// What has no counterpart, or is wrong.
    pub(crate) faults: Vec<Fault>,
}

/// What an import must know beyond the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around {
    /// The loader configuration that BaseConfigPath names.
    pub(crate) base: Document,
    /// The paths of the traces, as the study is to have them; empty: that of the configuration.
    pub(crate) traces: Vec<String>,
    /// The configuration's own trace, as the study is to have it; absent: as the configuration has it.
    pub(crate) trace: Option<String>,
    /// Whether the traces are single files.
    pub(crate) trace_is_file: bool,
    /// Whether unknown keys are left out.
    pub(crate) lenient: bool,
}

/// The studies of a multi-loader file, by name.
pub(crate) fn studies(file: &Document) -> Vec<(String, Document)> {
    let studies = member(file, "Studies").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = studies.iter().filter_map(Value::as_object).map(|study| {
        let name = member(study, "Name").and_then(Value::as_str).unwrap_or("study");
        (name.to_owned(), study.clone())
    });
    named.collect()
}

/// Converts one study of a multi-loader file.
pub(crate) fn import(file: &Document, study: &Document, around: &Around) -> Imported {
    let mut found = Imported::default();
    let Around { base, traces, trace, trace_is_file, lenient } = around;
    let mut configuration = base.clone();
    for (key, value) in member(study, "Config").and_then(Value::as_object).into_iter().flatten() {
        lay(&mut configuration, key, value.clone());
    }
    let surroundings = Surroundings {
        name: name(member(study, "Name").and_then(Value::as_str).unwrap_or("study")),
        trace: trace.clone(),
        trace_is_file: *trace_is_file,
        workflow: false,
        beside: Beside { trace: !traces.is_empty(), ..Beside::default() },
        lenient: *lenient,
    };
    let Converted { document: spec, notes, faults, .. } = convert(&configuration, &surroundings);
    found.notes.extend(notes);
    found.faults.extend(faults);
    let mut axes: Vec<Value> = Vec::new();
    let traces: Vec<Value> = traces.iter().cloned().map(Value::String).collect();
    let mut spec = Value::Object(spec);
    match traces.as_slice() {
        [] => {}
        [only] => sweep::put(&mut spec, "trace.path", only.clone()),
        several => axes.push(json!({ "field": "trace.path", "values": several })),
    }
    let sweeps = member(study, "Sweep").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let of_config = |key: &str, value: &Value| {
        let mut changed = configuration.clone();
        lay(&mut changed, key, value.clone());
        convert(&changed, &surroundings)
    };
    for (index, swept) in sweeps.iter().enumerate() {
        match sweep::axis(swept, of_config) {
            Ok(axis) => axes.push(axis),
            Err(description) => found.fault(format!("Sweep[{index}]"), description),
        }
    }
    found.combine(study, &axes, traces.len() > 1, sweeps.len());
    found.scripts(file, study);
    found.dropped(file, study);
    found.document.insert("base".to_owned(), spec);
    if !axes.is_empty() {
        found.document.insert("vary".to_owned(), Value::Array(axes));
    }
    // As there: each experiment once, in the order of the file, a failed one tried again.
    for (field, value) in
        [("repeats", json!(1)), ("order", json!("asGiven")), ("seeds", json!("same")), ("retries", json!(1))]
    {
        found.document.insert(field.to_owned(), value);
    }
    found.document.insert("name".to_owned(), Value::String(surroundings.name));
    found.notes.push(
        "each run is made once, in the order of the file, as InVitro does: with repeats of 5 and more and without order \
         and seeds, differences can be told from chance"
            .to_owned(),
    );
    found
}

/// Sets a key, whatever letter case it was given in before.
fn lay(configuration: &mut Document, key: &str, value: Value) {
    configuration.retain(|name, _| !name.eq_ignore_ascii_case(key));
    configuration.insert(key.to_owned(), value);
}

impl Imported {
    fn fault(&mut self, key: impl std::fmt::Display, description: impl Into<String>) {
        self.faults.push(Fault { field: format!("{LABEL}{key}"), description: description.into() });
    }

    /// How the axes are combined. Traces there are combined with all else, whatever the type of the sweep.
    fn combine(&mut self, study: &Document, axes: &[Value], has_traces: bool, sweeps: usize) {
        let kind = member(study, "SweepType").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "" | "grid" => {}
            "linear" if has_traces && sweeps > 0 => self.fault(
                "SweepType",
                "is linear, over several traces: a study combines all axes alike; make one study of each trace",
            ),
            "linear" => {
                let length = |axis: &Value| axis["values"].as_array().map(Vec::len);
                if axes.windows(2).any(|pair| length(&pair[0]) != length(&pair[1])) {
                    self.fault("SweepType", "is linear, so all sweeps must have as many values");
                }
                self.document.insert("combine".to_owned(), json!("zip"));
            }
            other => self.fault("SweepType", format!("is {other:?}: must be grid or linear")),
        }
        let fields: Vec<_> = axes.iter().filter_map(|axis| axis["field"].as_str()).collect();
        for (index, field) in fields.iter().enumerate() {
            let within = |one: &str, other: &str| one == other || one.starts_with(&format!("{other}."));
            if let Some(other) = fields[..index].iter().find(|other| within(field, other) || within(other, field)) {
                let description = format!("two sweeps change {other}: vary its fields by hand, one axis for each");
                self.fault("Sweep", description);
            }
        }
    }

    /// Scripts are named, as a study names executables.
    fn scripts(&mut self, file: &Document, study: &Document) {
        for (key, field, flag) in SCRIPTS {
            if let Some(script) = member(study, key).and_then(Value::as_str).filter(|script| !script.is_empty()) {
                self.notes.push(format!(
                    "dropped {key} ({script:?}): put it as an executable into the daemon's [hooks] directory and name it in \
                     {field}, or run it here: study run {flag} {script:?}"
                ));
            }
            if let Some(script) = member(file, key).and_then(Value::as_str).filter(|script| !script.is_empty()) {
                let field = field.replace("Run", "Study");
                self.notes.push(format!(
                    "dropped the {key} of all studies ({script:?}): put it as an executable into the daemon's [hooks] \
                     directory and name it in {field}, or run it around study run"
                ));
            }
        }
    }

    /// Names what has no counterpart, and keys that InVitro does not have.
    fn dropped(&mut self, file: &Document, study: &Document) {
        for (part, taken) in [(file, TAKEN_OF_FILE), (study, TAKEN)] {
            for (key, value) in part {
                let is = |known: &str| known.eq_ignore_ascii_case(key);
                let is_empty = value.is_null() || value == "" || value == false || value == &json!([]);
                if let Some((known, reason)) = DROPPED.iter().find(|(known, _)| is(known)) {
                    if !is_empty {
                        self.notes.push(format!("dropped {known} ({value}): {reason}"));
                    }
                } else if !taken.iter().any(|known| is(known)) {
                    self.fault(key, "is no key of a multi-loader file");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
