//! Workers whose clocks are apart begin in step.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use loader_tests::{
    Daemon,
    server::{Behaviour, Server},
};

use super::{number, sums_up};

/// By how much the clocks of the workers are ahead, nanoseconds, and as the daemon's environment says it.
const OFFSETS_NS: [i64; 4] = [-50_000_000, -1_000_000, 0, 50_000_000];
const OFFSETS: (&str, &str) = ("LOADER_WORKER_CLOCK_OFFSET", "-50ms,-1ms,0s,+50ms");

/// Tolerance of comparing wall-clock times of two processes: each reads two clocks one after the other.
const CLOCKS_NS: i64 = 1_000_000;

/// Invocations of the run, 100 a second. Each asks for another run time, by which the server knows it.
const COUNT: u32 = 400;

#[test]
fn clocks_that_are_apart_are_found_and_load_begins_in_step() {
    let folder = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start_in(&folder.path().join("state"), &[], &[OFFSETS]);
    let server = Server::start(Behaviour::default());
    let mut plan = "due_ns,function,runtime_us,memory_mib,mark,slot\n".to_owned();
    for index in 0..COUNT {
        writeln!(plan, "{},known,{}000,1,,{}", u64::from(index) * 10_000_000, index + 1, index / 100).expect("text");
    }
    let file = folder.path().join("plan.csv");
    fs::write(&file, plan).expect("can be written");
    let flags =
        "--mode trace --platform attach --granularity second --workers 4 --saturation-lag 1m --max-clock-error 5ms";
    let (address, file) = (server.address(), file.display().to_string());
    let more = ["--attach", &address, "--trace", &file];
    let ended = daemon.succeed(&flags.split(' ').chain(more).collect::<Vec<_>>());
    let run = ended["runId"].as_str().expect("an id");
    let summary = sums_up(&daemon, run, 4);
    for (worker, offset_ns) in summary["workers"].as_array().expect("a list").iter().zip(OFFSETS_NS) {
        let clock = &worker["clock"];
        for of in ["first", "last"] {
            let figure = |name: &str| clock[of][name].as_i64().or_else(|| clock[of][name].as_str()?.parse().ok());
            let bound = figure("boundNs").expect("a bound");
            // The daemon's clock minus the worker's.
            let error = figure("offsetNs").unwrap_or_default() + offset_ns;
            assert!(error.abs() <= bound + CLOCKS_NS, "{error} ns, ± {bound}: {worker:#}");
        }
        assert!(number(&clock["worstBoundNs"]) < 5_000_000 && number(&clock["exchanges"]) >= 8, "{worker:#}");
    }
    assert_eq!(summary["clockError"], serde_json::Value::Null, "{summary:#}");
    // What the server saw of each worker: its requests came when its rows say that they were sent, by this machine's one true clock.
    let arrived: BTreeMap<_, _> =
        server.requests().iter().map(|request| (request.runtime_ms, request.arrived_unix_ns)).collect();
    let rows = daemon.table(run, "invocations.csv");
    let mut least = BTreeMap::new();
    for [worker, runtime, sent, lag] in
        rows.columns(["worker", "requested_runtime_us", "sent_unix_us", "dispatch_lag_us"])
    {
        let of = |text: &str| text.parse::<i64>().expect("a number");
        let runtime_ms = u32::try_from(of(runtime) / 1000).expect("small");
        let after = arrived[&runtime_ms] - of(sent) * 1000;
        assert!(after > -5_000_000 - CLOCKS_NS && of(lag) >= 0, "worker {worker}: {after} ns after {sent}");
        let least = least.entry(worker.to_owned()).or_insert((i64::MAX, i64::MAX));
        *least = (least.0.min(after), least.1.min(of(lag)));
    }
    assert_eq!((rows.len(), least.len()), (COUNT as usize, 4));
    // Half of the offsets, which any of a hundred invocations keeps within on whatever machine.
    let is_off = |(after, lag): &(i64, i64)| *after > 25_000_000 || *lag > 25_000;
    assert!(!least.values().any(is_off), "nanoseconds from the send, and lag in microseconds: {least:?}");
}
