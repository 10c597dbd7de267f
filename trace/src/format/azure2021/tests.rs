use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::events::Event;
use crate::format::tests::{Files, complaint, complaint_with, files, read_all};
use crate::format::{Format, Opened, Options, Reason, Repair, read};
use crate::load::Load;
use crate::trace::TraceFunction;

const FILE: &str = "AzureFunctionsInvocationTraceForTwoWeeksJan2021.txt";
/// By end, as published; so the first row is not the first start.
const TEXT: &str = "\
app,func,end_timestamp,duration
a1,f1,100.25,0.25
a2,f1,101.5,2.5
a1,f2,101.75,0
a1,f1,159,1e-3
a1,f1,160.0000015,0.0000015
";

fn good() -> Files {
    files(&[(FILE, TEXT)])
}

fn events(function: &TraceFunction) -> &[Event] {
    match &function.load {
        Load::Events(events) => events.all(),
        Load::Counts(counts) => panic!("{counts:?}"),
    }
}

fn event(start_ns: u64, runtime_us: u32) -> Event {
    Event { start_ns, runtime_us, memory_mib: None }
}

#[test]
fn reads_starts_and_run_times() {
    let (trace, report) = read_all(&good());
    assert!(report.left_out.is_empty());
    assert_eq!((trace.units, trace.invocations()), (2, 5));
    let ids: Vec<_> = trace.functions.iter().map(|function| (function.id.as_str(), function.app.as_str())).collect();
    assert_eq!(ids, [("a1/f1", "a1"), ("a2/f1", "a2"), ("a1/f2", "a1")]);
    // The trace starts at 99 s.
    let first = [event(1_000_000_000, 250_000), event(59_999_000_000, 1000), event(61_000_000_000, 2)];
    assert_eq!(events(&trace.functions[0]), first);
    assert_eq!(events(&trace.functions[1]), [event(0, 2_500_000)]);
    assert_eq!(events(&trace.functions[2]), [event(2_750_000_000, 0)]);
    assert_eq!((trace.functions[0].load.count(0), trace.functions[0].load.count(1)), (2, 1));
    assert!(trace.functions.iter().all(|function| function.runtime.is_none() && function.memory.is_none()));
}

#[test]
fn dress_does_not_matter() {
    let (plain, _) = read_all(&good());
    for (dress, name, text) in [
        ("a byte-order mark", FILE, format!("\u{feff}{TEXT}")),
        ("Windows line ends", FILE, TEXT.replace('\n', "\r\n")),
        ("another name", "ibm.csv", TEXT.to_owned()),
        ("a column more", FILE, TEXT.replace('\n', ",x\n")),
    ] {
        assert_eq!(read_all(&files(&[(name, &text), ("README.md", ""), ("old/b.csv", "")])).0, plain, "{dress}");
    }
}

#[test]
fn reads_clocks_that_count_from_elsewhere() {
    let text = "app,func,end_timestamp,duration\na,f,-7.5,0.5\na,f,1,2\na,g,0.5,0\n";
    let (trace, _) = read_all(&files(&[(FILE, text)]));
    assert_eq!(events(&trace.functions[0]), [event(0, 500_000), event(7_000_000_000, 2_000_000)]);
    let text = "app,func,end_timestamp,duration\na,f,1612051200.25,0.25\na,f,1612051201.5,0\n";
    let (trace, _) = read_all(&files(&[(FILE, text)]));
    assert_eq!(events(&trace.functions[0]), [event(0, 250_000), event(1_500_000_000, 0)]);
}

