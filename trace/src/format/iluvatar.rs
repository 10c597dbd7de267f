//! The two tables of Ilúvatar's load generator:
//!
//! - invocations, `func_name,invoke_time_ms` (in older ones `function_id`): when each is invoked, from the start of the
//!   trace;
//! - functions, `func_name,cold_dur_ms,warm_dur_ms,mem_mb,…`: the run time of a warm start, which is replayed, and memory.
//!
//! Source: repository `COS-IN/iluvatar-faas`.

use std::collections::HashMap;
use std::num::NonZeroU32;

use super::calls::{Call, Calls, Origin, Whose, memory_mib, whole_us};
use super::fault::Fault;
use super::header::Header;
use super::problem::{Missing, Problem};
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::repair::{LONGEST_MS, Repaired, single};
use super::report::{Occurrences, Reason, Repair};
use super::sets::{Companion, companion, pick};
use super::table::{Amount, Table};
use super::tags::Tags;
use crate::trace::Trace;

/// What functions are called in the tables of one version.
const KEYS: [&str; 2] = ["func_name", "function_id"];
const WHEN: &str = "invoke_time_ms";
const RUNS: &str = "warm_dur_ms";
const TAKES: &str = "mem_mb";

pub(super) struct Iluvatar;

impl Reader for Iluvatar {
    fn name(&self) -> &'static str {
        "iluvatar"
    }

    fn files(&self) -> &'static str {
        "tables func_name, invoke_time_ms and func_name, warm_dur_ms, mem_mb, …"
    }

    fn recognises(&self, _tags: &Tags, header: &Header) -> bool {
        header.has(&[WHEN]) && KEYS.iter().any(|key| header.has(&[key]))
    }

    fn needs(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Vec<String>> {
        find(reading, mains, selection)
            .map(|(invocations, functions)| std::iter::once(invocations).chain(functions).collect())
    }

    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
        let (invocations, functions) = find(reading, mains, selection)?;
        let known = match &functions {
            Some(file) => read_functions(reading, file, selection)?,
            None => HashMap::new(),
        };
        if functions.is_none() && selection.fallback.runtime.is_none() {
            let columns = "func_name, warm_dur_ms, mem_mb, …";
            let problem =
                Problem::TableMissing { what: "a table of functions", columns, advice: Missing::Durations.advice() };
            reading.faults.push(Fault::in_file(&invocations, problem));
            return None;
        }
        let table = functions.unwrap_or_else(|| invocations.clone());
        read_invocations(reading, &invocations, Functions { known, table }, selection)
    }
}

/// The table of invocations, and that of functions.
fn find(reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<(String, Option<String>)> {
    let location = reading.files.location();
    let picked = pick(&reading.files, mains, selection, "tables of invocations");
    let invocations = reading.take(&location, picked)?;
    let wanted = Companion {
        what: "tables of functions",
        is: &|header| header.has(&[RUNS]) && KEYS.iter().any(|key| header.has(&[key])),
        usual: &["metadata"],
    };
    let functions = companion(&reading.files, &invocations, &wanted);
    Some((invocations, reading.take(&location, functions)?))
}

/// What each function asks for.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// None where it can't be repaired.
    runtime_us: Option<u32>,
    memory_mib: Option<NonZeroU32>,
}

/// The functions by name.
struct Functions {
    known: HashMap<String, Size>,
    /// The file that has them.
    table: String,
}

fn key(table: &Table) -> Result<usize, Fault> {
    match table.find(KEYS[0])? {
        Some(key) => Ok(key),
        None => table.column(KEYS[1]),
    }
}

fn read_functions(reading: &mut Reading<'_>, file: &str, selection: &Selection) -> Option<HashMap<String, Size>> {
    let mut table = Table::open(reading, file)?;
    let key = reading.faults.take(key(&table));
    let runs = reading.faults.take(table.column(RUNS));
    let takes = reading.faults.take(table.find(TAKES));
    let (key, runs, takes) = (key?, runs?, takes?);
    let mut known: HashMap<String, Size> = HashMap::new();
    while let Some(row) = table.next_row(&mut reading.faults) {
        if known.len() >= selection.limits.rows {
            let problem = Problem::TooMany { what: "functions", most: selection.limits.rows };
            return reading.take(file, Err(problem));
        }
        let Some(id) = reading.faults.take(row.id(key)) else { continue };
        if known.contains_key(id) {
            reading.report.add(Reason::DuplicateDurations, id);
            continue;
        }
        let ms = Amount { unit: "milliseconds", least: 0.0, most: LONGEST_MS };
        let runtime_ms = if selection.strict {
            reading.faults.take(row.amount(runs, ms))
        } else {
            match reading.faults.take(row.optional(runs)).map(|value| single(value, ms.most)) {
                Some(Repaired::Sound(ms)) => Some(ms),
                Some(Repaired::Changed(ms)) => {
                    reading.report.repair(Repair::Durations, id);
                    Some(ms)
                }
                Some(Repaired::Hopeless) | None => None,
            }
        };
        let memory_mib = takes.and_then(|takes| memory_mib(reading, &row, takes, id, selection));
        let runtime_us = runtime_ms.map(|ms| whole_us(ms / 1000.0));
        known.insert(id.to_owned(), Size { runtime_us, memory_mib });
    }
    Some(known)
}

