//! All four modes on the local platform, from the command line to the records.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::collections::BTreeMap;

use loader_tests::{Daemon, Table, bin, even_trace, heavy, run};
use serde_json::{Value, json};

/// A figure of proto3 JSON, in which 64-bit integers are strings and zeros are absent.
fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// Rows, the plan's count and the summary's must be the same.
#[track_caller]
fn agree(daemon: &Daemon, run: &str, planned: u64) -> Table {
    let rows = daemon.table(run, "invocations.csv");
    let slots = daemon.table(run, "slots.csv");
    let summary = daemon.summary(run);
    assert_eq!(rows.len() as u64, planned);
    assert_eq!(number(&summary["rows"]), planned, "{summary:#}");
    assert_eq!(number(&summary["requested"]), planned, "{summary:#}");
    assert_eq!(number(&summary["issued"]), planned, "{summary:#}");
    let by_status: u64 = summary["byStatus"].as_object().expect("a map").values().map(number).sum();
    assert_eq!(by_status, planned, "{summary:#}");
    let planned_by_slot: u64 = slots.numbers::<u64>("planned").iter().sum();
    let marked = rows.column("mark").into_iter().filter(|mark| *mark == "step_warmup").count();
    assert_eq!(planned_by_slot + marked as u64, planned);
    rows
}

#[test]
fn burst() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let flags =
        "--mode burst --name b --target-rps 3 --burst 6 --hold 4s --step-duration 1s --runtime 20ms --memory 5MiB";
    let run = daemon.succeed(&flags.split(' ').collect::<Vec<_>>());
    let id = run["runId"].as_str().expect("an id");
    // 1 + 2 + 3 a second for a second each, 3 a second for 4 s, the burst and its victim.
    let rows = agree(&daemon, id, 6 + 12 + 6 + 1);
    assert_eq!(rows.counts("mark"), BTreeMap::from([("", 18), ("burst", 6), ("victim", 1)]));
    let marked: Vec<_> =
        rows.columns(["mark", "function", "cold_start"]).into_iter().filter(|row| !row[0].is_empty()).collect();
    assert!(marked.iter().filter(|row| row[0] == "burst").all(|row| row[1] == "bursty"), "{marked:?}");
    assert_eq!(marked.iter().filter(|row| row[0] == "victim").collect::<Vec<_>>(), [&["victim", "victim", "true"]]);
    assert_eq!(rows.counts("status"), BTreeMap::from([("ok", 25)]));
    // The functions consumed what they were asked for.
    assert!(rows.numbers::<u64>("actual_runtime_us").iter().all(|&us| us >= 20_000));
    assert!(rows.numbers::<u64>("actual_memory_kib").iter().all(|&kib| kib >= 5 * 1024));
    assert_eq!(run["summary"]["burst"]["victimCold"], json!(true));
    assert_eq!(run["summary"]["burst"]["burstUs"]["count"], json!("6"));
}

#[test]
fn rps() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let flags = "--mode rps --start 5 --end 15 --step 5 --slot 2s --functions 2 --runtime 5ms --memory 1MiB --saturation-lag 1m";
    let run = daemon.succeed(&flags.split(' ').collect::<Vec<_>>());
    let id = run["runId"].as_str().expect("an id");
    let rows = agree(&daemon, id, 10 + 20 + 30);
    // The first fifth of each slot.
    assert_eq!(rows.counts("mark"), BTreeMap::from([("", 48), ("step_warmup", 12)]));
    assert_eq!(rows.counts("function"), BTreeMap::from([("rps-0", 30), ("rps-1", 30)]));
    assert_eq!(daemon.table(id, "slots.csv").column("rps"), ["5", "10", "15"]);
    let found = &run["summary"]["rps"];
    assert_eq!((&found["sustainedRate"], &found["atLeast"]), (&json!(15.0), &json!(true)), "{found:#}");
}

/// The greatest rate that was sustained and the least that was not, each with the slots that sustained and that judged it.
fn interval(found: &Value) -> [Value; 2] {
    ["sustained", "unsustained"].map(|edge| {
        let [rate, passed, tried] = ["Rate", "Passed", "Tried"].map(|field| &found[format!("{edge}{field}")]);
        json!([rate, passed, tried])
    })
}

/// What a run of mode rps finds, by a loader that may be late, so that nothing depends on the machine's speed.
fn found(flags: &str) -> Value {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let flags = format!("--mode rps --memory 1MiB --saturation-lag 1m {flags}");
    let flags: Vec<_> = flags.split_whitespace().collect();
    let run = daemon.submit(&flags);
    daemon.ended(&run)["summary"]["rps"].clone()
}

#[test]
fn a_backlog_is_not_sustained_and_the_next_slots_do_not_know() {
    let _turn = heavy();
    let found = found("--start 2 --step 4 --end 10 --slot 3s --runtime 500ms --max-scale 1");
    assert_eq!(interval(&found), [json!([2.0, 1, 1]), json!([6.0, null, 1])], "{found:#}");
    assert_eq!(found["slots"][2]["verdict"], "unknown", "{found:#}");
}

