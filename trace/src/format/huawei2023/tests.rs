use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::format::tests::{Files, complaint, complaint_with, counts, files, minutes, read_all};
use std::time::Duration;

use crate::format::{Fallback, Format, Opened, Options, Reason, Repair, read};
use crate::sizes::{MemoryProfile, RuntimeProfile};

const REQUESTS: &str = "requests_minute/day_007.csv";
const DELAYS: &str = "function_delay_minute/day_007.csv";
const MEMORY: &str = "memory_limit_minute/day_007.csv";
const INSTANCES: &str = "instances_minute/day_007.csv";

/// The minute 2 has no row, f9 no invocation. Times go on from day to day.
const OF_REQUESTS: &str = "\
day,time,0,75,9
7,604800,3.0,1,0.0
7,604860,,70000,
7,604980,1,0.0,
";
const OF_DELAYS: &str = "\
day,time,75,9,0
7,604800,0.5,,0.1
7,604860,0.0,,
7,604920,99,1,99
7,604980,77,,0.2
";
const OF_MEMORY: &str = "\
day,time,0,75,9
7,604800,512,1000,
7,604860,,2000,
7,604980,1024,,
";
const OF_INSTANCES: &str = "\
day,time,0,75
7,604800,1,10.0
7,604860,,0
7,604980,8,
";

fn good() -> Files {
    files(&[(REQUESTS, OF_REQUESTS), (DELAYS, OF_DELAYS), (MEMORY, OF_MEMORY)])
}

/// The good files with one piece of one file's text replaced.
fn edited(file: &str, from: &str, to: &str) -> Files {
    let mut files = good();
    let text = String::from_utf8(files.0[file].clone()).unwrap();
    assert!(text.contains(from), "{from:?} is not in {file}");
    files.0.insert(file.to_owned(), text.replacen(from, to, 1).into_bytes());
    files
}

fn memory(mib: [f64; 8]) -> Option<MemoryProfile> {
    MemoryProfile::from_mib(mib).ok()
}

#[test]
fn reads_functions_from_columns() {
    let (trace, report) = read_all(&good());
    assert_eq!((trace.units, trace.invocations()), (4, 70_005));
    let [zero, busy] = &trace.functions[..] else { panic!("{trace:?}") };
    assert_eq!((zero.id.as_str(), zero.trigger.as_deref(), busy.id.as_str()), ("0", None, "75"));
    assert_eq!((counts(zero), counts(busy)), (vec![3, 0, 0, 1], vec![1, 70_000, 0, 0]));
    assert_eq!(report.left_out.keys().collect::<Vec<_>>(), [&Reason::NoInvocations]);
    assert_eq!(report.left_out[&Reason::NoInvocations].examples, ["9"]);
}

/// A minute without invocations does not count, one with three counts thrice.
#[test]
fn profiles_are_those_of_invocations() {
    let (trace, _) = read_all(&good());
    let [zero, busy] = &trace.functions[..] else { panic!("{trace:?}") };
    let runtime = |millis| RuntimeProfile::from_millis(millis).ok();
    assert_eq!(zero.runtime, runtime([100.0, 100.0, 100.0, 100.0, 100.0, 200.0, 200.0]));
    assert_eq!(busy.runtime, runtime([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 500.0]));
    assert_eq!(zero.memory, memory([512.0, 512.0, 512.0, 512.0, 512.0, 1024.0, 1024.0, 1024.0]));
    assert_eq!(busy.memory, memory([2000.0; 8]));
}

#[test]
fn divides_memory_among_instances() {
    let mut files = good();
    files.0.insert(INSTANCES.to_owned(), OF_INSTANCES.as_bytes().to_vec());
    let (trace, _) = read_all(&files);
    assert_eq!(trace.functions[0].memory, memory([128.0, 128.0, 128.0, 512.0, 512.0, 512.0, 512.0, 512.0]));
    // No instances divide nothing.
    assert_eq!(trace.functions[1].memory, memory([2000.0; 8]));
    files.0.insert(INSTANCES.to_owned(), OF_INSTANCES.replace("8,", "-8,").into_bytes());
    let strict = Options { strict: true, ..Options::default() };
    assert_eq!(
        complaint_with(&files, &strict),
        format!("{INSTANCES}:4: column 0: \"-8\" is not a number of instances from 0 to 4000000000")
    );
}

#[test]
fn reads_only_the_units_that_are_needed() {
    let (trace, _) = read(&good(), &minutes(1)).unwrap().into_parts();
    assert_eq!((trace.units, counts(&trace.functions[0]), counts(&trace.functions[1])), (1, vec![3], vec![1]));
    assert_eq!(read(&good(), &minutes(4)).unwrap().trace, read_all(&good()).0);
    let Opened { trace, report, .. } = read(&good(), &minutes(5)).unwrap();
    assert_eq!((trace, report.cut.is_some()), (read_all(&good()).0, true));
    assert!(read(&edited(REQUESTS, "7,604980,1", "7,604980,x"), &minutes(3)).is_ok());
    let from = Options { start: Duration::from_mins(1), ..minutes(2) };
    let (trace, _) = read(&good(), &from).unwrap().into_parts();
    assert_eq!(
        (trace.functions.len(), trace.functions[0].id.as_str(), counts(&trace.functions[0])),
        (1, "75", vec![70_000, 0])
    );
    // All its invocations in that part were in the minute whose delay was 0.
    assert_eq!(trace.functions[0].runtime, RuntimeProfile::from_millis([0.0; 7]).ok());
}

