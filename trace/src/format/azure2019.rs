//! The files of the two Azure 2019 formats.

use super::day::Daily;
use super::fault::Fault;
use super::source::Source;
use super::tables::{MemoryOf, Tables};

/// The published files of invocations.
pub(super) const INVOCATIONS: Daily = daily("invocations_per_function_md.anon.d");
const DURATIONS: Daily = daily("function_durations_percentiles.anon.d");
const MEMORY: Daily = daily("app_memory_percentiles.anon.d");

const fn daily(before: &'static str) -> Daily {
    Daily { before, digits: 2, after: ".csv" }
}

/// The files of a day.
pub(super) fn published(source: &dyn Source, names: &[String], day: Option<u32>) -> Result<Tables, Fault> {
    let day = INVOCATIONS.pick(source, names, day)?;
    Ok(Tables {
        invocations: INVOCATIONS.name(day),
        durations: DURATIONS.name(day),
        memory: MEMORY.name(day),
        memory_of: MemoryOf::App,
    })
}

/// The files of the preprocessed format.
pub(super) fn preprocessed() -> Tables {
    Tables {
        invocations: "invocations.csv".to_owned(),
        durations: "durations.csv".to_owned(),
        memory: "memory.csv".to_owned(),
        memory_of: MemoryOf::Function,
    }
}

#[cfg(test)]
mod tests;
