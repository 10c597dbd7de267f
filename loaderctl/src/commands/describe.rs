//! `trace describe`: a trace's statistics compared with published ones, without a daemon.

use loader_trace::{
    Directory, Format, Options, Source as _,
    describe::{AppMemory, Figures, azure2019},
    read,
};

use crate::{
    Ending, Failure,
    cli::{DescribeArguments, Reference},
    output::{self, note},
    render,
};

/// Prints a row for each statistic.
pub(super) fn describe(format: output::Format, arguments: DescribeArguments) -> Result<Ending, Failure> {
    let DescribeArguments { path, against: Reference::Azure2019, day } = arguments;
    let directory = Directory(path);
    let names = directory.names().map_err(|source| Failure::System {
        doing: format!("cannot list the files of {}", directory.location()),
        source,
    })?;
    let of_trace = Format::detect(&names);
    // A published day lacks the run times or the memory of some functions, which says nothing against the others.
    let options = Options { format: of_trace, day, skip_incomplete: true, ..Options::default() };
    let (trace, report) = read(&directory, &options).map_err(|faults| Failure::Input(faults.to_string()))?;
    for (reason, tally) in &report.left_out {
        note(&format!("left out: {reason} {}", tally.count));
    }
    let memory = match of_trace {
        Some(Format::Azure2019) => AppMemory::SumOfFunctions,
        _ => AppMemory::OfEachFunction,
    };
    let rows = azure2019(&Figures::of(&trace, memory));
    match format {
        output::Format::Table => output::text(&render::description(&rows))?,
        output::Format::Json => output::json(&render::description_json(&rows))?,
    }
    Ok(Ending::Done)
}
