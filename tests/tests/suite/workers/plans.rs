//! However many workers there are, they send one plan.

use std::collections::BTreeSet;

use loader_tests::{Daemon, Table, bin, run};

use super::{Planned, planned, sums_up};

/// Runs these flags without workers and with 1, 2, 4 and 8; `fixed` is what all have in common.
#[track_caller]
fn same_of_all(flags: &str, trace: Option<&str>, fixed: impl Fn(&Table, BTreeSet<Planned>) -> BTreeSet<Planned>) {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let trace: Vec<_> = trace.into_iter().flat_map(|trace| ["--trace", trace]).collect();
    let mut expected = None;
    for count in [0_usize, 1, 2, 4, 8] {
        let more = if count == 0 { Vec::new() } else { vec!["--workers".to_owned(), count.to_string()] };
        let more = more.iter().map(String::as_str);
        let flags: Vec<_> = flags.split_whitespace().chain(trace.iter().copied()).chain(more).collect();
        let ended = daemon.succeed(&flags);
        let id = ended["runId"].as_str().expect("an id");
        let rows = daemon.table(id, "invocations.csv");
        let workers = rows.counts("worker");
        let numbers: BTreeSet<_> =
            if count == 0 { [String::new()].into() } else { (0..count).map(|it| it.to_string()).collect() };
        assert!(workers.keys().all(|worker| numbers.contains(*worker)), "{workers:?}");
        // Each mode has enough of each function, or functions enough, that each of a few workers has a share.
        assert!(count > 4 || workers.len() == count.max(1), "{workers:?}");
        let found = fixed(&rows, planned(&daemon, id));
        assert!(!found.is_empty());
        sums_up(&daemon, id, count);
        super::same(&found, expected.get_or_insert_with(|| found.clone()));
    }
}

#[test]
fn of_a_trace() {
    let folder = tempfile::tempdir().expect("a directory");
    let trace = folder.path().join("trace");
    let to = trace.to_str().expect("text");
    let synth = "trace synth --functions 12 --minutes 10 --rate 1 --seed 3 --to";
    run(bin("loaderctl"), synth.split(' ').chain([to])).ok();
    let flags =
        "--mode trace --duration 5s --granularity second --max-runtime 20ms --max-memory 8MiB --saturation-lag 1m";
    same_of_all(flags, Some(to), |_, planned| planned);
}

#[test]
fn of_a_burst() {
    let flags = "--mode burst --target-rps 20 --burst 30 --hold 2s --step-duration 100ms --runtime 5ms --memory 1MiB \
                 --saturation-lag 1m";
    same_of_all(flags, None, |_, planned| planned);
}

#[test]
fn of_a_rate() {
    let flags =
        "--mode rps --start 100 --end 100 --slot 3s --functions 3 --runtime 2ms --memory 1MiB --saturation-lag 1m";
    same_of_all(flags, None, |_, planned| planned);
}

/// Which function a cold invocation goes to depends on which ones stand at zero.
#[test]
fn of_cold_starts() {
    let flags = "--mode coldstart --start 20 --step 0 --cold-starts 5,4 --functions 12 --slot 3s --runtime 10ms --memory 1MiB \
                 --stable-window 500ms --container-concurrency 10 --saturation-lag 1m";
    same_of_all(flags, None, |rows, planned| {
        let marks = rows.columns(["invocation_id", "mark"]).into_iter();
        let cold: BTreeSet<_> = marks.filter(|row| row[1] == "cold").map(|row| row[0].to_owned()).collect();
        assert_eq!(cold.len(), 9, "each found a function at zero among those of its worker, or of all");
        let of = |(id, function, due, runtime, memory): Planned| {
            let function = if cold.contains(&id) { "cold".to_owned() } else { function };
            (id, function, due, runtime, memory)
        };
        planned.into_iter().map(of).collect()
    });
}
