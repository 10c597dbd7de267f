//! `trace diff`: what differs between two traces.

use loader_trace::edit;

use super::files::read;
use crate::{Ending, Failure, cli::DiffArguments, output, render};

/// Functions shown unless all are asked for.
const SHOWN: usize = 10;

/// Prints what differs.
pub(super) fn diff(format: output::Format, arguments: DiffArguments) -> Result<Ending, Failure> {
    let DiffArguments { first, second, reading, all } = arguments;
    let (first, second) = (read(&first, &reading)?.trace, read(&second, &reading)?.trace);
    let difference = edit::diff(&first, &second);
    match format {
        output::Format::Table => output::text(&render::difference(&difference, if all { usize::MAX } else { SHOWN }))?,
        output::Format::Json => output::json(&render::difference_json(&difference))?,
    }
    Ok(Ending::Done)
}
