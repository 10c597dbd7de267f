use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::format::tests::{Files, complaint, complaint_with, counts, files, minutes, read_all};
use crate::format::{Fallback, Format, Occurrences, Opened, Options, Reason, read};
use crate::sizes::MemoryProfile;

const FILES: [&str; 3] = [
    "invocations_per_function_md.anon.d01.csv",
    "function_durations_percentiles.anon.d01.csv",
    "app_memory_percentiles.anon.d01.csv",
];
const INVOCATIONS: &str = "\
HashOwner,HashApp,HashFunction,Trigger,1,2
o1,a1,f1,http,1,0
o1,a1,f2,timer,0,2
o1,a1,f3,queue,0,0
o2,a2,f4,http,7,7
";
const DURATIONS: &str = "\
HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,percentile_Average_1,\
percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100
o1,a1,f1,4,4,1,7,1,2,3,4,5,6,7
o1,a1,f2,4,4,0,0,0,0,0,0,0,0,0
o2,a2,f4,4,4,1,7,1,2,3,4,5,6,7
";
const MEMORY: &str = "\
HashOwner,HashApp,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,AverageAllocatedMb_pct5,\
AverageAllocatedMb_pct25,AverageAllocatedMb_pct50,AverageAllocatedMb_pct75,AverageAllocatedMb_pct95,\
AverageAllocatedMb_pct99,AverageAllocatedMb_pct100
o1,a1,9,120,1,2,30,60,90,120,150,300
o2,a2,9,120,100,101,102,103,104,105,106,107
";

fn good() -> Files {
    files(&[(FILES[0], INVOCATIONS), (FILES[1], DURATIONS), (FILES[2], MEMORY)])
}

fn with(mut files: Files, file: &str, rows: &str) -> Files {
    files.0.get_mut(file).unwrap().extend(rows.as_bytes());
    files
}

#[test]
fn shares_an_apps_memory_among_all_its_functions() {
    let (trace, report) = read_all(&good());
    assert_eq!(trace.functions.iter().map(|function| function.id.as_str()).collect::<Vec<_>>(), ["f1", "f2", "f4"]);
    assert_eq!(counts(&trace.functions[2]), [7, 7]);
    assert_eq!(trace.functions[1].trigger.as_deref(), Some("timer"));
    // Of three functions, f3 too, which is not invoked; never below 1 MiB.
    let third = MemoryProfile::from_mib([1.0, 1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 100.0]).unwrap().with_average(40.0);
    let alone =
        MemoryProfile::from_mib([100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0]).unwrap().with_average(120.0);
    let memory: Vec<_> = trace.functions.iter().map(|function| function.memory.clone().unwrap()).collect();
    assert_eq!(memory, [third.clone(), third, alone]);
    let idle = Occurrences { count: 1, examples: vec!["f3".to_owned()] };
    assert_eq!(report.left_out.into_iter().collect::<Vec<_>>(), [(Reason::NoInvocations, idle)]);
}

/// So a dry run of a minute treats a function as the whole day does.
#[test]
fn memory_does_not_depend_on_the_units_that_are_needed() {
    let (whole, _) = read_all(&good());
    let (minute, _) = read(&good(), &minutes(1)).unwrap().into_parts();
    assert_eq!(minute.functions.len(), 2);
    assert_eq!(minute.functions[0].memory, whole.functions[0].memory);
}

#[test]
fn a_repeated_function_does_not_count_twice() {
    let repeated = with(good(), FILES[0], "o1,a1,f1,http,5,5\n");
    let (trace, report) = read_all(&repeated);
    assert_eq!(trace, read_all(&good()).0);
    assert_eq!(report.count(Reason::DuplicateFunction), 1);
}

#[test]
fn reports_apps_of_no_use() {
    let rows = "o1,a1,9,1,1,1,1,1,1,1,1,1\no,a9,9,1,1,1,1,1,1,1,1,1\n";
    let (trace, report) = read_all(&with(good(), FILES[2], rows));
    assert_eq!(trace, read_all(&good()).0);
    assert_eq!(report.left_out[&Reason::DuplicateMemory].examples, ["a1"]);
    assert_eq!(report.left_out[&Reason::UnmatchedMemory].examples, ["a9"]);
}

