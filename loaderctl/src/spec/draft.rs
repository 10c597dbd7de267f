//! From file and flags to a spec: what could be read, and every fault that can be found without the daemon.

use std::path::{Path, PathBuf};

use loader_proto::{
    json::{self, Fault, from_value, to_yaml},
    v1::{RunSpec, run_spec, trace_mode},
};
use serde_json::{Value, json};

use super::{
    flags::{Mode, Takes},
    given::{GivenFlag, SpecArguments},
    hints::instead,
    source,
};
use crate::{
    Failure,
    document::{Document, set},
    invitro::{self, Beside, Converted},
};

/// The field of a submission that is no part of the spec.
const KEY: &str = "idempotencyKey";

/// A flag that there isn't, for a rate.
const RATE: &str = "--rps";

/// The name by which a missing mode is reported, and which is tried for a mode.
const NAMED_MODE: &str = "mode";

/// A spec that only the daemon can still find faults in, or the faults that it has already.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// What could be read, without a trace on this machine.
    pub(crate) spec: RunSpec,
    /// What could not, by field.
    pub(crate) faults: Vec<Fault>,
    /// The trace directory on this machine that is to be uploaded.
    pub(crate) trace: Option<PathBuf>,
    /// Whether the file is no document at all, so that missing fields are not reported.
    pub(crate) unreadable: bool,
    /// What the user should know before the run.
    pub(crate) notes: Vec<String>,
    /// Fields that flags or keys of InVitro gave, and which; the last of a field counts.
    origins: Vec<(String, String)>,
}

impl Draft {
    /// Reads what the user gave.
    ///
    /// # Errors
    /// The file does not exist or cannot be opened; faults of its content are part of the draft.
    pub(crate) fn read(arguments: &SpecArguments) -> Result<Self, Failure> {
        let file = match &arguments.file {
            Some(name) => source::spec_file(name).map_err(Failure::Input)?,
            None => source::SpecFile::default(),
        };
        let mut draft = Self::default();
        let document = draft.document(&file.text, arguments.file.is_some());
        let Some(mut document) = draft.own(document, arguments) else { return Ok(draft) };
        let from_flag = arguments.flags.0.iter().any(|given| given.flag.name == "trace");
        draft.no_rate(arguments.rps.as_ref());
        draft.no_mode_by_name(&mut document);
        let mode = draft.mode(&mut document, arguments.mode);
        draft.lay_in(&mut document, mode, &arguments.flags.0);
        let (spec, faults) = from_value::<RunSpec>(&Value::Object(document));
        draft.spec = spec;
        draft.faults.extend(faults);
        if let Some(path) = draft.take_trace_path() {
            draft.trace = Some(if from_flag { path } else { file.folder.join(path) });
        }
        Ok(draft)
    }

    /// Adds what the daemon found in what could be read, but for what follows from a fault that is known.
    pub(crate) fn add(&mut self, violations: Vec<Fault>) {
        let known = self.faults.len();
        for violation in violations {
            let follows = self.faults.iter().take(known).any(|fault| explains(&fault.field, &violation.field));
            let awaited = self.trace.is_some() && matches!(violation.field.as_str(), "trace" | "trace.path");
            if !follows && !awaited {
                self.faults.push(violation);
            }
        }
    }

    /// The faults as the user reads them: which field, by which flag.
    pub(crate) fn into_faults(self) -> Vec<Fault> {
        let Self { faults, origins, .. } = self;
        let describe = |Fault { field, description }: Fault| {
            if field.starts_with("--") || field.starts_with(invitro::LABEL) || field == KEY {
                return Fault { field, description };
            }
            let given = origins.iter().rev().find(|(path, _)| is_within(path, &field));
            let origin = given.map(|(_, by)| format!(" ({by})")).unwrap_or_default();
            let field = if field.is_empty() { "spec".to_owned() } else { format!("spec: {field}") };
            Fault { field, description: description + &origin }
        };
        faults.into_iter().map(describe).collect()
    }

