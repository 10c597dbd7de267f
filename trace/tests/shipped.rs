//! The traces that come with the loader, read in any part: what is read are the sums of the columns, counted here by
//! taking the lines apart.

#![expect(clippy::unwrap_used, reason = "all of it is a test, its functions too")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use loader_trace::{Load, Options, open};

/// The counts of a table of invocations, by function.
fn counts(directory: &std::path::Path) -> Vec<Vec<u64>> {
    let text = fs::read_to_string(directory.join("invocations.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let first = header.iter().position(|name| name.parse::<u32>().is_ok()).unwrap();
    lines.map(|fields| fields[first..].iter().map(|count| count.parse().unwrap()).collect()).collect()
}

#[test]
fn counts_are_the_sums_of_the_columns_in_every_part() {
    let root: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "workloads", "traces"].iter().collect();
    for entry in fs::read_dir(root).unwrap() {
        let directory = entry.unwrap().path();
        if !directory.is_dir() {
            continue;
        }
        let counts = counts(&directory);
        let all = counts[0].len();
        for (from, minutes) in [(0, all), (0, 1), (all - 1, 1), (all / 2, 7), (7, all), (all / 3, all / 5)] {
            let start = Duration::from_mins(from as u64);
            let duration = Some(Duration::from_mins(minutes as u64));
            let opened = open(&directory, &Options { start, duration, ..Options::default() });
            let opened = opened.unwrap_or_else(|faults| panic!("{}: {faults}", directory.display()));
            let units = minutes.min(all - from);
            assert_eq!((opened.trace.units, opened.report.cut.is_some()), (units, minutes > units));
            for unit in 0..units {
                let sum: u64 = counts.iter().map(|counts| counts[from + unit]).sum();
                let found: u64 =
                    opened.trace.functions.iter().map(|function| u64::from(function.load.count(unit))).sum();
                assert_eq!(found, sum, "{} in minute {unit} from {from}", directory.display());
            }
            assert!(opened.trace.functions.iter().all(|function| matches!(function.load, Load::Counts(_))));
        }
    }
}
