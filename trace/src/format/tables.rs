//! Formats of three tables: invocations and durations per function, memory per function or app. The tables are told by their
//! headers; files that belong together have the same day or sample in their names.

use std::time::Duration;

use super::app_memory;
use super::fault::Fault;
use super::header::Header;
use super::invocations::{self, Invocations};
use super::problem::{Missing, Problem};
use super::profiles::{self, Found, ProfileTable, Profiles};
use super::reading::{Reading, Selection};
use super::repair::{LONGEST_MS, MOST_MB};
use super::report::{Reason, Repair};
use super::sets::{Companion, companion, pick};
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::Trace;

/// The unit of such a trace, where none is requested.
const OWN_UNIT: Duration = Duration::from_mins(1);

/// The names of the files.
pub(super) struct Tables {
    pub(super) invocations: String,
    /// None where the trace has none.
    pub(super) durations: Option<String>,
    pub(super) memory: Option<(String, MemoryOf)>,
}

/// Whose memory the memory file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemoryOf {
    Function,
    App,
}

impl MemoryOf {
    fn key(self) -> &'static str {
        match self {
            Self::Function => "HashFunction",
            Self::App => "HashApp",
        }
    }

    fn missing(self) -> Missing {
        match self {
            Self::Function => Missing::Memory,
            Self::App => Missing::AppMemory,
        }
    }
}

impl Tables {
    /// Those of the selected set.
    pub(super) fn find(reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Self> {
        let location = reading.files.location();
        let picked = pick(&reading.files, mains, selection, "tables of invocations");
        let invocations = reading.take(&location, picked)?;
        let runs = Companion {
            what: "tables of durations",
            is: &|header| header.has(&["HashFunction"]) && header.any(|name| name.starts_with("percentile_Average_")),
            usual: &["durations", "function_durations_percentiles", "_run"],
        };
        let durations = companion(&reading.files, &invocations, &runs);
        let sizes = Companion {
            what: "tables of memory",
            is: &|header| header.has(&["HashApp"]) && header.any(|name| name.starts_with("AverageAllocatedMb_pct")),
            usual: &["memory", "app_memory_percentiles", "_mem"],
        };
        let memory = companion(&reading.files, &invocations, &sizes);
        let (durations, memory) = (reading.take(&location, durations)?, reading.take(&location, memory)?);
        let memory_of = |name: String| {
            // A header that is not readable is found when the table is read.
            let header = Header::of(&reading.files, &name);
            let by_app = header.is_ok_and(|header| !header.has(&["HashFunction"]));
            (name, if by_app { MemoryOf::App } else { MemoryOf::Function })
        };
        Some(Self { invocations, durations, memory: memory.map(memory_of) })
    }

    /// The names of all.
    pub(super) fn names(self) -> Vec<String> {
        let Self { invocations, durations, memory } = self;
        [Some(invocations), durations, memory.map(|(name, _)| name)].into_iter().flatten().collect()
    }
}

/// The names of the selected set's files.
pub(super) fn needs(reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Vec<String>> {
    Tables::find(reading, mains, selection).map(Tables::names)
}

/// Reads all three, even where one has faults, so that all faults are found.
pub(super) fn read(reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
    let tables = Tables::find(reading, mains, selection)?;
    let location = reading.files.location();
    let span = reading.take(&location, selection.span(OWN_UNIT))?;
    let read = invocations::read(reading, &tables.invocations, &span, selection);
    let nothing = Invocations::default();
    let invocations = read.as_ref().unwrap_or(&nothing);
    let kept = invocations.functions.len();
    let runtimes = match &tables.durations {
        Some(file) => profiles::read(reading, selection, durations(file), &invocations.index, kept),
        None => Profiles::none(kept),
    };
    let memories = match &tables.memory {
        Some((file, MemoryOf::Function)) => {
            let table = memory(file, MemoryOf::Function);
            profiles::read(reading, selection, table, &invocations.index, kept)
        }
        Some((file, MemoryOf::App)) => {
            reading.app_memory = true;
            app_memory::read(reading, selection, memory(file, MemoryOf::App), invocations)
        }
        None => Profiles::none(kept),
    };
    let told = ("HashFunction, percentile_Average_0, …", "HashApp, AverageAllocatedMb_pct1, …");
    let of_memory = tables.memory.as_ref().map_or(MemoryOf::Function, |(_, of)| *of).missing();
    complete(
        reading,
        selection,
        Parts { file: &tables.invocations, invocations: read?, runtimes, memories, of_memory, told },
    )
    .map(|(functions, units)| Trace { functions, units, unit: span.unit })
}

fn durations(file: &str) -> ProfileTable<'_, RuntimeProfile, 7> {
    ProfileTable {
        file,
        key: "HashFunction",
        columns: RuntimeProfile::PERCENTILES.map(|p| format!("percentile_Average_{p}")),
        profile: RuntimeProfile::from_millis,
        average: "Average",
        with_average: RuntimeProfile::with_average,
        most: LONGEST_MS,
        duplicate: Reason::DuplicateDurations,
        unmatched: Reason::UnmatchedDurations,
        repair: Repair::Durations,
    }
}

fn memory(file: &str, of: MemoryOf) -> ProfileTable<'_, MemoryProfile, 8> {
    ProfileTable {
        file,
        key: of.key(),
        columns: MemoryProfile::PERCENTILES.map(|p| format!("AverageAllocatedMb_pct{p}")),
        profile: MemoryProfile::from_mib,
        average: "AverageAllocatedMb",
        with_average: MemoryProfile::with_average,
        most: MOST_MB,
        duplicate: Reason::DuplicateMemory,
        unmatched: Reason::UnmatchedMemory,
        repair: Repair::Memory,
    }
}