#[test]
fn reads_only_the_part_that_is_needed() {
    let options = |start, duration, unit| Options {
        start: Duration::from_secs(start),
        duration: Some(Duration::from_secs(duration)),
        unit: Some(Duration::from_secs(unit)),
        ..Options::default()
    };
    let (trace, report) = read(&good(), &options(0, 60, 60)).unwrap().into_parts();
    assert_eq!((trace.units, trace.invocations()), (1, 4));
    assert!(report.left_out.is_empty());
    let (trace, report) = read(&good(), &options(0, 2, 1)).unwrap().into_parts();
    assert_eq!((trace.units, trace.invocations()), (2, 2));
    assert_eq!(report.left_out[&Reason::NoInvocations].examples, ["a1/f2"]);
    assert_eq!(read(&good(), &options(0, 62, 1)).unwrap().trace.invocations(), 5);
    // From 2 s on: what starts at 2.75 s is at 0.75 s of the part.
    let (trace, _) = read(&good(), &options(2, 1, 1)).unwrap().into_parts();
    assert_eq!((trace.units, events(&trace.functions[0])), (1, &[event(750_000_000, 0)][..]));
    let (trace, report) = read(&good(), &options(2, 3600, 60)).unwrap().into_parts();
    assert_eq!((trace.units, trace.invocations()), (1, 3));
    assert_eq!(report.notes(), ["duration is 1h; the trace has 59s from its start on, which are replayed"]);
    assert_eq!(complaint_with(&good(), &options(0, 0, 1)), format!("{FILE}: has no invocation"));
    assert_eq!(complaint_with(&good(), &options(62, 1, 1)), format!("{FILE}: is 1m 2s; the trace lasts 1m 1s"));
    assert_eq!(
        complaint_with(&good(), &options(0, 90, 60)),
        format!("{FILE}: is 1m 30s; must be a whole multiple of a unit, 1m")
    );
}

#[test]
fn a_column_of_memory_is_used() {
    let text = TEXT.replace("duration\n", "duration,memory\n").replace("0.25\n", "0.25,128.4\n");
    let text = text.replace("2.5\n", "2.5,-1\n").replace(",0\n", ",0,\n").replace("1e-3\n", "1e-3,0.2\n");
    let text = text.replace("0.0000015\n", "0.0000015,0\n");
    let (trace, report) = read_all(&files(&[(FILE, &text)]));
    let memory = |index: usize| -> Vec<u32> {
        events(&trace.functions[index])
            .iter()
            .map(|event| event.memory_mib.map_or(0, std::num::NonZeroU32::get))
            .collect()
    };
    assert_eq!([memory(0), memory(1), memory(2)], [vec![128, 1, 0], vec![0], vec![0]]);
    assert_eq!(report.repaired[&Repair::Memory].examples, ["a2/f1", "a1/f1"]);
}

#[test]
fn says_where_a_row_is_bad() {
    let seconds = |text, least| format!("{text:?} is not a number of seconds from {least} to 4000000000");
    let strict = Options { strict: true, ..Options::default() };
    for (from, to, expected) in [
        ("a2,f1,", ",f1,", "3: column app: is empty".to_owned()),
        ("a2,f1,", "a2,,", "3: column func: is empty".to_owned()),
        ("2.5", "", format!("3: column duration: {}", seconds("", 0))),
        ("2.5", "-2.5", format!("3: column duration: {}", seconds("-2.5", 0))),
        ("2.5", "NaN", format!("3: column duration: {}", seconds("NaN", 0))),
        ("101.5,", "inf,", format!("3: column end_timestamp: {}", seconds("inf", -4_000_000_000_i64))),
        ("101.5,", "4e9.1,", format!("3: column end_timestamp: {}", seconds("4e9.1", -4_000_000_000_i64))),
        ("101.5,2.5", "101.5", "3: column duration: the line has 3 fields, the header 4".to_owned()),
        ("end_timestamp", "end", "1: column end_timestamp: is missing".to_owned()),
        (
            "func",
            "app",
            "1: column app: appears twice in the header\n".to_owned() + FILE + ":1: column func: is missing",
        ),
    ] {
        let text = TEXT.replacen(from, to, 1);
        assert_ne!(text, TEXT, "{from}");
        assert_eq!(
            complaint_with(&files(&[(FILE, &text)]), &strict),
            format!("{FILE}:{expected}"),
            "{from:?} as {to:?}"
        );
    }
    let lenient = |to: &str| read_all(&files(&[(FILE, &TEXT.replacen("2.5", to, 1))]));
    for (to, count, name) in [("-2.5", 5, "repaired_durations"), ("", 4, "no_runtime"), ("NaN", 4, "no_runtime")] {
        let (trace, report) = lenient(to);
        assert_eq!(trace.invocations(), count, "{to:?}");
        let names: Vec<&str> = report.repaired.keys().map(|repair| repair.name()).collect();
        let left_out: Vec<&str> = report.left_out.keys().map(|reason| reason.name()).collect();
        assert_eq!([names, left_out].concat(), [name]);
    }
    assert_eq!(
        complaint(&files(&[(FILE, &TEXT.replacen("2.5", "long", 1))])),
        format!("{FILE}:3: column duration: \"long\" is not a number")
    );
}