#[test]
fn a_function_that_does_not_answer_sustains_no_rate() {
    let found = found("--start 5 --step 5 --end 10 --slot 2s --runtime 1m --max-scale 1 --function-timeout 6s");
    assert_eq!(interval(&found), [json!([null, null, null]), json!([5.0, null, 1])], "{found:#}");
    let reason = found["slots"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("100 % failed or were not answered in time"), "{found:#}");
}

#[test]
fn what_the_loader_does_not_send_says_nothing() {
    let found =
        found("--start 10 --end 10 --slot 3s --runtime 3s --max-scale 1 --max-in-flight 5 --function-timeout 4s");
    assert_eq!(interval(&found), [json!([null, null, null]), json!([null, null, null])], "{found:#}");
    let unknown = found["unknown"].as_str().unwrap_or_default();
    assert!(unknown.starts_with("slot 0: the loader sent "), "{found:#}");
}

#[test]
fn bisection_finds_an_interval() {
    let _turn = heavy();
    // One instance that takes 200 ms for each sustains close to 5 a second.
    let found = found("--start 1 --search bisect --precision 0.5 --slot 2s --runtime 200ms --max-scale 1");
    let [lower, upper] = ["sustainedRate", "unsustainedRate"].map(|edge| found[edge].as_f64().unwrap_or_default());
    assert!((2.0..=5.0).contains(&lower) && (4.0..=8.0).contains(&upper) && lower < upper, "{found:#}");
    // Two of three slots decide; one that begins with a backlog, as where the machine stood still, has no say.
    let tried = ["sustainedTried", "unsustainedTried"].map(|edge| number(&found[edge]));
    assert!(tried.iter().all(|tried| (2..=3).contains(tried)), "{found:#}");
}

#[test]
fn rps_ends_at_overload() {
    let _turn = heavy();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    // One instance that takes 400 ms for each holds 2.5 a second; what waits longer than three seconds fails.
    let flags = "--mode rps --start 1 --step 5 --slot 8s --runtime 400ms --memory 1MiB --max-scale 1 --function-timeout 3s \
                 --saturation-lag 1m";
    let run = daemon.succeed(&flags.split_whitespace().collect::<Vec<_>>());
    let found = &run["summary"]["rps"];
    assert_eq!(interval(found), [json!([1.0, 1, 1]), json!([6.0, null, 2])], "{found:#}");
    assert_eq!((&found["overloadedSlots"], &found["endedAtOverload"]), (&json!(2), &json!(true)), "{found:#}");
    let id = run["runId"].as_str().expect("an id");
    assert_eq!(daemon.table(id, "slots.csv").column("rps"), ["1", "6", "6"]);
}

#[test]
fn coldstart() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let flags = "--mode coldstart --start 4 --step 0 --cold-starts 3,1,2 --functions 7 --slot 3s --runtime 10ms \
                 --memory 1MiB --stable-window 500ms --container-concurrency 10";
    // A function for each cold start, so that none has to be at zero again in time.
    let run = daemon.succeed(&flags.split_whitespace().collect::<Vec<_>>());
    let id = run["runId"].as_str().expect("an id");
    let rows = agree(&daemon, id, 3 * 12);
    // Each went to a function that stood at zero, and the functions say so themselves.
    let cold: Vec<_> =
        rows.columns(["mark", "cold_start", "slot"]).into_iter().filter(|row| row[0] == "cold").collect();
    assert_eq!(cold.len(), 6);
    assert!(cold.iter().all(|row| row[1] == "true"), "{cold:?}");
    let by_slot = |slot: &str| cold.iter().filter(|row| row[2] == slot).count();
    assert_eq!(["0", "1", "2"].map(by_slot), [3, 1, 2]);
    let findings = json!({"requested": "6", "achieved": "6", "shortfallBySlot": ["0", "0", "0"]});
    assert_eq!(run["summary"]["coldstart"], findings);
    // What the platform started: one for each cold start, the hot function's first, and more where the machine stood still.
    let hot = rows.columns(["mark", "cold_start"]).into_iter().filter(|row| *row == ["", "true"]).count();
    let slots: u64 = daemon.table(id, "slots.csv").numbers::<u64>("cold_starts").iter().sum();
    assert_eq!(slots, (cold.len() + hot) as u64);
    let cold_starts = &run["summary"]["coldStarts"];
    assert_eq!(number(&cold_starts["count"]), slots);
    assert!(number(&cold_starts["instancesStarted"]) >= slots, "{cold_starts:#}");
}

/// What a plan determines: by function and position in it, when each invocation was due after the first and what it asked.
fn planned(rows: &Table) -> Vec<[String; 4]> {
    let dues: Vec<i64> = rows.numbers("due_unix_us");
    let first = dues.iter().min().copied().unwrap_or_default();
    let columns = rows.columns(["function", "requested_runtime_us", "requested_memory_kib"]);
    let planned = columns.into_iter().zip(dues).map(|([function, runtime, memory], due)| {
        [function.to_owned(), format!("{:012}", due - first), runtime.to_owned(), memory.to_owned()]
    });
    let mut planned: Vec<_> = planned.collect();
    planned.sort();
    planned
}

