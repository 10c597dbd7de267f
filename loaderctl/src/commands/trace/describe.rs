//! `trace describe`: a trace's statistics compared with published ones, without a daemon.

use loader_trace::{
    Opened, Options,
    describe::{AppMemory, Figures, azure2019},
};

use super::files::opened;

use crate::{
    Ending, Failure,
    cli::{DescribeArguments, Reference},
    output, render,
};

/// Prints a row for each statistic.
pub(super) fn describe(format: output::Format, arguments: DescribeArguments) -> Result<Ending, Failure> {
    let DescribeArguments { path, against: Reference::Azure2019, day, size } = arguments;
    // A published day lacks the run times or the memory of some functions, which says nothing against the others.
    // And a day without one of the tables has statistics of the others.
    let options = Options { day, size, skip_incomplete: true, without_tables: true, ..Options::default() };
    let Opened { trace, report: _, app_memory, format: _ } = opened(&path, &options)?;
    let memory = if app_memory { AppMemory::SumOfFunctions } else { AppMemory::OfEachFunction };
    let rows = azure2019(&Figures::of(&trace, memory));
    match format {
        output::Format::Table => output::text(&render::description(&rows))?,
        output::Format::Json => output::text(&format!("{:#}", render::description_json(&rows)))?,
    }
    Ok(Ending::Done)
}