    /// The faults for which the daemon did not take the whole spec. The user knows an upload by its directory.
    pub(crate) fn refused(mut self, violations: Vec<Fault>) -> Vec<Fault> {
        self.faults = violations;
        let of_upload = |fault: &&mut Fault| fault.field == "trace.upload";
        for fault in self.faults.iter_mut().filter(|_| self.trace.is_some()).filter(of_upload) {
            "trace.path".clone_into(&mut fault.field);
        }
        self.into_faults()
    }

    /// The file's document; an empty one where it is none.
    fn document(&mut self, text: &str, is_given: bool) -> Document {
        if !is_given {
            return Document::new();
        }
        let faults = match json::document(text) {
            Ok(Value::Object(document)) => return document,
            Ok(Value::Null) => return Document::new(),
            // The reader of specs says what it expects.
            Ok(other) => from_value::<RunSpec>(&other).1,
            Err(fault) => vec![fault],
        };
        self.unreadable = true;
        self.faults.extend(faults);
        Document::new()
    }

    /// The document of a spec: as it is, or what a configuration of InVitro becomes; `None` where it can't become one.
    fn own(&mut self, document: Document, arguments: &SpecArguments) -> Option<Document> {
        let file = arguments.file.as_deref().filter(|name| *name != "-").map(Path::new);
        let has = |names: &[&str]| arguments.flags.0.iter().any(|given| names.contains(&given.flag.name));
        let beside =
            Beside { platform: has(&["platform"]), trace: has(&["trace", "upload"]), targets: has(&["attach"]) };
        let Some(converted) = invitro::read(&document, file, beside, arguments.lenient) else {
            if arguments.lenient {
                self.fault("--lenient", "belongs to configurations of InVitro".to_owned());
            }
            return Some(document);
        };
        let Converted { document, notes, faults, origins } = converted;
        self.faults.extend(faults);
        if !self.faults.is_empty() {
            // What else is missing follows from these faults.
            self.unreadable = true;
            return None;
        }
        let (spec, _) = from_value::<RunSpec>(&Value::Object(document.clone()));
        let name = file.map_or("standard input".into(), |file| file.to_string_lossy());
        self.notes.push(format!("{name} is a configuration of InVitro; as a spec:"));
        self.notes.extend(to_yaml(&spec).lines().map(|line| format!("  {line}")));
        self.notes.extend(notes);
        self.origins = origins;
        Some(document)
    }

    /// Says how a constant rate is asked for, where a flag for it was tried.
    fn no_rate(&mut self, given: Option<&Option<String>>) {
        let Some(rate) = given else { return };
        let rate = rate.as_deref().unwrap_or("10");
        let right = format!("--mode rps --start {rate} --end {rate} --slot 1m");
        self.fault(RATE, format!("is no flag; a constant rate is one slot of a sweep: {right}"));
    }

    /// Takes a mode that a document names away, and says how a mode is chosen.
    fn no_mode_by_name(&mut self, document: &mut Document) {
        let Some(named) = document.remove(NAMED_MODE) else { return };
        let name = named.as_str().filter(|name| Mode::of_field(name).is_some()).unwrap_or("burst");
        let description = if document.contains_key(name) {
            format!("is no field: the mode is that of the field {name}, which is there; leave mode out")
        } else {
            format!("is no field: the mode is a field of its own name; write \"{name}: {{}}\" in its place")
        };
        self.fault(NAMED_MODE, description);
    }

    /// The mode by flag or file, whose group of fields is added where it is missing.
    fn mode(&mut self, document: &mut Document, by_flag: Option<Mode>) -> Option<Mode> {
        // The first of the file, as its reader has it.
        let filled = document.iter().filter(|(_, group)| !group.is_null());
        let in_file = filled.filter_map(|(field, _)| Mode::of_field(field)).next();
        let mode = match (by_flag, in_file) {
            (Some(by_flag), Some(in_file)) if by_flag != in_file => {
                let description = format!("is {}, but the spec file has {}", by_flag.field(), in_file.field());
                self.fault("--mode", description);
                in_file
            }
            (by_flag, in_file) => by_flag.or(in_file)?,
        };
        set(document, mode.field(), None);
        Some(mode)
    }

