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

use super::header::Header;
use super::invocations;
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::tables;
use super::tags::Tags;
use crate::trace::Trace;

pub(super) struct Azure2019;

impl Reader for Azure2019 {
    fn name(&self) -> &'static str {
        "azure2019"
    }

    fn files(&self) -> &'static str {
        "tables of one day, invocations_per_function_md.anon.dNN.csv and others"
    }

    fn recognises(&self, tags: &Tags, header: &Header) -> bool {
        // A day of a data set has its number in the name.
        invocations::recognises(header) && tags.stem.contains(".anon.d")
    }

    fn accepts(&self, _tags: &Tags, header: &Header) -> bool {
        invocations::recognises(header)
    }

    fn usual_name(&self, tags: &Tags) -> bool {
        tags.stem.starts_with("invocations_per_function")
    }

    fn needs(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Vec<String>> {
        tables::needs(reading, mains, selection)
    }

    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
        tables::read(reading, mains, selection)
    }
}

#[cfg(test)]
mod tests;