/// What was read of the three tables.
pub(super) struct Parts<'a> {
    /// The table of invocations.
    pub(super) file: &'a str,
    pub(super) invocations: Invocations,
    pub(super) runtimes: Profiles<RuntimeProfile>,
    pub(super) memories: Profiles<MemoryProfile>,
    /// What functions lack that the memory table lacks.
    pub(super) of_memory: Missing,
    /// How tables of durations and of memory are told.
    pub(super) told: (&'static str, &'static str),
}

/// Puts the parts together: the functions, and how many units there are. Functions that lack a profile get the fallback, or
/// are a fault, or left out.
pub(super) fn complete(
    reading: &mut Reading<'_>,
    selection: &Selection,
    parts: Parts<'_>,
) -> Option<(Vec<crate::trace::TraceFunction>, usize)> {
    let Parts { file, invocations, runtimes, memories, of_memory, told } = &parts;
    let fallback = selection.fallback;
    let mut missing = Vec::new();
    if fallback.runtime.is_none() {
        missing.extend(lacking(runtimes, file, "a table of durations", told.0, Missing::Durations));
        missing.extend(runtimes.missing(Missing::Durations, &invocations.functions));
    }
    if fallback.memory_mib.is_none() {
        missing.extend(lacking(memories, file, "a table of memory", told.1, *of_memory));
        missing.extend(memories.missing(*of_memory, &invocations.functions));
    }
    missing.retain(|fault: &Fault| {
        let is_table = matches!(fault.problem, Problem::TableMissing { .. });
        if is_table { !selection.without_tables } else { !selection.skip_incomplete }
    });
    missing.into_iter().for_each(|fault| reading.faults.push(fault));
    let (file, units) = ((*file).to_owned(), invocations.units);
    let functions = join(reading, selection, parts);
    if functions.is_empty() && reading.faults.is_empty() {
        reading.faults.push(Fault::in_file(&file, Problem::NothingLeft { units }));
    }
    Some((functions, units))
}

/// The fault of a table that is not there.
fn lacking<P>(
    profiles: &Profiles<P>,
    file: &str,
    what: &'static str,
    columns: &'static str,
    of: Missing,
) -> Option<Fault> {
    let is_absent = profiles.file.is_none();
    is_absent.then(|| Fault::in_file(file, Problem::TableMissing { what, columns, advice: of.advice() }))
}

/// Gives each function its profiles; those that lack one and get none are left out.
fn join(reading: &mut Reading<'_>, selection: &Selection, parts: Parts<'_>) -> Vec<crate::trace::TraceFunction> {
    let Parts { invocations, runtimes, memories, .. } = parts;
    let runtime = selection.fallback.runtime.map(RuntimeProfile::constant);
    let memory = selection.fallback.memory_mib.map(MemoryProfile::constant);
    // Of a table that need not be there nothing is missing.
    let (needs_runtime, needs_memory) =
        (runtimes.file.is_some() || !selection.without_tables, memories.file.is_some() || !selection.without_tables);
    let report = &mut reading.report;
    let mut functions = Vec::with_capacity(invocations.functions.len());
    let found = runtimes.found.into_iter().zip(memories.found);
    for (mut function, (of_runtime, of_memory)) in invocations.functions.into_iter().zip(found) {
        let (known_runtime, filled_runtime) = known(&of_runtime, runtime.as_ref());
        let (known_memory, filled_memory) = known(&of_memory, memory.as_ref());
        if known_runtime.is_none() && needs_runtime {
            let reason = if of_runtime == Found::Bad { Reason::BadDurations } else { Reason::NoDurations };
            report.add(reason, &function.id);
        } else if known_memory.is_none() && needs_memory {
            let reason = if of_memory == Found::Bad { Reason::BadMemory } else { Reason::NoMemory };
            report.add(reason, &function.id);
        } else {
            for (filled, repair) in [(filled_runtime, Repair::DefaultRuntime), (filled_memory, Repair::DefaultMemory)] {
                if filled {
                    report.repair(repair, &function.id);
                }
            }
            (function.runtime, function.memory) = (known_runtime, known_memory);
            functions.push(function);
        }
    }
    functions
}

/// What was found, or the fallback; and whether it is that.
fn known<P: Clone>(found: &Found<P>, fallback: Option<&P>) -> (Option<P>, bool) {
    match found {
        Found::Known(profile) => (Some(profile.clone()), false),
        Found::Absent | Found::Bad => (fallback.cloned(), fallback.is_some()),
    }
}
