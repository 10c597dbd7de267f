//! Azure Functions 2019 as published, for one day: invocations per minute and run times per function, memory per app.
//!
//! - `invocations_per_function_md.anon.dNN.csv`: `HashOwner,HashApp,HashFunction,Trigger`, then a column for each
//!   minute, `1` to `1440`, with the number of invocations;
//! - `function_durations_percentiles.anon.dNN.csv`: the ids, then among others
//!   `percentile_Average_{0,1,25,50,75,99,100}` in ms, without cold starts: percentiles of averages over 30 s;
//! - `app_memory_percentiles.anon.dNN.csv`: `HashOwner,HashApp`, then among others
//!   `AverageAllocatedMb_pct{1,5,25,50,75,95,99,100}` in MB per app, of averages over a minute. A function's memory
//!   is its app's, divided by the number of the app's functions in the invocations file, and at least 1 MiB. The
//!   last two of the fourteen days have no such file.
//!
//! Source: Shahrad et al., "Serverless in the Wild" (USENIX ATC 2020); repository `Azure/AzurePublicDataset`,
//! `AzureFunctionsDataset2019.md`.

use super::day::Daily;
use super::fault::Fault;
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::source::Source;
use super::tables::{self, MemoryOf, Tables};
use crate::trace::Trace;

/// The files of invocations.
const INVOCATIONS: Daily = daily("invocations_per_function_md.anon.d");
const DURATIONS: Daily = daily("function_durations_percentiles.anon.d");
const MEMORY: Daily = daily("app_memory_percentiles.anon.d");

const fn daily(before: &'static str) -> Daily {
    Daily { before, digits: 2, after: ".csv" }
}

pub(super) struct Azure2019;

impl Reader for Azure2019 {
    fn name(&self) -> &'static str {
        "azure2019"
    }

    fn files(&self) -> &'static str {
        "invocations_per_function_md.anon.dNN.csv, …"
    }

    fn recognises(&self, names: &[String]) -> bool {
        !INVOCATIONS.days(names).is_empty()
    }

    fn read(&self, reading: &mut Reading<'_>, names: &[String], selection: &Selection) -> Option<Trace> {
        let tables = reading.faults.take(day_tables(reading.source, names, selection.day))?;
        tables::read(reading, &tables, selection)
    }
}

/// The files of a day.
fn day_tables(source: &dyn Source, names: &[String], day: Option<u32>) -> Result<Tables, Fault> {
    let day = INVOCATIONS.pick(source, names, day)?;
    Ok(Tables {
        invocations: INVOCATIONS.name(day),
        durations: DURATIONS.name(day),
        memory: MEMORY.name(day),
        memory_of: MemoryOf::App,
    })
}

#[cfg(test)]
mod tests;
