//! Formats of three tables: invocations and durations per function, memory per function or app.

use super::app_memory;
use super::fault::{Fault, Problem};
use super::invocations::{self, Invocations};
use super::profiles::{self, ProfileTable, Profiles};
use super::reading::{Reading, Selection};
use super::report::{Reason, Report};
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::Trace;

/// The names of the files.
pub(super) struct Tables {
    pub(super) invocations: String,
    pub(super) durations: String,
    pub(super) memory: String,
    pub(super) memory_of: MemoryOf,
}

/// Whose memory the memory file has.
pub(super) enum MemoryOf {
    Function,
    App,
}

impl MemoryOf {
    fn key(&self) -> &'static str {
        match self {
            Self::Function => "HashFunction",
            Self::App => "HashApp",
        }
    }

    fn subjects(&self) -> &'static str {
        match self {
            Self::Function => "functions",
            Self::App => "apps of functions",
        }
    }
}

/// Reads all three, even where one has faults, so that all faults are found.
pub(super) fn read(reading: &mut Reading<'_>, tables: &Tables, selection: &Selection) -> Option<Trace> {
    let read = invocations::read(reading, &tables.invocations, selection.units);
    let nothing = Invocations::default();
    let invocations = read.as_ref().unwrap_or(&nothing);
    let durations = ProfileTable {
        file: &tables.durations,
        key: "HashFunction",
        columns: RuntimeProfile::PERCENTILES.map(|p| format!("percentile_Average_{p}")),
        profile: RuntimeProfile::from_millis,
        duplicate: Reason::DuplicateDurations,
        unmatched: Reason::UnmatchedDurations,
    };
    let memory = ProfileTable {
        file: &tables.memory,
        key: tables.memory_of.key(),
        columns: MemoryProfile::PERCENTILES.map(|p| format!("AverageAllocatedMb_pct{p}")),
        profile: MemoryProfile::from_mib,
        duplicate: Reason::DuplicateMemory,
        unmatched: Reason::UnmatchedMemory,
    };
    let (index, kept) = (&invocations.index, invocations.functions.len());
    let runtimes = profiles::read(reading, durations, index, kept);
    let memories = match tables.memory_of {
        MemoryOf::Function => profiles::read(reading, memory, index, kept),
        MemoryOf::App => app_memory::read(reading, memory, invocations),
    };
    complete(reading, tables, selection, Parts { invocations: read?, runtimes, memories })
}

/// What was read of the three tables.
pub(super) struct Parts {
    pub(super) invocations: Invocations,
    pub(super) runtimes: Profiles<RuntimeProfile>,
    pub(super) memories: Profiles<MemoryProfile>,
}

/// Puts the parts together; functions that lack a profile are a fault or left out.
pub(super) fn complete(
    reading: &mut Reading<'_>,
    tables: &Tables,
    selection: &Selection,
    parts: Parts,
) -> Option<Trace> {
    if !selection.skip_incomplete {
        let Parts { invocations, runtimes, memories } = &parts;
        let missing = [
            runtimes.missing(&tables.durations, "functions", &invocations.functions),
            memories.missing(&tables.memory, tables.memory_of.subjects(), &invocations.functions),
        ];
        missing.into_iter().flatten().for_each(|fault| reading.faults.push(fault));
    }
    let trace = join(&mut reading.report, parts);
    if trace.functions.is_empty() && reading.faults.is_empty() {
        reading.faults.push(Fault::in_file(&tables.invocations, Problem::NothingLeft { units: trace.units }));
    }
    Some(trace)
}

/// Gives each function its profiles; those that lack one are left out.
fn join(report: &mut Report, parts: Parts) -> Trace {
    let Parts { invocations, runtimes, memories } = parts;
    let mut functions = Vec::with_capacity(invocations.functions.len());
    for (mut function, profiles) in
        invocations.functions.into_iter().zip(runtimes.found.into_iter().zip(memories.found))
    {
        match profiles {
            (None, _) => report.add(Reason::NoDurations, &function.id),
            (_, None) => report.add(Reason::NoMemory, &function.id),
            (runtime, memory) => {
                function.runtime = runtime;
                function.memory = memory;
                functions.push(function);
            }
        }
    }
    Trace { functions, units: invocations.units }
}
