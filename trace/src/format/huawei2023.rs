//! Huawei's private and public cloud 2023, for one day: a folder for each quantity, in it `day_NNN.csv` with a row for each
//! minute or second, `day,time,<function>,<function>,…`. `time` is in seconds, from the midnight of the first day. Cells may
//! be empty.
//!
//! - `requests_minute`, `requests_second`: the number of invocations; empty, or without a row: none. A unit lasts as long
//!   as a row. Where both are there, minutes are read unless seconds are requested;
//! - `function_delay_minute`, `function_delay_second`: the mean run time of a row's invocations in seconds. A function's
//!   profile is the distribution of these means, each counted as often as the function is invoked in its row: it spreads
//!   less than the run times of single invocations, which are not published. Not of the public cloud;
//! - `memory_limit_minute`: the memory allocated to all instances of the function, in MB. Not of the public cloud;
//! - `instances_minute`: how many those are. With this folder, memory is that of one instance; without, it is taken
//!   as it stands.
//!
//! What a file counts is said by its folder alone: all have the same header.
//!
//! Source: Joosen et al., "How Does It Function? Characterizing Long-term Trends in Production Serverless Workloads"
//! (SoCC 2023); repository `sir-lab/data-release`, `README_data_release_2023.md`.

use std::time::Duration;

use super::files::Files;
use super::header::Header;
use super::invocations::Invocations;
use super::minutes::Minutes;
use super::per_minute::{PerMinute, Quantity, Replayed};
use super::problem::{Missing, Problem};
use super::profiles::Profiles;
use super::reader::Reader;
use super::reading::{Reading, Selection, Span};
use super::report::{Reason, Repair};
use super::sets::pick;
use super::table::Amount;
use super::tables::{self, Parts};
use super::tags::Tags;
use crate::counts::Counts;
use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::{Trace, TraceFunction};

const REQUESTS: &str = "requests_";
const DELAYS: &str = "function_delay";
const MEMORY: &str = "memory_limit";
const INSTANCES: &str = "instances";

/// What else there is, and is not replayed.
const OTHERS: [&str; 4] = ["platform_delay", "cpu_usage", "memory_usage", "cpu_limit"];

const MINUTE: (&str, u32) = ("_minute", 60);
const SECOND: (&str, u32) = ("_second", 1);

pub(super) struct Huawei2023;

impl Reader for Huawei2023 {
    fn name(&self) -> &'static str {
        "huawei2023"
    }

    fn files(&self) -> &'static str {
        "folders requests_minute or requests_second with tables day, time, <function>, …"
    }

    fn recognises(&self, tags: &Tags, header: &Header) -> bool {
        let told = header.has(&["day"]) || tags.folder.starts_with(REQUESTS);
        let is_series = told && header.has(&["time"]) && !header.has(&["funcName"]) && !header.has(&["totalcost"]);
        let other = [DELAYS, MEMORY, INSTANCES].iter().chain(&OTHERS).any(|other| tags.folder.starts_with(other));
        is_series && !other
    }

    fn usual_name(&self, tags: &Tags) -> bool {
        tags.folder.starts_with(REQUESTS)
    }

    fn needs(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Vec<String>> {
        Day::find(reading, mains, selection).map(|day| {
            let tables = [Some(day.requests), day.delays, day.memory, day.instances];
            tables.into_iter().flatten().map(|table| table.file).collect()
        })
    }

    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
        let day = Day::find(reading, mains, selection)?;
        read(reading, &day, selection)
    }
}

/// A table of a day.
struct Table {
    file: String,
    /// What a row lasts, in seconds.
    row_s: u32,
}

/// The tables of a day.
struct Day {
    requests: Table,
    delays: Option<Table>,
    memory: Option<Table>,
    /// Without it the memory is that of one instance.
    instances: Option<Table>,
}