#[test]
fn trace() {
    let state = tempfile::tempdir().expect("a directory");
    let trace = state.path().join("trace");
    let to = trace.to_str().expect("text");
    let synth = "trace synth --functions 5 --minutes 10 --rate 0.5 --seed 3 --to";
    run(bin("loaderctl"), synth.split(' ').chain([to])).ok();
    let counts = Table::read(&trace.join("invocations.csv"));
    let expected = |seconds: usize| -> u64 {
        (1..=seconds).map(|unit| counts.numbers::<u64>(&unit.to_string()).iter().sum::<u64>()).sum()
    };
    let daemon = Daemon::start(&state.path().join("state"));
    // Each column of the trace lasts a second.
    let flags = "--mode trace --duration 8s --granularity second --max-runtime 20ms --max-memory 8MiB --trace";
    let flags: Vec<_> = flags.split(' ').chain([to]).collect();
    let first = daemon.succeed(&flags);
    let again = daemon.succeed(&flags);
    let other = daemon.succeed(&[&["--seed", "7"], &flags[..]].concat());
    let tables = [&first, &again, &other].map(|run| {
        let id = run["runId"].as_str().expect("an id");
        planned(&agree(&daemon, id, expected(8)))
    });
    assert_eq!(tables[0], tables[1], "the same seed gives the same plan");
    assert_ne!(tables[0], tables[2], "another seed gives another");
}

#[test]
fn a_warm_up_is_recorded_and_not_measured() {
    let state = tempfile::tempdir().expect("a directory");
    let trace = even_trace(state.path(), 3, 40, 15, 5);
    let daemon = Daemon::start(&state.path().join("state"));
    let flags = "--mode trace --duration 12s --granularity second --max-runtime 5ms --max-memory 2MiB --stable-window 1s \
                 --warmup-hold 3s --warmup-settle 3s --trace";
    let submitted = daemon.succeed(&flags.split_whitespace().chain([trace.as_str()]).collect::<Vec<_>>());
    let id = submitted["runId"].as_str().expect("an id");
    let summary = daemon.summary(id);
    let warmup = &summary["warmup"];
    let measured_from = number(&warmup["measuredFromUs"]);
    assert!((3_000_000..=6_000_000).contains(&measured_from), "{warmup:#}");
    // A window that can be judged has 200 responses and lasts a minute: in three seconds nothing is decided.
    assert!(number(&warmup["points"]) >= 20 && warmup["stationary"] == false, "{warmup:#}");
    assert!(
        warmup["ended"].as_str().is_some_and(|ended| ended.starts_with("too few responses to tell: ")),
        "{warmup:#}"
    );
    assert!(warmup.get("pValue").is_none_or(serde_json::Value::is_null), "{warmup:#}");
    assert_eq!(warmup["instancesStarted"], warmup["instancesNeeded"]);
    // Slots go over from one phase to the other once, without a gap.
    let slots = daemon.table(id, "slots.csv");
    let phases = slots.column("phase");
    let warm = phases.iter().filter(|phase| **phase == "warmup").count();
    assert_eq!(phases.len(), 12);
    assert_eq!(warm as u64, measured_from.div_ceil(1_000_000), "{phases:?}");
    assert!(phases.iter().skip(warm).all(|phase| *phase == "measure"), "{phases:?}");
    let starts: Vec<u64> = slots.numbers("start_unix_us");
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 1_000_000), "{starts:?}");
    // All rows are kept; the summary counts those of the measured part.
    let rows = daemon.table(id, "invocations.csv");
    let measured = rows.counts("phase")["measure"] as u64;
    assert_eq!(number(&summary["rows"]), rows.len() as u64);
    assert_eq!(number(&summary["requested"]), measured);
    assert!(measured < rows.len() as u64);
    let by_status: u64 = summary["byStatus"].as_object().expect("a map").values().map(number).sum();
    assert_eq!(by_status, measured);
    // While it is held, no instance is removed.
    let held_until = starts[3];
    let scales = daemon.table(id, "scales.csv");
    let gone = scales.columns(["unix_us", "terminating"]).into_iter().find(|row| row[1] != "0");
    assert!(gone.is_none_or(|row| row[0].parse::<u64>().expect("a time") >= held_until), "{gone:?}");
}

#[test]
fn a_warm_up_that_leaves_nothing_is_refused() {
    let state = tempfile::tempdir().expect("a directory");
    let trace = even_trace(state.path(), 3, 40, 15, 5);
    let daemon = Daemon::start(&state.path().join("state"));
    for (flags, field) in [
        ("--duration 12s --warmup-hold 6s --warmup-settle 6s", "trace.warmup: "),
        ("--warmup-hold 20s --warmup-settle 20s", "trace.warmup: "),
        ("--warmup-hold 16m", "trace.warmup.hold: "),
    ] {
        let mode = "submit --mode trace --granularity second --trace";
        let ran = daemon.ctl(&mode.split(' ').chain([trace.as_str()]).chain(flags.split(' ')).collect::<Vec<_>>());
        assert_eq!(ran.code, 2, "{flags}: {ran:?}");
        assert!(ran.stderr.contains(field), "{ran:?}");
    }
}