#[test]
fn functions_of_an_app_without_memory_fail_or_are_left_out() {
    let mut files = good();
    let text = MEMORY.replace("o1,a1,", "o1,a3,");
    files.0.insert(FILES[2].to_owned(), text.into_bytes());
    assert_eq!(
        complaint(&files),
        format!(
            "{}: lacks apps of functions that are invoked, 2 in all: f1, f2; --skip-incomplete (trace.skipIncomplete) leaves \
             them out, --default-memory SIZE (trace.defaultMemoryMib) gives functions memory",
            FILES[2]
        )
    );
    let (trace, report) = read(&files, &Options { skip_incomplete: true, ..Options::default() }).unwrap().into_parts();
    assert_eq!(trace.functions.len(), 1);
    assert_eq!(report.count(Reason::NoMemory), 2);
}

#[test]
fn says_where_memory_is_bad() {
    for (from, to, expected) in [
        ("o2,a2,9", "o2,,9", "3: column HashApp: is empty"),
        ("HashApp,", "App,", "1: column HashApp: is missing"),
        ("120,1,2,30", "120,1,x,30", "2: column AverageAllocatedMb_pct5: \"x\" is not a number"),
    ] {
        let mut files = good();
        files.0.insert(FILES[2].to_owned(), MEMORY.replacen(from, to, 1).into_bytes());
        assert_eq!(complaint(&files), format!("{}:{expected}", FILES[2]));
    }
}

#[test]
fn reads_the_day_that_is_named() {
    let mut files = good();
    for name in FILES {
        let text = String::from_utf8(files.0[name].clone()).unwrap().replace(",7,7\n", ",8,8\n");
        files.0.insert(name.replace("d01", "d12"), text.into_bytes());
    }
    assert_eq!(complaint(&files), "trace: holds several days (1, 12): add --day N (trace.day)");
    let of = |day| Options { day: Some(day), ..Options::default() };
    assert_eq!(read(&files, &of(1)).unwrap().trace, read_all(&good()).0);
    assert_eq!(counts(&read(&files, &of(12)).unwrap().trace.functions[2]), [8, 8]);
    assert_eq!(complaint_with(&files, &of(2)), "trace: has no day 2; there are 1, 12");
    files.0.remove("app_memory_percentiles.anon.d12.csv");
    let found = complaint_with(&files, &of(12));
    let expected = "invocations_per_function_md.anon.d12.csv: a table of memory is not beside it (";
    assert!(found.starts_with(expected) && found.contains("--default-memory SIZE"), "{found}");
    let fallback = Fallback { memory_mib: Some(100), ..Fallback::default() };
    assert_eq!(read(&files, &Options { fallback, ..of(12) }).unwrap().trace.functions.len(), 3);
}

#[test]
fn is_known_by_its_invocations() {
    let explicit = Options { format: Some(Format::Azure2019), ..Options::default() };
    assert_eq!(read(&good(), &explicit).unwrap().into_parts(), read_all(&good()));
    let renamed = [("a.txt", INVOCATIONS), ("b.CSV", DURATIONS), ("c", MEMORY)];
    assert_eq!(read_all(&files(&renamed)).0, read_all(&good()).0);
    assert!(read(&files(&renamed), &explicit).unwrap().app_memory);
}

#[test]
fn a_day_where_there_is_none_is_refused() {
    let plain = files(&[("invocations.csv", INVOCATIONS)]);
    let options = Options { day: Some(3), ..Options::default() };
    assert_eq!(complaint_with(&plain, &options), "trace: has no day 3");
    let options = Options { size: Some(3), ..Options::default() };
    assert_eq!(complaint_with(&plain, &options), "trace: has no sample of size 3");
}

proptest! {
    /// Whatever is in the files, the answer is a trace whose functions are whole, or faults that say where.
    #[test]
    fn damage_is_a_fault_or_no_matter(
        file in select(FILES.to_vec()),
        at: Index,
        damage in select(vec!["", "\"", ",", "\n", "\r", "-", "\0", "\u{feff}", "9999999999", "1e300", "NaN"]),
        length in 0_usize..40,
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
                    prop_assert!(function.runtime.is_some() && function.load.total() > 0);
                    prop_assert!(function.memory.unwrap().quantile(0.0) >= 1);
                }
            }
            Err(faults) => prop_assert!(faults.to_string().lines().all(|line| line.contains(".anon.d01.csv"))),
        }
    }
}
