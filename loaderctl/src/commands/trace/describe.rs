//! `trace describe`: a trace's statistics, by themselves or beside published ones or another trace's.

use std::path::Path;

use loader_trace::{
    Opened,
    describe::{AppMemory, Figures, Overview, azure2019},
    edit,
};

use super::files::{Incomplete, read_with};
use crate::{Ending, Failure, cli::DescribeArguments, output, render};

/// The name of the published statistics.
const PUBLISHED: &str = "azure2019";

/// Prints what is known of a trace.
pub(super) fn describe(format: output::Format, arguments: DescribeArguments) -> Result<Ending, Failure> {
    let DescribeArguments { input, against } = arguments;
    // A published day lacks the run times or the memory of some functions, which says nothing against the others.
    // And a day without one of the tables has statistics of the others.
    let read = |path: &Path| read_with(path, &input.reading, Incomplete::Described);
    let opened = read(&input.path)?;
    let (table, json) = match against.as_deref() {
        None => {
            let overview = Overview::of(&opened.trace);
            let faults = render::faults(&opened.report);
            (render::overview(&overview) + &faults, render::overview_json(&overview, &opened.report))
        }
        Some(path) if path == Path::new(PUBLISHED) => {
            let Opened { trace, app_memory, .. } = opened;
            let memory = if app_memory { AppMemory::SumOfFunctions } else { AppMemory::OfEachFunction };
            let rows = azure2019(&Figures::of(&trace, memory));
            (render::description(&rows), render::description_json(&rows))
        }
        Some(path) => {
            let other = read(path)?;
            let overviews = [&opened.trace, &other.trace].map(Overview::of);
            let difference = edit::diff(&opened.trace, &other.trace);
            (render::side_by_side(&overviews, &difference), render::side_by_side_json(&overviews, &difference))
        }
    };
    match format {
        output::Format::Table => output::text(&table)?,
        output::Format::Json => output::json(&json)?,
    }
    Ok(Ending::Done)
}