fn read_invocations(
    reading: &mut Reading<'_>,
    file: &str,
    functions: Functions,
    selection: &Selection,
) -> Option<Trace> {
    let mut table = Table::open(reading, file)?;
    let key = reading.faults.take(key(&table));
    let when = reading.faults.take(table.column(WHEN));
    let (key, when) = (key?, when?);
    let fallback = selection.fallback.runtime.map(|runtime| whole_us(runtime.as_secs_f64()));
    let ms = Amount { unit: "milliseconds", least: 0.0, most: 1e12 };
    let mut calls = Calls::new(Origin::Zero, false);
    let mut missing = Occurrences::default();
    let mut absent: HashMap<String, ()> = HashMap::new();
    while let Some(row) = table.next_row(&mut reading.faults) {
        let id = reading.faults.take(row.id(key));
        let when = reading.faults.take(row.amount(when, ms));
        let (Some(id), Some(when)) = (id, when) else { continue };
        let size = functions.known.get(id);
        let Some(runtime_us) = size.and_then(|size| size.runtime_us).or(fallback) else {
            if absent.len() < selection.limits.functions && absent.insert(id.to_owned(), ()).is_none() {
                let reason = if size.is_some() { Reason::BadDurations } else { Reason::NoDurations };
                reading.report.add(reason, id);
                if size.is_none() {
                    missing.add(id);
                }
            }
            continue;
        };
        let memory_mib = size.and_then(|size| size.memory_mib);
        let call = Call { start_ns: nanos(when), runtime_us, memory_mib };
        let added = calls.add(id, Whose::default(), call, selection);
        reading.take(file, added)?;
    }
    let Occurrences { count, examples } = missing;
    if count > 0 && !selection.skip_incomplete {
        let problem = Problem::FunctionsMissing { of: Missing::Durations, count, examples };
        reading.faults.push(Fault::in_file(&functions.table, problem));
    }
    calls.into_trace(reading, file, selection)
}

#[expect(clippy::cast_possible_truncation, reason = "at most 10^18")]
fn nanos(ms: f64) -> i64 {
    (ms * 1e6).round() as i64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::format::reading::Fallback;
    use crate::format::tests::{Files, complaint, complaint_with, events, files, read_all};
    use crate::format::{Options, read};

    const INVOCATIONS: &str = "func_name,invoke_time_ms\na,1500\nb,20\na,0\nb,61000\n";
    const FUNCTIONS: &str = "\
func_name,cold_dur_ms,warm_dur_ms,mem_mb,use_lookbusy,mean_iat
a,2000,100,512,,
b,900,2,,true,20.5
c,1,1,1,,
";

    fn good() -> Files {
        files(&[("four-functions.csv", INVOCATIONS), ("four-functions-metadata.csv", FUNCTIONS)])
    }

    #[test]
    fn invocations_are_as_warm_as_their_functions() {
        let (trace, _) = read_all(&good());
        let found: Vec<_> = trace.functions.iter().map(|function| (function.id.as_str(), events(function))).collect();
        assert_eq!(
            found,
            [
                ("a", vec![(0, 100_000, 512), (1_500_000_000, 100_000, 512)]),
                ("b", vec![(20_000_000, 2000, 0), (61_000_000_000, 2000, 0)]),
            ]
        );
        let older = |text: &str| text.replace("func_name", "function_id");
        let older = files(&[("i.csv", &older(INVOCATIONS)), ("f.csv", &older(FUNCTIONS))]);
        assert_eq!(read_all(&older).0, trace);
    }

    #[test]
    fn functions_that_are_not_there_are_named() {
        let alone = files(&[("i.csv", INVOCATIONS)]);
        assert!(
            complaint(&alone).starts_with("i.csv: a table of functions is not beside it ("),
            "{}",
            complaint(&alone)
        );
        let fallback = Fallback { runtime: Some(Duration::from_millis(7)), memory_mib: None };
        let (trace, _) = read(&alone, &Options { fallback, ..Options::default() }).expect("reads").into_parts();
        assert_eq!(events(&trace.functions[1]), [(20_000_000, 7000, 0), (61_000_000_000, 7000, 0)]);
        let lacking = files(&[("i.csv", INVOCATIONS), ("f.csv", &FUNCTIONS.replace("b,900", "d,900"))]);
        assert!(
            complaint(&lacking).starts_with("f.csv: lacks functions that are invoked, 1 in all: b; --skip-incomplete")
        );
        let skipping = Options { skip_incomplete: true, ..Options::default() };
        let (trace, report) = read(&lacking, &skipping).expect("reads").into_parts();
        assert_eq!((trace.functions.len(), report.count(Reason::NoDurations)), (1, 1));
    }

    #[test]
    fn bad_fields_are_named() {
        let bad = files(&[("i.csv", &INVOCATIONS.replace("1500", "-1")), ("f.csv", FUNCTIONS)]);
        assert!(complaint(&bad).starts_with("i.csv:2: column invoke_time_ms: \"-1\" is not a number of milliseconds"));
        let bad = files(&[("i.csv", INVOCATIONS), ("f.csv", &FUNCTIONS.replace("2000,100", "2000,-100"))]);
        let (trace, report) = read_all(&bad);
        assert_eq!((events(&trace.functions[0])[0].1, report.repaired[&Repair::Durations].count), (0, 1));
        let strict = complaint_with(&bad, &Options { strict: true, ..Options::default() });
        assert!(strict.starts_with("f.csv:2: column warm_dur_ms: \"-100\" is not"), "{strict}");
    }
}
