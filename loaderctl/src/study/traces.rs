//! The traces that a study names by paths on this machine: in its base, and as the values of an axis.

use std::path::{Path, PathBuf};

use loader_proto::json::Fault;
use loader_trace::sample::REPORT_FILE;
use serde_json::Value;

use super::fault::fault;

/// The field of a trace on this machine, and that of an uploaded one, which replaces it.
const FIELDS: (&str, &str) = ("trace.path", "trace.upload");

/// The fields that select files of a trace: only those of one selection are uploaded.
const SELECTING: [&str; 3] = ["trace.day", "trace.size", "trace.format"];

/// The traces of this machine that a study names.
#[derive(Debug, Default)]
pub(crate) struct LocalTraces {
    /// Each once.
    traces: Vec<LocalTrace>,
}

/// A trace of this machine.
#[derive(Debug)]
pub(crate) struct LocalTrace {
    /// Its path, as the study has it.
    pub(crate) name: String,
    /// Its path from the current directory.
    pub(crate) path: PathBuf,
    /// Where the study names it first, such as `vary[0].values[1]`.
    pub(crate) place: String,
}

impl LocalTraces {
    /// Finds the traces of a study, whose relative paths start from `folder`. An axis with a glob gets the paths that match as its values.
    pub(super) fn find(document: &mut Value, folder: &Path) -> (Self, Vec<Fault>) {
        let (mut found, mut faults) = (Self::default(), Vec::new());
        let base = document.pointer("/base/trace/path").and_then(Value::as_str).map(str::to_owned);
        let mut named: Vec<_> = base.into_iter().map(|name| (name, "base.trace.path".to_owned())).collect();
        for (index, axis) in axes(document).iter_mut().enumerate() {
            if let Err(fault) = expand(axis, index, folder) {
                faults.push(fault);
            }
            if is_of(axis, FIELDS.0) {
                let of_value = |(number, value): (usize, &Value)| {
                    Some((value.as_str()?.to_owned(), format!("vary[{index}].values[{number}]")))
                };
                named.extend(values(axis).iter().enumerate().filter_map(of_value));
            }
        }
        for (name, place) in named {
            if !found.traces.iter().any(|known| known.name == name) {
                let path = folder.join(&name);
                found.traces.push(LocalTrace { name, path, place });
            }
        }
        if !found.traces.is_empty() {
            faults.extend((0..).zip(axes(document)).filter_map(|(index, axis)| selecting(axis, index)));
        }
        (found, faults)
    }

    /// The traces, in the order in which the study names them.
    pub(crate) fn all(&self) -> &[LocalTrace] {
        &self.traces
    }

    /// Replaces the paths by the ids of their uploads. Axes and values are still called what they are called in the study, also by
    /// its baseline and by what it excludes.
    pub(super) fn lay_in(&self, document: &mut Value, ids: &[String]) {
        let id = |value: &Value| {
            let position = self.traces.iter().position(|known| Some(known.name.as_str()) == value.as_str());
            position
                .and_then(|position| ids.get(position))
                .map_or_else(|| value.clone(), |id| Value::String(id.clone()))
        };
        if let Some(Value::Object(trace)) = document.pointer_mut("/base/trace")
            && let Some(path) = trace.shift_remove("path")
        {
            trace.insert("upload".to_owned(), id(&path));
        }
        for axis in axes(document).iter_mut().filter(|axis| is_of(axis, FIELDS.0)) {
            axis["field"] = Value::String(FIELDS.1.to_owned());
            let paths = axis["values"].clone();
            values(axis).iter_mut().for_each(|value| *value = id(value));
            if let Value::Object(fields) = axis {
                fields.entry("label").or_insert_with(|| Value::String(FIELDS.0.to_owned()));
                fields.entry("labels").or_insert(paths);
            }
        }
    }
}

fn list<'a>(document: &'a mut Value, field: &str) -> &'a mut [Value] {
    document.get_mut(field).and_then(Value::as_array_mut).map(Vec::as_mut_slice).unwrap_or_default()
}

fn axes(document: &mut Value) -> &mut [Value] {
    list(document, "vary")
}

fn values(axis: &mut Value) -> &mut [Value] {
    list(axis, "values")
}

fn is_of(axis: &Value, field: &str) -> bool {
    axis.get("field").and_then(Value::as_str) == Some(field)
}

/// The fault of an axis that would need more of a trace than is uploaded.
fn selecting(axis: &Value, index: usize) -> Option<Fault> {
    let field = SELECTING.into_iter().find(|field| is_of(axis, field))?;
    let description = format!(
        "{field} varies, but of a trace on this machine only the files of one selection are uploaded: \
         put each selection into a folder of its own, and vary {}",
        FIELDS.0
    );
    Some(fault(format!("vary[{index}].field"), description))
}

/// Replaces the glob of an axis by the paths that match, in the order of their names.
fn expand(axis: &mut Value, index: usize, folder: &Path) -> Result<(), Fault> {
    let is_of_paths = is_of(axis, FIELDS.0);
    let Value::Object(fields) = axis else { return Ok(()) };
    let Some(pattern) = fields.shift_remove("glob") else { return Ok(()) };
    let place = format!("vary[{index}].glob");
    if !is_of_paths {
        return Err(fault(place, format!("belongs to an axis over {}; others have values", FIELDS.0)));
    }
    if fields.contains_key("values") {
        return Err(fault(place, "conflicts with values: set only one of them"));
    }
    let pattern = pattern.as_str().ok_or_else(|| fault(&*place, "must be text, such as \"samples/*\""))?;
    let paths = matching(pattern, folder).map_err(|description| fault(&*place, description))?;
    fields.insert("values".to_owned(), paths.into_iter().map(Value::String).collect());
    Ok(())
}

/// The paths that match a pattern, relative to `folder` where the pattern is.
fn matching(pattern: &str, folder: &Path) -> Result<Vec<String>, String> {
    // The folder's own name is no pattern.
    let whole = Path::new(&glob::Pattern::escape(&folder.to_string_lossy())).join(pattern);
    let found = glob::glob(&whole.to_string_lossy()).map_err(|error| format!("is no pattern: {error}"))?;
    let mut paths = Vec::new();
    for path in found {
        let path = path.map_err(|error| format!("cannot be searched: {error}"))?;
        // It lies beside samples, and is none.
        if path.file_name().is_some_and(|name| name == REPORT_FILE) {
            continue;
        }
        let named = path.strip_prefix(folder).unwrap_or(&path);
        let text = named.to_str().ok_or_else(|| format!("{} is no UTF-8", path.display()))?;
        paths.push(text.to_owned());
    }
    if paths.is_empty() { Err(format!("nothing matches {}", whole.display())) } else { Ok(paths) }
}
