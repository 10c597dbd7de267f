//! `trace describe`: a trace's statistics, by themselves or beside published ones or another trace's.

use std::path::Path;

use loader_trace::{
    describe::{AppMemory, Figures, azure2019},
    edit,
};
use serde_json::Value;

use super::files::{Incomplete, read_with, write_file};
use crate::{
    Ending, Failure,
    cli::DescribeArguments,
    output::{self, note},
    render::{self, Described},
};

/// The name of the published statistics.
const PUBLISHED: &str = "azure2019";

/// Prints what is known of a trace, and writes a page where one is asked for.
pub(super) fn describe(format: output::Format, arguments: DescribeArguments) -> Result<Ending, Failure> {
    let DescribeArguments { input, against, html, force } = arguments;
    if let Some(file) = html.as_deref().filter(|file| !force && file.symlink_metadata().is_ok()) {
        return Err(Failure::Input(format!("{} exists; use --force to replace it", file.display())));
    }
    // A published day lacks the run times or the memory of some functions, which says nothing against the others.
    // And a day without one of the tables has statistics of the others.
    let read = |path: &Path| read_with(path, &input.reading, Incomplete::Described);
    let opened = read(&input.path)?;
    let mut traces = vec![Described::of(name(&input.path), &opened.trace)];
    let (mut published, mut table, mut json) = (Vec::new(), String::new(), Value::Null);
    match against.as_deref() {
        None => {
            let overview = &traces[0].overview;
            table = render::overview(overview) + &render::faults(&opened.report);
            json = render::overview_json(overview, &opened.report);
        }
        Some(path) if path == Path::new(PUBLISHED) => {
            let memory = if opened.app_memory { AppMemory::SumOfFunctions } else { AppMemory::OfEachFunction };
            published = azure2019(&Figures::of(&opened.trace, memory));
            (table, json) = (render::description(&published), render::description_json(&published));
        }
        Some(path) => {
            let other = read(path)?.trace;
            let difference = edit::diff(&opened.trace, &other);
            traces.push(Described::of(name(path), &other));
            if let [first, second] = traces.as_slice() {
                let overviews = [&first.overview, &second.overview];
                table = render::side_by_side(overviews, &difference);
                json = render::side_by_side_json(overviews, &difference);
            }
        }
    }
    if let Some(file) = &html {
        write_file(file, &render::trace_page(&traces, &published, &opened.report), force)?;
        note(&format!("a page is in {}", file.display()));
    }
    match format {
        output::Format::Table => output::text(&table)?,
        output::Format::Json => output::json(&json)?,
    }
    Ok(Ending::Done)
}

/// What a trace is called: the last part of its path.
fn name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