/// The public data set has requests alone; the private one seconds too.
#[test]
fn requests_alone_and_by_the_second_are_read() {
    let public = files(&[("public_dataset/requests_minute/day_07.csv", OF_REQUESTS)]);
    assert!(complaint(&public).contains("--default-runtime TIME"), "{}", complaint(&public));
    let fallback = Fallback { runtime: Some(Duration::from_millis(5)), memory_mib: Some(128) };
    let options = Options { fallback, ..Options::default() };
    assert_eq!(read(&public, &options).unwrap().trace.invocations(), 70_005);
    let seconds = OF_REQUESTS.replace("604860", "604801").replace("604980", "604863");
    let delays = OF_DELAYS;
    let seconds = [("requests_second/day_007.csv", seconds.as_str()), (DELAYS, delays), (MEMORY, OF_MEMORY)];
    let (trace, _) = read_all(&files(&seconds));
    assert_eq!((trace.unit, trace.units, trace.invocations()), (Duration::from_secs(1), 64, 70_005));
    let [zero, _] = &trace.functions[..] else { panic!("{trace:?}") };
    assert_eq!((zero.load.count(0), zero.load.count(63)), (3, 1));
    // Of minutes: three in the first with 0.1 s; the second's was not measured.
    assert_eq!(zero.runtime, RuntimeProfile::from_millis([100.0; 7]).ok());
    // Where both are, minutes are read unless seconds are asked for.
    let both = [seconds[0], (REQUESTS, OF_REQUESTS), seconds[1], seconds[2]];
    assert_eq!(read_all(&files(&both)).0, read_all(&good()).0);
    let second = Options { unit: Some(Duration::from_secs(1)), ..Options::default() };
    assert_eq!(read(&files(&both), &second).unwrap().trace, trace);
}

#[test]
fn dress_does_not_matter() {
    let (plain, _) = read_all(&good());
    let every = |change: &dyn Fn(&str) -> String| {
        let text = |bytes: &Vec<u8>| change(str::from_utf8(bytes).unwrap()).into_bytes();
        Files(good().0.iter().map(|(name, bytes)| (name.clone(), text(bytes))).collect())
    };
    for (dress, files) in [
        ("a byte-order mark", every(&|text| format!("\u{feff}{text}"))),
        ("Windows line ends", every(&|text| text.replace('\n', "\r\n"))),
        ("times of the day", every(&|text| text.replace("604800", "0").replace("604980", "180.0"))),
        ("an index", every(&|text| text.lines().map(|line| format!(",{line}\n")).collect())),
        ("no day", every(&|text| text.replace("day,", "").replace("\n7,", "\n"))),
    ] {
        assert_eq!(read_all(&files).0, plain, "{dress}");
    }
}

#[test]
fn reports_what_it_leaves_out() {
    let mut files = edited(DELAYS, "day,time,75,9,0", "day,time,75,strange,0");
    files.0.get_mut(REQUESTS).unwrap().extend(b"7,604800,9,9,9\n");
    let (trace, report) = read_all(&files);
    assert_eq!(trace, read_all(&good()).0);
    assert_eq!(report.left_out[&Reason::DuplicateMinute].examples, ["0"]);
    assert_eq!(report.left_out[&Reason::UnmatchedDurations].examples, ["strange"]);
}

#[test]
fn functions_without_a_profile_fail_or_are_left_out() {
    for (file, from, to, reason) in
        [(DELAYS, "75,9,0", "75,9,1", Reason::NoDurations), (MEMORY, "time,0,", "time,1,", Reason::NoMemory)]
    {
        let files = edited(file, from, to);
        assert_eq!(
            complaint(&files),
            format!("{file}: lacks functions that are invoked, 1 in all: 0; --skip-incomplete (trace.skipIncomplete) ")
                + if file == DELAYS {
                    "leaves them out, --default-runtime TIME (trace.defaultRuntime) gives functions a run time"
                } else {
                    "leaves them out, --default-memory SIZE (trace.defaultMemoryMib) gives functions memory"
                }
        );
        let options = Options { skip_incomplete: true, ..Options::default() };
        let (trace, report) = read(&files, &options).unwrap().into_parts();
        assert_eq!((trace.functions.len(), report.count(reason)), (1, 1));
    }
}

/// So a function whose delay was not measured when it was invoked is not lost.
#[test]
fn values_of_other_minutes_stand_in() {
    let files = edited(DELAYS, "7,604800,0.5,,0.1", "7,604800,0.5,,");
    let (trace, _) = read(&files, &minutes(1)).unwrap().into_parts();
    let expected = RuntimeProfile::from_millis([200.0, 200.0, 200.0, 200.0, 99_000.0, 99_000.0, 99_000.0]).unwrap();
    assert_eq!(trace.functions[0].runtime, Some(expected));
}