#[test]
fn finds_all_faults_of_a_row_and_counts_those_of_many() {
    let rows = ",,x,y\n".repeat(7);
    let faults = read(&files(&[(FILE, &format!("{TEXT}{rows}"))]), &Options::default()).unwrap_err();
    assert_eq!((faults.shown.len(), faults.total), (20, 28));
}

#[test]
fn the_table_must_be_known() {
    let explicit = Options { format: Some(Format::Azure2021), ..Options::default() };
    let found = complaint_with(&files(&[("README.md", "")]), &explicit);
    let expected = "trace: holds no trace of the format azure2021, which has a table app, func, end_timestamp, duration: \
                    README.md (is empty)";
    assert_eq!(found, expected);
    assert_eq!(
        complaint(&files(&[("a.csv", TEXT), ("b.csv", TEXT), ("c.txt", "")])),
        "trace: holds several tables of invocations (a.csv, b.csv): name the file itself, or put each into a folder of its own"
    );
    assert_eq!(complaint(&files(&[(FILE, "")])), format!("{FILE}: is empty"));
    let header = TEXT.lines().next().unwrap();
    assert_eq!(complaint(&files(&[(FILE, header)])), format!("{FILE}: has no invocation"));
}

proptest! {
    /// Every row is an event at its place, whatever the order of the rows.
    #[test]
    fn nothing_is_lost(rows in prop::collection::vec((0_u8..3, 0_u8..3, 0_u32..100_000, 0_u32..5000), 1..60)) {
        let mut text = "app,func,end_timestamp,duration\n".to_owned();
        for &(app, func, end_ms, ms) in &rows {
            text += &format!("a{app},f{func},{:.3},{:.3}\n", f64::from(end_ms) / 1e3, f64::from(ms) / 1e3);
        }
        let (trace, _) = read_all(&files(&[(FILE, &text)]));
        let start = |end_ms: u32, ms: u32| i64::from(end_ms) - i64::from(ms);
        let first = rows.iter().map(|row| start(row.2, row.3)).min().unwrap();
        let expected = rows.iter().map(|&(app, func, end_ms, ms)| {
            (format!("a{app}/f{func}"), start(end_ms, ms).abs_diff(first) * 1_000_000, ms * 1000)
        });
        let mut expected: Vec<_> = expected.collect();
        expected.sort();
        let mut found = Vec::new();
        for function in &trace.functions {
            let by_unit: u64 = (0..trace.units).map(|unit| u64::from(function.load.count(unit))).sum();
            prop_assert_eq!(by_unit, function.load.total());
            prop_assert!(events(function).is_sorted());
            found.extend(events(function).iter().map(|event| (function.id.clone(), event.start_ns, event.runtime_us)));
        }
        found.sort();
        prop_assert_eq!(found, expected);
    }

    /// Whatever is in the file, the answer is a trace whose functions are invoked, or faults that say where.
    #[test]
    fn damage_is_a_fault_or_no_matter(
        at: Index,
        damage in select(vec!["", "\"", ",", "\n", "\r", "-", "\0", "\u{feff}", "9999999999", "1e300", "NaN"]),
        length in 0_usize..40,
    ) {
        let mut files = good();
        let text = files.0.get_mut(FILE).unwrap();
        let from = at.index(text.len());
        let to = (from + length).min(text.len());
        text.splice(from..to, damage.bytes());
        match read(&files, &Options::default()) {
            Ok(Opened { trace, .. }) => {
                prop_assert!(trace.functions.iter().all(|function| function.load.total() > 0));
                prop_assert!(trace.functions.iter().any(|function| events(function)[0].start_ns == 0));
            }
            Err(faults) => prop_assert!(faults.to_string().lines().all(|line| line.starts_with(FILE))),
        }
    }
}
