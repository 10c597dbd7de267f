//! Values that cannot be, and what fills in for them.

use super::*;

#[test]
fn bad_values_are_repaired_left_out_or_refused_by_rule() {
    let strict = Options { strict: true, ..Options::default() };
    let fallback = Fallback { runtime: Some(Duration::from_millis(9)), memory_mib: Some(64) };
    let with_fallback = Options { fallback, ..Options::default() };
    for (file, from, to, refused, name) in [
        (
            "durations.csv",
            "1,2.5,3",
            "-208470,2.5,3",
            "column percentile_Average_0: percentile 0 is -208470; it must be 0 or more",
            "repaired_durations",
        ),
        (
            "durations.csv",
            "1,2.5,3",
            "1,3.5,3",
            "column percentile_Average_25: percentile 25 is 3, below percentile 1 with 3.5; they must not decrease",
            "repaired_durations",
        ),
        (
            "durations.csv",
            "1,2.5,3",
            "1,2.5,NaN",
            "column percentile_Average_25: percentile 25 is NaN; it must be 0 or more",
            "bad_durations",
        ),
        ("durations.csv", "1,2.5,3", "1,2.5,", "column percentile_Average_25: \"\" is not a number", "bad_durations"),
        (
            "memory.csv",
            ",107\n",
            ",10\n",
            "column AverageAllocatedMb_pct100: percentile 100 is 10, below percentile 99 with 106; they must not decrease",
            "repaired_memory",
        ),
        (
            "memory.csv",
            ",107\n",
            ",inf\n",
            "column AverageAllocatedMb_pct100: percentile 100 is inf; it must be 0 or more",
            "bad_memory",
        ),
    ] {
        let files = edited(file, from, to);
        assert_eq!(complaint_with(&files, &strict), format!("{file}:2: {refused}"));
        let (trace, report) = read_all(&files);
        let left_out = report.left_out.iter().map(|(reason, them)| (reason.name(), them));
        let all: Vec<_> = report.repaired.iter().map(|(repair, them)| (repair.name(), them)).chain(left_out).collect();
        assert_eq!(all, [(name, &Occurrences { count: 1, examples: vec!["f1".to_owned()] })]);
        assert_eq!(trace.functions.len(), if name.starts_with("bad") { 1 } else { 2 });
        assert!(report.notes()[0].ends_with(": 1 (f1)"), "{:?}", report.notes());
        // Where there is a default, it fills in for what can't be repaired.
        let filled = read(&files, &with_fallback).unwrap();
        assert_eq!((filled.trace.functions.len(), filled.report.left_out.len()), (2, 0));
    }
    let lowered = edited("durations.csv", "6,7", "6,1e30");
    let longest = read_all(&lowered).0.functions[0].runtime.as_ref().map(|profile| profile.quantile(1.0));
    assert_eq!(longest, Some(Duration::from_hours(7 * 24)));
}

#[test]
fn defaults_fill_in_for_tables_and_rows_that_are_not_there() {
    let fallback = Fallback { runtime: Some(Duration::from_millis(9)), memory_mib: Some(64) };
    let options = Options { fallback, ..Options::default() };
    let mut alone = good();
    alone.0.remove("durations.csv");
    alone.0.remove("memory.csv");
    let Opened { trace, report, .. } = read(&alone, &options).unwrap();
    for function in &trace.functions {
        assert_eq!(function.runtime, Some(RuntimeProfile::constant(Duration::from_millis(9))));
        assert_eq!(function.memory.as_ref().map(|memory| memory.quantile(0.5)), Some(64));
    }
    assert_eq!(report.notes(), ["run times are the default: 2 (f1, f2)", "memory is the default: 2 (f1, f2)"]);
    let lacking = edited("memory.csv", "o1,a1,f2", "o1,a1,f3");
    let Opened { trace, report, .. } = read(&lacking, &options).unwrap();
    assert_eq!(
        (trace.functions.len(), report.repaired[&Repair::DefaultMemory].examples.as_slice()),
        (2, &["f2".to_owned()][..])
    );
}

#[test]
fn a_table_that_need_not_be_there_is_not_missed() {
    let mut alone = good();
    alone.0.remove("memory.csv");
    let options = Options { without_tables: true, ..Options::default() };
    let Opened { trace, report, .. } = read(&alone, &options).unwrap();
    assert!(report.repaired.is_empty() && report.left_out.is_empty());
    assert!(trace.functions.iter().all(|function| function.memory.is_none() && function.runtime.is_some()));
    // A table that is there is to be whole.
    let lacking = edited("durations.csv", "o1,a1,f2", "o1,a1,f3");
    assert!(complaint_with(&lacking, &options).contains("durations.csv: lacks functions that are invoked"));
}