#[test]
fn says_where_a_table_is_bad() {
    for (file, from, to, expected) in [
        (REQUESTS, "3.0", "3.5", "2: column 0: \"3.5\" is not a whole number from 0 to 4294967295"),
        (REQUESTS, "time", "minute", "1: column time: is missing"),
        (
            REQUESTS,
            "604860",
            "604861",
            "3: column time: \"604861\" is no multiple of 60 s, which a row lasts: the folder's name says how long that is \
             (requests_minute, requests_second)",
        ),
        (REQUESTS, ",75,9", ",75,75", "1: column 75: appears twice in the header"),
        (REQUESTS, "604860", "x", "3: column time: \"x\" is not a number of seconds from 0 to 4000000000"),
        (DELAYS, "0.5", "-0.5", "2: column 75: \"-0.5\" is not a number of seconds from 0 to 4000000000"),
        (DELAYS, "0.5", "inf", "2: column 75: \"inf\" is not a number of seconds from 0 to 4000000000"),
        (MEMORY, "512", "NaN", "2: column 0: \"NaN\" is not a number of MB from 0 to 4000000000"),
        (MEMORY, "512,1000,", "512,1000", "2: column 9: the line has 4 fields, the header 5"),
    ] {
        let strict = Options { strict: true, ..Options::default() };
        let text = complaint_with(&edited(file, from, to), &strict);
        assert_eq!(text.lines().next().unwrap(), format!("{file}:{expected}"), "{from:?} as {to:?}");
    }
}

/// A cell that can't be is as good as empty.
#[test]
fn bad_cells_are_counted() {
    for (file, from, to, repair) in [(DELAYS, "0.5", "-0.5", Repair::Durations), (MEMORY, "512", "NaN", Repair::Memory)]
    {
        let (trace, report) = read_all(&edited(file, from, to));
        assert_eq!((trace.functions.len(), report.repaired[&repair].count), (2, 1));
        assert_eq!(trace, read_all(&edited(file, from, "")).0);
    }
}

#[test]
fn a_missing_file_is_named() {
    for file in [DELAYS, MEMORY] {
        let mut files = good();
        files.0.remove(file);
        let expected =
            format!("{REQUESTS}: a table of {} is not beside it", if file == DELAYS { "durations" } else { "memory" });
        assert!(complaint(&files).starts_with(&expected), "{}", complaint(&files));
    }
    let explicit = Options { format: Some(Format::Huawei2023), ..Options::default() };
    let found = complaint_with(&files(&[("a.csv", "")]), &explicit);
    assert!(
        found.starts_with("trace: holds no trace of the format huawei2023, which has folders requests_minute "),
        "{found}"
    );
    let found = complaint(&files(&[(DELAYS, OF_DELAYS)]));
    assert!(
        found.starts_with(&format!("{DELAYS}: holds what functions took, not how often they were invoked;")),
        "{found}"
    );
    let mut idle = good();
    idle.0.insert(REQUESTS.to_owned(), b"day,time,0\n7,0,0\n".to_vec());
    assert_eq!(
        complaint(&idle),
        format!("{REQUESTS}: no function is left that is invoked in the 1 units that are read")
    );
}

#[test]
fn reads_the_day_that_is_named() {
    let mut files = good();
    for name in [REQUESTS, DELAYS, MEMORY] {
        let text = files.0[name].clone();
        files.0.insert(name.replace("007", "141"), text);
    }
    assert_eq!(complaint(&files), "trace: holds several days (7, 141): add --day N (trace.day)");
    let (trace, _) = read(&files, &Options { day: Some(141), ..Options::default() }).unwrap().into_parts();
    assert_eq!(trace, read_all(&good()).0);
}

proptest! {
    /// Whatever is in the files, the answer is a trace whose functions are whole, or faults that say where.
    #[test]
    fn damage_is_a_fault_or_no_matter(
        file in select(vec![REQUESTS, DELAYS, MEMORY]),
        at: Index,
        damage in select(vec!["", "\"", ",", "\n", "\r", "-", "\0", "\u{feff}", "9999999999", "1e300", "NaN"]),
        length in 0_usize..30,
    ) {
        let mut files = good();
        let text = files.0.get_mut(file).unwrap();
        let from = at.index(text.len());
        let to = (from + length).min(text.len());
        text.splice(from..to, damage.bytes());
        match read(&files, &Options { skip_incomplete: true, ..Options::default() }) {
            Ok(Opened { trace, .. }) => {
                prop_assert!(!trace.functions.is_empty());
                for function in trace.functions {
                    prop_assert!(function.runtime.is_some() && function.memory.is_some());
                    prop_assert!(counts(&function).len() == trace.units && function.load.total() > 0);
                }
            }
            Err(faults) => prop_assert!(faults.to_string().lines().all(|line| line.contains("_minute/day_007.csv"))),
        }
    }
}
