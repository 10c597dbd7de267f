//! Parts of a trace: from where, how long, which sample.

use super::*;

#[test]
fn reads_only_the_part_that_is_needed() {
    let Opened { trace, report, .. } = read(&good(), &minutes(1)).unwrap();
    assert_eq!((trace.units, trace.functions.len(), counts(&trace.functions[0]).len()), (1, 1, 1));
    assert_eq!(report.left_out[&Reason::NoInvocations], Occurrences { count: 1, examples: vec!["f2".to_owned()] });
    assert_eq!(read(&good(), &minutes(3)).unwrap().trace, read_all(&good()).0);
    // What is wrong in a column that is not needed is no matter.
    assert!(read(&edited("invocations.csv", "1,0,3", "1,0,x"), &minutes(2)).is_ok());
    let from = |start: u64| Options { start: Duration::from_mins(start), ..minutes(1) };
    let second = read(&good(), &from(1)).unwrap().trace;
    assert_eq!((second.units, second.functions[0].id.as_str(), counts(&second.functions[0])), (1, "f2", vec![70_000]));
    assert_eq!(complaint_with(&good(), &from(3)), "invocations.csv:1: is 3m; the trace lasts 3m");
}

#[test]
fn what_is_asked_beyond_the_end_is_cut() {
    let Opened { trace, report, .. } = read(&good(), &minutes(4)).unwrap();
    assert_eq!(trace, read_all(&good()).0);
    let note = "duration is 4m; the trace has 3m from its start on, which are replayed";
    assert_eq!(report.notes(), [note]);
    let seconds = Options { unit: Some(Duration::from_secs(1)), start: Duration::from_secs(2), ..minutes(1) };
    let Opened { trace, report, .. } = read(&good(), &seconds).unwrap();
    assert_eq!((trace.units, trace.unit, trace.invocations()), (1, Duration::from_secs(1), 8));
    assert_eq!(report.notes(), ["duration is 1m; the trace has 1s from its start on, which are replayed"]);
    for (options, expected) in [
        (Options { duration: Some(Duration::from_secs(90)), ..Options::default() }, "1m 30s"),
        (Options { start: Duration::from_millis(500), ..Options::default() }, "500ms"),
    ] {
        let rule = format!("trace: is {expected}; must be a whole multiple of a unit, 1m");
        assert_eq!(complaint_with(&good(), &options), rule);
    }
}

/// As the sampler of InVitro leaves them: the minutes keep the names of their day.
#[test]
fn columns_are_read_by_position_from_any_number() {
    for from in [0, 1, 2, 540, 1_000_000] {
        let numbers = format!(",{from},{},{}", from + 1, from + 2);
        let files = edited("invocations.csv", ",1,2,3", &numbers);
        assert_eq!(read_all(&files).0, read_all(&good()).0, "{from}");
        let start = Options { start: Duration::from_mins(2), ..Options::default() };
        assert_eq!(read(&files, &start).unwrap().trace.invocations(), 8);
    }
}

#[test]
fn one_of_several_samples_is_read_by_its_size() {
    let mut several = Files(BTreeMap::new());
    for (size, count) in [("10", "70000"), ("200", "70001")] {
        for (name, part) in [("invocations.csv", "inv"), ("durations.csv", "run"), ("memory.csv", "mem")] {
            let text = String::from_utf8(good().0[name].clone()).unwrap().replace("70000", count);
            several.0.insert(format!("{size}_{part}.csv"), text.clone().into_bytes());
        }
    }
    let of = |size| Options { size: Some(size), ..Options::default() };
    assert_eq!(complaint(&several), "trace: holds several samples (10, 200): add --size N (trace.size)");
    assert_eq!(read(&several, &of(200)).unwrap().trace.invocations(), 70_010);
    assert_eq!(read(&several, &of(10)).unwrap().trace, read_all(&good()).0);
    assert_eq!(complaint_with(&several, &of(11)), "trace: has no sample of size 11; there are 10, 200");
    let names: Vec<String> = needed(&several, &of(10)).unwrap().into_iter().map(|needed| needed.store_as).collect();
    assert_eq!(names, ["10_inv.csv", "10_mem.csv", "10_run.csv"]);
    // As the sampler leaves them: a folder for each.
    let folders = several.0.iter().map(|(name, text)| {
        let (size, part) = name.split_once('_').unwrap();
        let part = if part == "inv.csv" {
            "invocations.csv"
        } else if part == "run.csv" {
            "durations.csv"
        } else {
            "memory.csv"
        };
        (format!("{size}/{part}"), text.clone())
    });
    let folders = Files(folders.collect());
    assert_eq!(read(&folders, &of(200)).unwrap().trace, read(&several, &of(200)).unwrap().trace);
}
