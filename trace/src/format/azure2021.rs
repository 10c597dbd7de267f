//! Azure Functions 2021: one CSV file with a row for each invocation, `app,func,end_timestamp,duration`, the last two
//! in seconds. Other traces of single invocations come in it too, once converted; they may have a column `memory`, in MB.
//!
//! An invocation starts at `end_timestamp - duration`; the first start of the file is the start of the trace. A
//! function is one pair of `app` and `func`, for a `func` is unique only in its app; its id is `app/func`.
//!
//! Source: Zhang et al., "Faster and Cheaper Serverless Computing on Harvested Resources" (SOSP 2021); repository
//! `Azure/AzurePublicDataset`, `AzureFunctionsInvocationTrace2021.md`.

use super::calls::{Call, Calls, Origin, Whose, memory_mib, runtime_s, whole_ns, whole_us};
use super::header::Header;
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::sets::pick;
use super::table::{Amount, Table};
use super::tags::Tags;
use crate::trace::Trace;

const COLUMNS: [&str; 4] = ["app", "func", "end_timestamp", "duration"];

pub(super) struct Azure2021;

impl Reader for Azure2021 {
    fn name(&self) -> &'static str {
        "azure2021"
    }

    fn files(&self) -> &'static str {
        "a table app, func, end_timestamp, duration"
    }

    fn recognises(&self, _tags: &Tags, header: &Header) -> bool {
        header.has(&COLUMNS)
    }

    fn usual_name(&self, tags: &Tags) -> bool {
        tags.stem.starts_with("azurefunctionsinvocationtrace")
    }

    fn needs(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Vec<String>> {
        let location = reading.files.location();
        let picked = pick(&reading.files, mains, selection, "tables of invocations");
        reading.take(&location, picked).map(|file| vec![file])
    }

    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
        let [file] = &self.needs(reading, mains, selection)?[..] else { return None };
        read(reading, file, selection)
    }
}

fn read(reading: &mut Reading<'_>, file: &str, selection: &Selection) -> Option<Trace> {
    let mut table = Table::open(reading, file)?;
    let [app, func, end, duration] = table.columns(COLUMNS, &mut reading.faults)?;
    let memory = reading.faults.take(table.find("memory"))?;
    let mut calls = Calls::new(Origin::First, false);
    let mut key = String::new();
    while let Some(row) = table.next_row(&mut reading.faults) {
        let ids = reading.faults.take(row.id(app)).zip(reading.faults.take(row.id(func)));
        key.clear();
        if let Some((app, func)) = ids {
            key.extend([app, "/", func]);
        }
        // Both numbers are read as 64-bit floats: exact to a nanosecond for clocks that start near the trace (two weeks are
        // kept to 0.2 ns), to 0.3 µs for those that count from 1970.
        let end = reading.faults.take(row.amount(end, Amount::TIMESTAMP));
        let duration = runtime_s(reading, &row, duration, &key, selection);
        let memory_mib = memory.and_then(|memory| memory_mib(reading, &row, memory, &key, selection));
        if let (Some((app, _)), Some(end), Some(duration)) = (ids, end, duration) {
            let start_ns = whole_ns(end) - whole_ns(duration);
            let call = Call { start_ns, runtime_us: whole_us(duration), memory_mib };
            let added = calls.add(&key, Whose { owner: "", app }, call, selection);
            reading.take(file, added)?;
        }
    }
    calls.into_trace(reading, file, selection)
}

#[cfg(test)]
mod tests;
