use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::arrivals::Arrivals;
use crate::format::{Format, Options, Report, open};
use crate::trace::Trace;

fn shipped(name: &str) -> Trace {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/traces").join(name);
    open(&path, &Options::default()).unwrap().trace
}

#[test]
fn tables_are_read_again_as_they_were() {
    let trace = shipped("small");
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("new/copy");
    let output = Output::new(&target, TABLES, false).unwrap();
    tables(&trace, &output, Path::new("")).unwrap();
    assert!(!target.exists(), "nothing is there before everything is");
    output.finish().unwrap();
    let opened = open(&target, &Options::default()).unwrap();
    assert_eq!(opened.format, Format::Azure2019Preprocessed);
    assert_eq!(opened.report, Report::default());
    assert_eq!(opened.trace, trace);
    assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1, "and nothing else");
}

#[test]
fn single_invocations_keep_their_times_and_counts() {
    let trace = shipped("small");
    let folder = tempfile::tempdir().unwrap();
    let write = |trace: &Trace, name: &str| {
        let target = folder.path().join(name);
        let output = Output::new(&target, [CALLS], false).unwrap();
        let times = Times { arrivals: Arrivals::Poisson, seed: 1 };
        let written = calls(trace, times, &output, Path::new("")).unwrap();
        output.finish().unwrap();
        assert_eq!(written, trace.invocations());
        target.join(CALLS)
    };
    let first = write(&trace, "first");
    let opened = open(&first, &Options::default()).unwrap();
    assert_eq!((opened.format, opened.trace.functions.len()), (Format::Azure2021, 10));
    assert_eq!(opened.trace.invocations(), 540);
    // What has exact times is written as it is.
    let second = write(&opened.trace, "second");
    let again = open(&second, &Options::default()).unwrap().trace;
    assert_eq!(again, opened.trace);
}

#[test]
fn single_invocations_make_tables() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "app,func,end_timestamp,duration\na,f,1.0,1.0\na,f,62.0,2.0\na,f,63.5,3.5\nb,f,61.0,0.5\n";
    let file = folder.path().join("calls.csv");
    fs::write(&file, rows).unwrap();
    let opened = open(&file, &Options::default()).unwrap();
    let target = folder.path().join("tables");
    let output = Output::new(&target, TABLES, false).unwrap();
    tables(&opened.trace, &output, Path::new("")).unwrap();
    output.finish().unwrap();
    let options = Options { without_tables: true, ..Options::default() };
    let again = open(&target, &options).unwrap().trace;
    let of = |id: &str| again.functions.iter().find(|function| function.id == id).unwrap();
    assert_eq!([0, 1].map(|unit| of("a/f").load.count(unit)), [1, 2]);
    let runtime = of("a/f").runtime.as_ref().unwrap();
    assert_eq!((runtime.quantile(0.5), runtime.quantile(1.0)), (Duration::from_secs(2), Duration::from_millis(3500)));
    assert!((runtime.average_ms() - 6500.0 / 3.0).abs() < 1e-3);
    assert!(!target.join("memory.csv").exists(), "of memory nothing is known");
}

#[test]
fn what_exists_is_refused_and_kept() {
    let trace = shipped("small");
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("memory.csv");
    fs::write(&memory, "mine").unwrap();
    let refused = Output::new(folder.path(), TABLES, false).unwrap_err();
    assert_eq!(refused.to_string(), format!("{} exists", memory.display()));
    assert!(Output::new(&memory, TABLES, true).unwrap_err().to_string().ends_with("is no directory"));
    let abandoned = Output::new(folder.path(), TABLES, true).unwrap();
    tables(&trace, &abandoned, Path::new("")).unwrap();
    drop(abandoned);
    assert_eq!(fs::read_to_string(&memory).unwrap(), "mine");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let forced = Output::new(folder.path(), TABLES, true).unwrap();
    tables(&trace, &forced, Path::new("")).unwrap();
    forced.finish().unwrap();
    assert_eq!(open(folder.path(), &Options::default()).unwrap().trace, trace);
}

#[test]
fn quantiles_are_linear_between_values() {
    // Values and percentiles of InVitro's own test of its Huawei reader.
    let found = super::tables::quantiles(&mut [50.0, 10.0, 90.0], [1, 5, 25, 50, 95, 99]).unwrap();
    for (found, expected) in found.into_iter().zip([10.8, 14.0, 30.0, 50.0, 86.0, 89.2]) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
    assert_eq!(super::tables::quantiles(&mut [], [50]), None);
}