    fn lay_in(&mut self, document: &mut Document, mode: Option<Mode>, flags: &[GivenFlag]) {
        // A flag may set another field of workers that are written by their number.
        if let Some(workers) = document.get_mut("workers").filter(|workers| workers.is_number() || workers.is_string())
        {
            *workers = json!({ "count": workers.take() });
        }
        // Of path and upload a spec has one: that of the flag is to win.
        if flags.iter().any(|given| matches!(given.flag.name, "trace" | "upload"))
            && let Some(Value::Object(trace)) = document.get_mut(Mode::Trace.field())
        {
            trace.retain(|field, _| !matches!(field.as_str(), "path" | "upload"));
        }
        for given in flags {
            let path = match (given.flag.group.modes, mode) {
                ([], _) => given.flag.field.to_owned(),
                (modes, Some(mode)) if modes.contains(&mode) => given.flag.path(mode),
                (_, mode) => {
                    let has = mode
                        .map_or("the run has none".to_owned(), |mode| format!("the run's mode is {}", mode.field()));
                    let hint = mode.and_then(|mode| instead(given.flag.name, mode)).map(|hint| format!("; {hint}"));
                    let hint = hint.unwrap_or_default();
                    let description = format!("belongs to {}; {has}{hint}", given.flag.group.mode_names());
                    self.fault(&format!("--{}", given.flag.name), description);
                    continue;
                }
            };
            match value(given) {
                Ok(value) => set(document, &path, Some(value)),
                Err(description) => self.fault(&path, description),
            }
            self.origins.push((path, format!("--{}", given.flag.name)));
        }
    }

    fn take_trace_path(&mut self) -> Option<PathBuf> {
        let Some(run_spec::Mode::Trace(trace)) = &mut self.spec.mode else { return None };
        match trace.source.take() {
            Some(trace_mode::Source::Path(path)) => Some(path.into()),
            source => {
                trace.source = source;
                None
            }
        }
    }

    pub(crate) fn fault(&mut self, field: &str, description: String) {
        self.faults.push(Fault { field: field.to_owned(), description });
    }
}

/// Whether a field is `outer` or part of it.
fn is_within(outer: &str, field: &str) -> bool {
    field.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Whether a fault in one field, which is therefore absent, is the cause of a fault in another one.
fn explains(fault: &str, other: &str) -> bool {
    let is_item = fault.strip_prefix(other).is_some_and(|rest| rest.starts_with('['));
    is_within(fault, other) || is_item || (other == NAMED_MODE && (fault == RATE || Mode::of_field(fault).is_some()))
}

/// The JSON form of a flag's values; numbers stay text, which the reader takes for them.
fn value(given: &GivenFlag) -> Result<Value, String> {
    let first = given.values.first().cloned().unwrap_or_default();
    Ok(match given.flag.takes {
        Takes::Text(_) => first.into(),
        Takes::Switch => (first == "true").into(),
        Takes::Numbers => source::numbers(&first)?.into(),
        Takes::Targets => given.values.iter().map(|target| self::target(target)).collect(),
        Takes::Headers => {
            given.values.iter().map(|header| self::header(header)).collect::<Result<Document, _>>()?.into()
        }
        Takes::Entries => given.values.iter().map(|entry| self::entry(entry)).collect::<Result<_, _>>()?,
        Takes::Texts(_) => given.values.clone().into(),
        Takes::TextOrFile => source::text(&first)?.into(),
    })
}

fn header(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once(':').ok_or_else(|| format!("{text:?} must be NAME:VALUE"))?;
    Ok((name.trim().to_owned(), value.trim().into()))
}

/// An entry of a list, as in a spec file: `{at: 60s, do: restart}`.
fn entry(text: &str) -> Result<Value, String> {
    match serde_saphyr::from_str(text) {
        Ok(entry @ Value::Object(_)) => Ok(entry),
        Ok(_) | Err(_) => Err(format!("{text:?} must be fields in braces, such as {{at: 60s, do: killInstances}}")),
    }
}

fn target(text: &str) -> Value {
    match text.split_once('=') {
        Some((address, authority)) => json!({ "address": address, "authority": authority }),
        None => json!({ "address": text }),
    }
}
