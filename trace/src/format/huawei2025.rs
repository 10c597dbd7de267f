//! Huawei's public cloud 2025: tables with a row for each request of a day. All tables of a folder are one trace: a region is
//! published in many.
//!
//! - `funcName`, `userID`, `podID`: a function is a name, a user and a pool; its id is written as in the data set,
//!   `funcName---userID---poolName`. The pool is the pod's name without its last part;
//! - `time_frontend`, `totalCost_frontend`: when the front end logged the request, and how long it took, in seconds. Where
//!   one of them lacks, `time_worker` and `totalCost_worker`. The readme does not say at which end of a request the times
//!   are; in its example the front end's is after the worker's, though it holds a request longer, so they are taken for
//!   ends: a request arrives at the time minus the cost. The first arrival is the start of the trace;
//! - `runtimeCost`: the time in the runtime, in seconds, which is replayed; where it lacks, `totalCost_worker`;
//! - `memory_usage`: in MB; where it lacks, the pool's memory limit, the last number of its name.
//!
//! Source: Joosen et al., "Serverless Cold Starts and Where to Find Them" (EuroSys 2025); repository
//! `sir-lab/data-release`, `README_data_release_2025.md`.

use super::calls::{Call, Calls, Origin, Whose, memory_mib, runtime_s, whole_mib, whole_ns, whole_us};
use super::fault::Fault;
use super::header::Header;
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::report::Reason;
use super::table::{Amount, Row, Table};
use super::tags::Tags;
use crate::trace::Trace;

pub(super) struct Huawei2025;

impl Reader for Huawei2025 {
    fn name(&self) -> &'static str {
        "huawei2025"
    }

    fn files(&self) -> &'static str {
        "tables funcName, time_worker, totalCost_worker, runtimeCost, …"
    }

    fn recognises(&self, _tags: &Tags, header: &Header) -> bool {
        header.has(&["funcName"]) && (header.has(&WORKER) || header.has(&FRONTEND))
    }

    fn needs(&self, _reading: &mut Reading<'_>, mains: &[String], _selection: &Selection) -> Option<Vec<String>> {
        Some(mains.to_vec())
    }

    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
        reading.without_sets(selection)?;
        let mut calls = Calls::new(Origin::First, false);
        for file in mains {
            read(reading, file, selection, &mut calls)?;
        }
        let location = reading.files.location();
        calls.into_trace(reading, mains.first().unwrap_or(&location), selection)
    }
}

/// When a request was logged, and how long it took.
const FRONTEND: [&str; 2] = ["time_frontend", "totalCost_frontend"];
const WORKER: [&str; 2] = ["time_worker", "totalCost_worker"];

/// Where the columns are.
struct Columns {
    name: usize,
    user: Option<usize>,
    pod: Option<usize>,
    /// Times and costs, those to use first first.
    logs: Vec<[usize; 2]>,
    /// Run times, those to use first first.
    runtimes: Vec<usize>,
    memory: Option<usize>,
}

impl Columns {
    fn find(table: &Table) -> Result<Self, Fault> {
        let mut logs = Vec::new();
        for [time, cost] in [FRONTEND, WORKER] {
            if let (Some(time), Some(cost)) = (table.find(time)?, table.find(cost)?) {
                logs.push([time, cost]);
            }
        }
        let runtimes = [table.find("runtimeCost")?, table.find("totalCost_worker")?];
        Ok(Self {
            name: table.column("funcName")?,
            user: table.find("userID")?,
            pod: table.find("podID")?,
            logs,
            runtimes: runtimes.into_iter().flatten().collect(),
            memory: table.find("memory_usage")?,
        })
    }
}

fn read(reading: &mut Reading<'_>, file: &str, selection: &Selection, calls: &mut Calls) -> Option<()> {
    let mut table = Table::open(reading, file)?;
    let columns = reading.faults.take(Columns::find(&table))?;
    let mut id = String::new();
    while let Some(row) = table.next_row(&mut reading.faults) {
        let text = |column: Option<usize>| column.map_or(Ok(""), |column| row.text(column));
        let ids = reading.faults.take(row.id(columns.name)).zip(reading.faults.take(text(columns.user)));
        let Some(((name, user), pod)) = ids.zip(reading.faults.take(text(columns.pod))) else { continue };
        let pool = pod.rsplit_once('-').map_or("", |(pool, _)| pool);
        id.clear();
        id.extend([name, "---", user, "---", pool]);
        let Some(start_ns) = start_ns(reading, &row, &columns, &id) else { continue };
        let runtime = columns.runtimes.iter().find(|&&column| !row.is_empty(column)).or(columns.runtimes.first());
        let Some(runtime) = runtime.and_then(|&runtime| runtime_s(reading, &row, runtime, &id, selection)) else {
            continue;
        };
        let used = columns.memory.filter(|&column| !row.is_empty(column));
        let used = used.and_then(|column| memory_mib(reading, &row, column, &id, selection));
        let limit = || pool.rsplit_once('-').and_then(|(_, limit)| limit.parse::<u32>().ok()).map(f64::from);
        let memory_mib = used.or_else(|| limit().and_then(whole_mib));
        let call = Call { start_ns, runtime_us: whole_us(runtime), memory_mib };
        let added = calls.add(&id, Whose { owner: user, app: name }, call, selection);
        reading.take(file, added)?;
    }
    Some(())
}

