//! Expectations of runs and comparisons: exit codes, JUnit XML, metrics, runs that they end.

#![expect(clippy::expect_used, reason = "tests")]

use std::{fs, path::Path};

use loader_tests::{Daemon, Ran, run};
use serde_json::Value;

/// A load without its length. However busy the machine is, the loader is not saturated.
const LOAD: [&str; 13] = [
    "--mode",
    "rps",
    "--start",
    "5",
    "--end",
    "5",
    "--runtime",
    "5ms",
    "--memory",
    "1MiB",
    "--platform",
    "local",
    "--saturation-lag=30s",
];

fn submit(daemon: &Daemon, slot: &str, more: &[&str]) -> Ran {
    daemon.ctl(&[&["submit", "--slot", slot], &LOAD[..], more].concat())
}

/// What the newest run's summary says of its expectations.
fn expectations(daemon: &Daemon) -> Vec<Value> {
    let got = daemon.ctl(&["--output", "json", "get", "latest"]).json();
    got["run"]["summary"]["expectations"].as_array().expect("a list").clone()
}

fn metric(daemon: &Daemon, expectation: &str) -> Option<String> {
    let text = run("curl", ["-s", &format!("http://{}/metrics", daemon.metrics_address())]).ok().stdout;
    let line = text.lines().find(|line| line.contains("loader_expectation_met{") && line.contains(expectation))?;
    line.rsplit(' ').next().map(str::to_owned)
}

#[test]
fn a_run_that_does_not_meet_its_expectations_ends_with_code_6() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let junit = state.path().join("junit.xml");
    let path = junit.to_str().expect("text");
    let met = ["--expect", "failed < 1%", "--expect", "response.p50 < 1m", "--wait", "--junit", path];
    let ran = submit(&daemon, "4s", &met).ok();
    assert!(ran.stdout.starts_with("All 2 expectations are met:"), "{}", ran.stdout);
    let xml = fs::read_to_string(&junit).expect("was written");
    assert!(
        xml.contains("tests=\"3\" failures=\"0\" errors=\"0\"") && xml.contains("name=\"failed &lt; 1%\"/>"),
        "{xml}"
    );
    assert_eq!(metric(&daemon, "failed < 1%").as_deref(), Some("1"));
    daemon.ctl(&["get", "latest"]).ok();

    let missed =
        ["--expect", "response.p50 < 1us", "--expect", "response.p999 < 1m", "--expect", "failed == 0", "--wait"];
    let ran = submit(&daemon, "4s", &missed);
    assert!(
        ran.code == 6 && ran.stdout.starts_with("EXPECTATIONS NOT MET: 2 of 3\n  ✗ response.p50 < 1us: it was"),
        "{ran:?}"
    );
    let met: Vec<_> = expectations(&daemon).iter().map(|it| it["met"].clone()).collect();
    // Of 20 responses there is no p999: not known, and so not met.
    assert_eq!(met, [Value::Bool(false), Value::Null, Value::Bool(true)]);
    assert_eq!(metric(&daemon, "response.p50 < 1us").as_deref(), Some("0"));
    assert_eq!((metric(&daemon, "response.p999"), metric(&daemon, "failed < 1%")), (None, None));
    let got = daemon.ctl(&["get", "latest", "--junit", path]);
    let xml = fs::read_to_string(&junit).expect("was replaced");
    assert!(got.code == 6 && xml.contains("failures=\"1\" errors=\"1\""), "{got:?}\n{xml}");
    let html = state.path().join("report.html");
    daemon.ctl(&["report", "latest", "--to", html.to_str().expect("text")]).ok();
    let html = fs::read_to_string(html).expect("was written");
    assert!(html.contains("response.p50 &lt; 1us") && html.contains("not known"), "the report has them");
}

#[test]
fn a_run_is_ended_by_an_expectation_that_is_missed() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let flags = ["--expect", "response.p50 < 1us abort after 1s", "--expect", "failed < 50% abort", "--wait"];
    let ran = submit(&daemon, "30s", &flags);
    assert!(
        ran.code == 6 && ran.stdout.contains("an expectation was missed: response.p50 < 1us abort after 1s (it was"),
        "{ran:?}"
    );
    let results = expectations(&daemon);
    assert_eq!((&results[0]["met"], &results[0]["aborted"]), (&Value::Bool(false), &Value::Bool(true)), "{results:?}");
    assert_eq!((&results[1]["met"], &results[1]["aborted"]), (&Value::Bool(true), &Value::Null), "{results:?}");
    let got = daemon.ctl(&["--output", "json", "get", "latest"]).json();
    assert_eq!(got["run"]["state"], "RUN_STATE_FAILED");
    // The load was 150 invocations long.
    let requested = got["run"]["summary"]["requested"].to_string();
    assert!(requested.trim_matches('"').parse::<u32>().is_ok_and(|requested| requested < 150), "{requested}");
}

#[test]
fn expectations_that_make_no_sense_are_refused_with_what_would() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let wrong = [
        "respons.p99 < 1s",
        "response.p99 < 500",
        "rps.sustainedRate > 1 abort",
        "response.p99 < +10%",
        "failed < 1%",
        "failed < 1%",
    ];
    let flags: Vec<&str> = wrong.iter().flat_map(|text| ["--expect", text]).collect();
    let ran = submit(&daemon, "10m", &flags);
    assert_eq!(ran.code, 2, "{ran:?}");
    for expected in [
        "expect[0]: there is no figure \"respons.p99\" in summary.json; did you mean response.p99?",
        "expect[1]: \"500\" is no bound of response.p99: write it as 500ms",
        "expect[2]: rps.sustainedRate is known at the end of a run alone",
        "expect[3]: +10% is relative to another run",
        "expect[5]: \"failed < 1%\" is there twice",
    ] {
        assert!(ran.stderr.contains(expected), "{expected}: {}", ran.stderr);
    }
    let alone = submit(&daemon, "4s", &["--expect", "failed < 1%", "--junit", "x.xml"]);
    assert!(alone.code == 2 && alone.stderr.contains("--junit needs --watch or --wait"), "{alone:?}");
    assert!(!Path::new("x.xml").exists());
}
