//! `trace describe`: a trace's statistics compared with published ones, without a daemon.

use loader_trace::{
    Opened, Options,
    describe::{AppMemory, Figures, azure2019},
    open,
};

use crate::{
    Ending, Failure,
    cli::{DescribeArguments, Reference},
    output::{self, note},
    render,
};

/// Prints a row for each statistic.
pub(super) fn describe(format: output::Format, arguments: DescribeArguments) -> Result<Ending, Failure> {
    let DescribeArguments { path, against: Reference::Azure2019, day, size } = arguments;
    // A published day lacks the run times or the memory of some functions, which says nothing against the others.
    // And a day without one of the tables has statistics of the others.
    let options = Options { day, size, skip_incomplete: true, without_tables: true, ..Options::default() };
    let opened = open(&path, &options).map_err(|faults| Failure::Input(faults.to_string()))?;
    let Opened { trace, report, app_memory, format: _ } = opened;
    for (reason, tally) in &report.left_out {
        note(&format!("left out: {reason} {}", tally.count));
    }
    report.notes().iter().for_each(|text| note(text));
    let memory = if app_memory { AppMemory::SumOfFunctions } else { AppMemory::OfEachFunction };
    let rows = azure2019(&Figures::of(&trace, memory));
    match format {
        output::Format::Table => output::text(&render::description(&rows))?,
        output::Format::Json => output::json(&render::description_json(&rows))?,
    }
    Ok(Ending::Done)
}