impl Day {
    fn find(reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Self> {
        let files = &reading.files;
        let row_s = |name: &str| if files.tags(name).folder.ends_with(SECOND.0) { SECOND.1 } else { MINUTE.1 };
        let (seconds, minutes): (Vec<String>, Vec<String>) =
            mains.iter().cloned().partition(|name| row_s(name) == SECOND.1);
        let wants_seconds = selection.unit == Some(Duration::from_secs(1)) && !seconds.is_empty();
        let mains = if wants_seconds || minutes.is_empty() { seconds } else { minutes };
        let picked = pick(files, &mains, selection, "tables of requests");
        let location = files.location();
        let requests = picked.map(|file| Table { row_s: row_s(&file), file });
        let requests = reading.take(&location, requests)?;
        let of = |quantity: &str| companion(&reading.files, &requests, quantity);
        let (delays, memory, instances) = (of(DELAYS), of(MEMORY), of(INSTANCES));
        Some(Self { requests, delays, memory, instances })
    }
}

/// The table of another quantity on the same day, with rows of the same length if there is one.
fn companion(files: &Files<'_>, requests: &Table, quantity: &str) -> Option<Table> {
    let day = files.tags(&requests.file).day;
    let lengths = if requests.row_s == SECOND.1 { [SECOND, MINUTE] } else { [MINUTE, SECOND] };
    lengths.into_iter().find_map(|(ending, row_s)| {
        let folder = format!("{quantity}{ending}");
        let belongs = |name: &&str| {
            let tags = files.tags(name);
            tags.folder == folder && tags.day == day
        };
        files.names().find(belongs).map(|name| Table { file: name.to_owned(), row_s })
    })
}

/// Reads all tables, even where one has faults, so that all faults are found.
fn read(reading: &mut Reading<'_>, day: &Day, selection: &Selection) -> Option<Trace> {
    let Day { requests, delays, memory, instances } = day;
    let location = reading.files.location();
    let span = selection.span(Duration::from_secs(requests.row_s.into()));
    let span = reading.take(&location, span)?;
    let read = read_requests(reading, requests, &span, selection);
    let nothing = Invocations::default();
    let invocations = read.as_ref().unwrap_or(&nothing);
    let kept = invocations.functions.len();
    let replayed = Replayed { row_s: requests.row_s, first: span.first };
    let mut table = |table: &Table, amount, unmatched, repair| {
        let quantity = Quantity { file: &table.file, row_s: table.row_s, amount, unmatched, repair };
        PerMinute::read(reading, &quantity, invocations, selection)
    };
    let unmatched = Some(Reason::UnmatchedDurations);
    let delays = delays.as_ref().map(|delays| table(delays, Amount::SECONDS, unmatched, Repair::Durations));
    let unmatched = Some(Reason::UnmatchedMemory);
    let mut memory = memory.as_ref().map(|memory| table(memory, Amount::MEGABYTES, unmatched, Repair::Memory));
    if let (Some(memory), Some(instances)) = (&mut memory, instances) {
        memory.divide(&table(instances, Amount::INSTANCES, None, Repair::Memory));
    }
    let runtimes = delays.map(|delays| {
        delays.profiles(invocations, replayed, RuntimeProfile::PERCENTILES, |seconds| {
            RuntimeProfile::from_millis(seconds.map(|seconds| seconds * 1000.0))
        })
    });
    let memories = memory
        .map(|memory| memory.profiles(invocations, replayed, MemoryProfile::PERCENTILES, MemoryProfile::from_mib));
    let (runtimes, memories) =
        (runtimes.unwrap_or_else(|| Profiles::none(kept)), memories.unwrap_or_else(|| Profiles::none(kept)));
    let told = ("folder function_delay_minute or function_delay_second", "folder memory_limit_minute");
    let parts =
        Parts { file: &requests.file, invocations: read?, runtimes, memories, of_memory: Missing::Memory, told };
    tables::complete(reading, selection, parts).map(|(functions, units)| Trace { functions, units, unit: span.unit })
}

/// Reads the rows of `span`; all lie before the table's last. A row that is not there, and an empty cell, are without
/// requests.
fn read_requests(reading: &mut Reading<'_>, table: &Table, span: &Span, selection: &Selection) -> Option<Invocations> {
    let minutes = Minutes::open(reading, &table.file, table.row_s)?;
    let ids: Vec<String> = minutes.functions().map(str::to_owned).collect();
    let rows = (86_400 / table.row_s.max(1)) as usize;
    if ids.len().saturating_mul(span.wanted.unwrap_or(rows).min(rows)) > selection.limits.counts {
        let problem = Problem::TooMany { what: "counts", most: selection.limits.counts };
        return reading.take(&table.file, Err(problem));
    }
    let mut counts: Vec<Vec<u32>> = vec![Vec::new(); ids.len()];
    let mut there = 0;
    minutes.each(reading, |reading, minute| {
        there = there.max(minute.number + 1);
        let Some(position) = span.position(minute.number) else { return };
        for (index, column) in minute.cells() {
            let Some(count) = reading.faults.take(minute.row().count(column)) else { continue };
            let counts = &mut counts[index];
            counts.resize(counts.len().max(position + 1), 0);
            counts[position] = count;
        }
    });
    let units = span.units(there, &mut reading.report);
    let units = reading.take(&table.file, units)?;
    let mut invocations = Invocations { units, ..Invocations::default() };
    for (id, mut counts) in ids.into_iter().zip(counts) {
        counts.resize(units, 0);
        if counts.iter().all(|&count| count == 0) {
            reading.report.add(Reason::NoInvocations, &id);
            invocations.index.insert(id, None);
        } else {
            invocations.index.insert(id.clone(), Some(invocations.functions.len()));
            invocations.functions.push(function(id, &counts));
        }
    }
    reading.take(&table.file, invocations.bounded(selection))?;
    Some(invocations)
}

fn function(id: String, counts: &[u32]) -> TraceFunction {
    TraceFunction {
        id,
        owner: String::new(),
        app: String::new(),
        trigger: None,
        load: Load::Counts(Counts::new(counts)),
        runtime: None,
        memory: None,
    }
}

#[cfg(test)]
mod tests;
