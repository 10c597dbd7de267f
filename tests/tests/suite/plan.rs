//! Plans as files: what they hold, and that a run replays them exactly; and whether there is room for a plan.

#![expect(clippy::expect_used, clippy::panic, reason = "this is a test, which ends by a panic")]

use std::{fs, path::Path};

use loader_tests::{Daemon, Table};
use serde_json::{Value, json};

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

/// A trace of functions that are invoked `counts` times a minute each, for 6 s of run time and with 100 MiB.
fn trace(to: &Path, counts: &[[u32; 2]]) {
    fs::create_dir_all(to).expect("a folder");
    let mut tables = [
        "HashOwner,HashApp,HashFunction,Trigger,1,2\n".to_owned(),
        "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,percentile_Average_1,\
         percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,\
         percentile_Average_100\n"
            .to_owned(),
        "HashOwner,HashApp,HashFunction,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,\
         AverageAllocatedMb_pct5,AverageAllocatedMb_pct25,AverageAllocatedMb_pct50,AverageAllocatedMb_pct75,\
         AverageAllocatedMb_pct95,AverageAllocatedMb_pct99,AverageAllocatedMb_pct100\n"
            .to_owned(),
    ];
    for (index, [first, second]) in counts.iter().enumerate() {
        let id = format!("o,a{index},f{index}");
        tables[0].push_str(&format!("{id},http,{first},{second}\n"));
        tables[1].push_str(&format!("{id},6000,1,6000,6000{}\n", ",6000".repeat(7)));
        tables[2].push_str(&format!("{id},1,100{}\n", ",100".repeat(8)));
    }
    for (name, table) in ["invocations", "durations", "memory"].into_iter().zip(tables) {
        fs::write(to.join(format!("{name}.csv")), table).expect("writes");
    }
}

/// The plan of a trace, with its room.
fn room(daemon: &Daemon, trace: &Path, more: &[&str]) -> (Value, i32) {
    let path = trace.to_str().expect("text");
    let ran = daemon.ctl(&[&["--output", "json", "plan", "--room", "--mode", "trace", "--trace", path], more].concat());
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (plan["room"].clone(), ran.code)
}

#[test]
fn a_trace_is_told_how_many_of_its_functions_this_machine_has_room_for() {
    let state = tempfile::tempdir().expect("a directory");
    let config = state.path().join("loaderd.toml");
    fs::write(&config, "[local]\nmax_instances = 5\nstable_window = \"30s\"\n").expect("writes");
    let config = config.to_str().expect("text");
    let daemon = Daemon::start_with(&state.path().join("state"), &["--config", config]);
    // 15 a minute of 6 s are 1.5 at a time: two instances of each of four functions, in the second minute.
    let path = state.path().join("trace");
    trace(&path, &[[1, 15], [0, 15], [0, 15], [0, 15]]);
    let (found, code) = room(&daemon, &path, &["--fail-if-no-room"]);
    assert_eq!((&found["fits"], code), (&json!(false), 6), "{found}");
    let resources = found["resources"].as_array().expect("resources");
    let named = |name: &str| resources.iter().find(|it| it["resource"] == name).unwrap_or_else(|| panic!("{found}"));
    let instances = named("instances");
    assert_eq!((&instances["free"], &instances["peak"], &instances["peakSlot"]), (&json!(5.0), &json!(8.0), &json!(1)));
    assert_eq!(instances["mean"], json!(4.5));
    let memory = named("memory");
    assert_eq!(memory["peak"], json!(8.0 * 104.0), "{memory}");
    assert_eq!(named("busy processors")["peak"], json!(6.0));
    // Five of eight instances, where there are processors enough; never more.
    assert!(found["fittingFunctions"].as_u64().is_some_and(|functions| functions <= 2), "{found}");
    // One a minute: a tenth of a processor.
    trace(&path, &[[1, 1]]);
    let (found, code) = room(&daemon, &path, &["--fail-if-no-room"]);
    assert_eq!((&found["fits"], code), (&json!(true), 0), "{found}");
    assert!(found["fittingRate"].is_null() && found["proportion"].as_f64().is_some_and(|times| times > 1.0), "{found}");
}

#[test]
fn the_room_of_targets_that_are_not_ours_is_unknown() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let path = state.path().join("trace");
    trace(&path, &[[1, 1]]);
    let attached = ["--platform", "attach", "--attach", "127.0.0.1:9"];
    let (found, code) = room(&daemon, &path, &attached);
    assert_eq!(code, 0, "{found}");
    assert_eq!(found, json!({"unknown": "the platform attach does not know its room"}));
    let (_, code) = room(&daemon, &path, &[&attached[..], &["--fail-if-no-room"]].concat());
    assert_eq!(code, 6);
}