/// When the request of a row arrived; none, and counted, where the row does not say.
fn start_ns(reading: &mut Reading<'_>, row: &Row<'_>, columns: &Columns, id: &str) -> Option<i64> {
    let known = columns.logs.iter().find(|log| log.iter().all(|&column| !row.is_empty(column)));
    let Some(&[time, cost]) = known else {
        reading.report.add(Reason::NoTime, id);
        return None;
    };
    let time = reading.faults.take(row.amount(time, Amount::TIMESTAMP));
    let cost = reading.faults.take(row.amount(cost, Amount::TIMESTAMP));
    // A negative cost is no time that passed.
    time.zip(cost).map(|(time, cost)| whole_ns(time) - whole_ns(cost.max(0.0)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::format::tests::{Files, complaint, complaint_with, events, files, read_all};
    use crate::format::{Format, Options, read};

    /// The columns and the first row of the data set's readme.
    const TEXT: &str = "\
time_worker,time_frontend,requestID,clusterName,funcName,podID,userID,totalCost_worker,workerCost,runtimeCost,\
totalCost_frontend,frontendCost,busCost,readBodyCost,writeRspCost,cpu_usage,memory_usage,requestBodySize
2600186.994,2600186.995,763ff09a,1,296,pool22-300-128-0000618412,224,0.023749,0.000112,0.023637,0.026421,0.000364,\
0.001994,0.000016,0.000006,0.291506,32.308594,1018
2600187.5,,763ff09b,1,296,pool22-300-128-0000618412,224,0.5,0.1,,,,,,,0.2,,
2600186.5,2600186.5,763ff09c,2,7,pool24-600-512-1,9,0.25,0.05,0.2,0.5,0,0,0,0,1,600,10
,,763ff09d,2,7,pool24-600-512-1,9,0.25,0.05,0.2,,0,0,0,0,1,600,10
2600188.5,2600188.5,763ff09e,2,7,pool24-600-512-1,9,,,,0.5,0,0,0,0,1,600,10
";

    fn day(text: &str) -> Files {
        files(&[("R2_00000.csv", text)])
    }

    #[test]
    fn requests_have_exact_times_and_sizes() {
        let (trace, report) = read_all(&day(TEXT));
        let found: Vec<_> = trace.functions.iter().map(|function| (function.id.as_str(), events(function))).collect();
        // 2600186.995 - 0.026421 and 2600187.5 - 0.5, from 2600186.5 - 0.5 on.
        assert_eq!(
            found,
            [
                ("296---224---pool22-300-128", vec![(968_579_000, 23_637, 32), (1_000_000_000, 500_000, 128)]),
                ("7---9---pool24-600-512", vec![(0, 200_000, 600)]),
            ]
        );
        assert_eq!((report.count(Reason::NoTime), report.count(Reason::NoRuntime)), (1, 1));
        assert_eq!(Format::detect(&day(TEXT)).map(Format::name), Some("huawei2025"));
    }

    #[test]
    fn all_tables_of_a_folder_are_one_trace() {
        let (header, rows) = TEXT.split_once('\n').expect("a header");
        let lines: Vec<&str> = rows.lines().collect();
        let part = |lines: &[&str]| format!("{header}\n{}\n", lines.join("\n"));
        let parts = files(&[("R2_0.csv", &part(&lines[..1])), ("R2_1.csv", &part(&lines[1..]))]);
        assert_eq!(read_all(&parts).0, read_all(&day(TEXT)).0);
    }

    #[test]
    fn bad_fields_are_named() {
        assert_eq!(
            complaint(&day(&TEXT.replace("0.023637", "soon").replace("2600186.5,2600186.5", "2600186.5,now"))),
            "R2_00000.csv:2: column runtimeCost: \"soon\" is not a number\n\
             R2_00000.csv:4: column time_frontend: \"now\" is not a number of seconds from -4000000000 to 4000000000"
        );
        let strict = Options { strict: true, ..Options::default() };
        let complaint = complaint_with(&day(&TEXT.replace("0.023637", "-1")), &strict);
        assert!(complaint.contains("R2_00000.csv:2: column runtimeCost: \"-1\""), "{complaint}");
        let options = Options { start: Duration::from_mins(1), ..Options::default() };
        assert!(read(&day(TEXT), &options).is_err());
    }
}
