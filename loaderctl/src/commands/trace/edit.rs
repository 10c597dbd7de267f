//! `trace slice`, `convert`, `merge`, `split`, `scale`: traces made of traces.

use std::fs;
use std::path::{Path, PathBuf};

use loader_trace::edit::{self, EditError, Scaled, Scaling, Selection, Way};

use super::files::{Writing, extent, read};
use crate::cli::{ConvertArguments, MergeArguments, ScaleArguments, SliceArguments, SplitArguments, WayName};
use crate::{Ending, Failure, output::note, render::units::percent};

/// Keeps a part of a trace.
pub(super) fn slice(arguments: SliceArguments) -> Result<Ending, Failure> {
    let SliceArguments { input, output, seed, names, triggers, apps, .. } = &arguments;
    let opened = read(&input.path, &input.reading)?;
    let selection = Selection {
        triggers: triggers.clone(),
        apps: apps.clone(),
        names: listed(names)?,
        least_rate: arguments.min_rate,
        most_rate: arguments.max_rate,
        least_runtime_ms: arguments.min_runtime.map(|runtime| runtime.as_secs_f64() * 1000.0),
        most_runtime_ms: arguments.max_runtime.map(|runtime| runtime.as_secs_f64() * 1000.0),
        top: arguments.top,
    };
    let trace = edit::select(&opened.trace, &selection).map_err(failure)?;
    let all = opened.trace.invocations();
    let share = trace.invocations() as f64 / all.max(1) as f64;
    note(&format!(
        "kept {} of {} functions, {} of the invocations",
        trace.functions.len(),
        opened.trace.functions.len(),
        percent(share)
    ));
    Writing::of(output.clone(), *seed).write_one(trace)?;
    Ok(Ending::Done)
}

/// Names as they were given, or one from each line of `@FILE`.
fn listed(names: &[String]) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for name in names {
        let Some(file) = name.strip_prefix('@') else {
            all.push(name.clone());
            continue;
        };
        let text = fs::read_to_string(file)
            .map_err(|source| Failure::System { doing: format!("cannot read {file}"), source })?;
        all.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(all)
}

/// Writes a trace in another format.
pub(super) fn convert(arguments: ConvertArguments) -> Result<Ending, Failure> {
    let ConvertArguments { input, output, seed } = arguments;
    let opened = read(&input.path, &input.reading)?;
    Writing::of(output, seed).write_one(opened.trace)?;
    Ok(Ending::Done)
}

/// Makes one trace of several.
pub(super) fn merge(arguments: MergeArguments) -> Result<Ending, Failure> {
    let MergeArguments { paths, reading, output, seed } = arguments;
    let mut traces = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        traces.push((name(path, &paths[..number], number), read(path, &reading)?.trace));
    }
    Writing::of(output, seed).write_one(edit::merge(traces).map_err(failure)?)?;
    Ok(Ending::Done)
}

/// The last part of a path without what follows a dot; with a number where an earlier one has the same.
fn name(path: &Path, before: &[PathBuf], number: usize) -> String {
    let stem = |path: &Path| path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let own = stem(path);
    let is_taken = own.is_empty() || before.iter().any(|other| stem(other) == own);
    if is_taken { format!("{own}{}", number + 1) } else { own }
}

/// Splits a trace into disjoint parts.
pub(super) fn split(arguments: SplitArguments) -> Result<Ending, Failure> {
    let SplitArguments { input, parts, output, seed } = arguments;
    let opened = read(&input.path, &input.reading)?;
    let traces = edit::split(&opened.trace, parts).map_err(failure)?;
    let texts: Vec<String> = traces.iter().map(extent).collect();
    let writing = Writing::of(output, seed);
    let folders = (1..).map(|number: usize| PathBuf::from(number.to_string()));
    writing.write(&folders.zip(traces).collect::<Vec<_>>(), &[])?;
    for (number, text) in (1..).zip(texts) {
        note(&format!("{text} are in {}", writing.to().join(number.to_string()).display()));
    }
    Ok(Ending::Done)
}

/// Gives a trace another load.
pub(super) fn scale(arguments: ScaleArguments) -> Result<Ending, Failure> {
    let ScaleArguments { input, output, way, begin, length, peak_rate, seed } = arguments;
    let opened = read(&input.path, &input.reading)?;
    let way = match (way, begin) {
        (Some(WayName::MinuteRange), begin) => Way::Range { from: begin.unwrap_or_default() },
        (_, Some(_)) => return Err(Failure::Input("--begin is of --way minute-range".to_owned())),
        (Some(WayName::Thumbnails), None) => Way::Thumbnails,
        (Some(WayName::Smirnov), None) => Way::Smirnov,
        (None, None) => Way::Whole,
    };
    let scaling = Scaling { way, duration: length, peak_rate, seed };
    let Scaled { trace, keeps, breaks, lost, kept } = edit::scale(&opened.trace, &scaling).map_err(failure)?;
    keeps.iter().for_each(|text| note(&format!("keeps {text}")));
    breaks.iter().for_each(|text| note(&format!("breaks {text}")));
    if kept < 1.0 {
        note(&format!("each invocation was kept with a probability of {}", percent(kept)));
    }
    if lost > 0 {
        note(&format!("{lost} functions are invoked no more, and were left out"));
    }
    Writing::of(output, seed).write_one(trace)?;
    Ok(Ending::Done)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failure(error: EditError) -> Failure {
    Failure::Input(error.to_string())
}
