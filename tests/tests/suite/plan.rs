//! Plans as files: what they hold, and that a run replays them exactly.

use loader_tests::{Daemon, Table};

#[test]
fn a_plan_that_was_written_is_replayed_exactly() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = state.path().join("plan.csv");
    let path = file.to_str().expect("text");
    let flags = "--mode burst --target-rps 2 --burst 4 --hold 2s --step-duration 500ms --runtime 3ms --memory 2MiB \
                 --seed 9 --arrivals poisson";
    let ran =
        daemon.ctl(&[&["plan", "--write", path], &flags.split_whitespace().collect::<Vec<_>>()[..]].concat()).ok();
    assert!(ran.stderr.contains("11 invocations written to "), "{ran:?}");
    let plan = Table::read(&file);
    // 1 a second and 2 a second for half a second each, 2 a second for 2 s, the burst and its victim.
    assert_eq!(plan.len(), 1 + 1 + 4 + 4 + 1);

    let replay = ["--mode", "trace", "--trace", path, "--granularity", "second"];
    let run = daemon.succeed(&replay);
    let id = run["runId"].as_str().expect("an id");
    let rows = daemon.table(id, "invocations.csv");
    let start: i64 = daemon.summary(id)["t0UnixUs"].as_i64().expect("a number");
    let dues: Vec<i64> = rows.numbers("due_unix_us");
    let sizes = rows.columns(["function", "requested_runtime_us", "requested_memory_kib"]);
    let mut replayed: Vec<_> = dues.iter().map(|due| due - start).zip(sizes).collect();
    replayed.sort_unstable();
    let dues: Vec<i64> = plan.numbers("due_ns");
    let kib: Vec<_> = plan.numbers::<u64>("memory_mib").iter().map(|mib| (mib * 1024).to_string()).collect();
    let planned =
        plan.columns(["function", "runtime_us"]).into_iter().zip(&kib).map(|([function, us], kib)| [function, us, kib]);
    let mut planned: Vec<_> = dues.iter().map(|due| due / 1000).zip(planned).collect();
    planned.sort_unstable();
    assert_eq!(replayed, planned);
}

#[test]
fn a_plan_that_only_the_run_will_show_is_not_written() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = state.path().join("plan.csv");
    for (flags, word) in [("--mode rps", "rps.end"), ("--mode coldstart --cold-starts 1", "coldstart")] {
        let flags: Vec<_> =
            ["plan", "--write", file.to_str().expect("text")].into_iter().chain(flags.split(' ')).collect();
        let ran = daemon.ctl(&flags);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(word), "{ran:?}");
        assert!(!file.exists());
    }
}
