//! Huawei's private cloud 2023, for one day: a folder for each quantity, in it `day_NNN.csv` with a row for each minute,
//! `day,time,<function>,<function>,…`. `time` is in seconds, from the midnight of the first day. Cells may be empty.
//!
//! - `requests_minute`: the number of invocations; empty, or without a row: none;
//! - `function_delay_minute`: the mean run time of a minute's invocations in seconds. A function's profile is the
//!   distribution of these means, each counted as often as the function is invoked in its minute: it spreads less
//!   than the run times of single invocations, which are not published;
//! - `memory_limit_minute`: the memory allocated to all instances of the function, in MB;
//! - `instances_minute`: how many those are. With this folder, memory is that of one instance; without, it is taken
//!   as it stands.
//!
//! Source: Joosen et al., "How Does It Function? Characterizing Long-term Trends in Production Serverless Workloads"
//! (SoCC 2023); repository `sir-lab/data-release`, `README_data_release_2023.md`.

use super::day::Daily;
use super::fault::{Fault, Problem};
use super::invocations::Invocations;
use super::minutes::Minutes;
use super::per_minute::PerMinute;
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::report::Reason;
use super::source::Source;
use super::table::Amount;
use super::tables::{self, MemoryOf, Parts, Tables};
use crate::counts::Counts;
use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::{Trace, TraceFunction};

/// The files of requests.
const REQUESTS: Daily = daily("requests_minute/day_");
const DELAYS: Daily = daily("function_delay_minute/day_");
const MEMORY: Daily = daily("memory_limit_minute/day_");
const INSTANCES: Daily = daily("instances_minute/day_");

const fn daily(before: &'static str) -> Daily {
    Daily { before, digits: 3, after: ".csv" }
}

pub(super) struct Huawei2023;

impl Reader for Huawei2023 {
    fn name(&self) -> &'static str {
        "huawei2023"
    }

    fn files(&self) -> &'static str {
        "requests_minute/day_NNN.csv, …"
    }

    fn recognises(&self, names: &[String]) -> bool {
        !REQUESTS.days(names).is_empty()
    }

    fn read(&self, reading: &mut Reading<'_>, names: &[String], selection: &Selection) -> Option<Trace> {
        let files = reading.faults.take(files(reading.source, names, selection.day))?;
        read(reading, &files, selection)
    }
}

/// The names of a day's files.
struct Files {
    tables: Tables,
    /// Optional; without it the memory is that of one instance.
    instances: Option<String>,
}

/// The files of a day.
fn files(source: &dyn Source, names: &[String], day: Option<u32>) -> Result<Files, Fault> {
    let day = REQUESTS.pick(source, names, day)?;
    let tables = Tables {
        invocations: REQUESTS.name(day),
        durations: DELAYS.name(day),
        memory: MEMORY.name(day),
        memory_of: MemoryOf::Function,
    };
    Ok(Files { tables, instances: Some(INSTANCES.name(day)).filter(|name| names.contains(name)) })
}

/// Reads all files, even where one has faults, so that all faults are found.
fn read(reading: &mut Reading<'_>, files: &Files, selection: &Selection) -> Option<Trace> {
    let Files { tables, instances } = files;
    let read = read_requests(reading, &tables.invocations, selection.units);
    let nothing = Invocations::default();
    let invocations = read.as_ref().unwrap_or(&nothing);
    let mut table = |file, amount, unmatched| PerMinute::read(reading, file, invocations, amount, unmatched);
    let delays = table(&tables.durations, Amount::SECONDS, Some(Reason::UnmatchedDurations));
    let mut memory = table(&tables.memory, Amount::MEGABYTES, Some(Reason::UnmatchedMemory));
    if let Some(instances) = instances {
        memory.divide(&table(instances, Amount::INSTANCES, None));
    }
    let runtimes = delays.profiles(invocations, RuntimeProfile::PERCENTILES, |seconds| {
        RuntimeProfile::from_millis(seconds.map(|seconds| seconds * 1000.0))
    });
    let memories = memory.profiles(invocations, MemoryProfile::PERCENTILES, MemoryProfile::from_mib);
    tables::complete(reading, tables, selection, Parts { invocations: read?, runtimes, memories })
}

/// Reads the first `units` minutes of `file`, or all up to its last. A minute without a row, and an empty cell, are
/// without requests.
fn read_requests(reading: &mut Reading<'_>, file: &str, units: Option<usize>) -> Option<Invocations> {
    let minutes = Minutes::open(reading, file)?;
    let ids: Vec<String> = minutes.functions().map(str::to_owned).collect();
    let mut counts: Vec<Vec<u32>> = vec![Vec::new(); ids.len()];
    let mut there = 0;
    minutes.each(reading, |reading, minute| {
        there = there.max(minute.number + 1);
        if units.is_some_and(|units| minute.number >= units) {
            return;
        }
        for (index, column) in minute.cells() {
            let Some(count) = reading.faults.take(minute.row().count(column)) else { continue };
            let counts = &mut counts[index];
            counts.resize(counts.len().max(minute.number + 1), 0);
            counts[minute.number] = count;
        }
    });
    let wanted = units.unwrap_or(there);
    if wanted > there {
        reading.faults.push(Fault::in_file(file, Problem::TooShort { units: there, wanted }));
    }
    let mut invocations = Invocations { units: wanted.min(there), ..Invocations::default() };
    for (id, mut counts) in ids.into_iter().zip(counts) {
        counts.resize(invocations.units, 0);
        if counts.iter().all(|&count| count == 0) {
            reading.report.add(Reason::NoInvocations, &id);
            invocations.index.insert(id, None);
        } else {
            invocations.index.insert(id.clone(), Some(invocations.functions.len()));
            invocations.functions.push(function(id, &counts));
        }
    }
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
