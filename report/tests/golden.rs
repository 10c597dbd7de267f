//! The report of a small run of each mode, as it was when it was looked at.

#![expect(clippy::expect_used, reason = "tests")]

use std::{fs, path::Path};

use loader_report::{
    catalogue::{FIGURES, find},
    figure::{Style, csv, svg},
    page,
    run::Run,
};

fn run(mode: &str) -> Run {
    Run::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs").join(mode)).expect("reads")
}

/// The body of the page, element by element, without script.
fn body(html: &str) -> String {
    let (_, body) = html.split_once("<body>\n").expect("a body");
    let (body, _) = body.split_once("<script>").expect("a script");
    body.replace("><", ">\n<")
}

fn check(mode: &str) {
    let html = page::html(&[run(mode)]);
    assert_eq!(html, page::html(&[run(mode)]), "the same run gives the same bytes");
    insta::assert_snapshot!(mode, body(&html));
}

#[test]
fn the_report_of_mode_trace() {
    check("trace");
}

#[test]
fn the_report_of_mode_rps() {
    check("rps");
}

#[test]
fn the_report_of_mode_burst() {
    check("burst");
}

#[test]
fn the_report_of_mode_coldstart() {
    check("coldstart");
}

/// Of a run that its daemon did not end: samples and cold starts are those of a recorded run on Knative 1.22 of one node.
#[test]
fn the_report_of_an_interrupted_run() {
    check("interrupted");
}

#[test]
fn every_figure_can_be_drawn() {
    let runs = ["trace", "rps", "burst", "coldstart", "interrupted"].map(run);
    let is_drawn = |name: &str| {
        let of_all = find(name).and_then(|entry| entry.draw(&runs)).is_some();
        of_all || runs.iter().any(|run| find(name).and_then(|entry| entry.draw(std::slice::from_ref(run))).is_some())
    };
    let missing: Vec<_> = FIGURES.iter().map(|entry| entry.name).filter(|name| !is_drawn(name)).collect();
    // No run here has failures or workers, or is of a version that records memory by slot.
    assert_eq!(missing, ["failures", "asked-memory", "worker-lag"]);
}

#[test]
fn several_runs_are_laid_over_each_other() {
    let runs = [run("trace"), run("rps")];
    let figure = find("response-cdf").and_then(|entry| entry.draw(&runs)).expect("a figure");
    let svg = svg(&figure, &Style::paper(3.33, 2.0, 8.0, true));
    assert!(svg.contains(">trace</text>") && svg.contains(">rps</text>") && !svg.contains("#0072B2"), "{svg}");
    let html = page::html(&runs);
    assert!(html.matches("Kolmogorov").count() >= 2 && html.len() < 2_000_000);
}

/// The run of mode rps, as if two workers had sent it, one of which was lost.
fn with_workers() -> Run {
    let directory = tempfile::tempdir().expect("a directory");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs/rps");
    for file in fs::read_dir(from).expect("reads") {
        let file = file.expect("an entry");
        fs::copy(file.path(), directory.path().join(file.file_name())).expect("copies");
    }
    let path = directory.path().join("summary.json");
    let mut summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&path).expect("reads")).expect("a summary");
    let worker = |number: u32, state: &str, own_lag: u64| {
        serde_json::json!({
            "worker": number, "node": format!("node-{number}"), "state": state, "rows": 30,
            "reason": if state == "lost" { "killed by signal 9" } else { "" },
            "counts": { "requested": 30, "issued": 20 },
            "ownLagUs": { "count": 20, "p99": own_lag }, "receiveLagUs": { "count": 20, "p99": 40 },
            "clock": { "last": { "offsetNs": -50_003_100, "boundNs": 18_000 }, "worstBoundNs": 21_300 },
        })
    };
    summary["workers"] = serde_json::json!([worker(0, "ok", 120), worker(1, "lost", 14_000)]);
    fs::write(&path, summary.to_string()).expect("writes");
    Run::read(directory.path()).expect("reads")
}

#[test]
fn workers_have_a_panel_a_figure_and_a_verdict() {
    let run = [with_workers()];
    let figure = find("worker-lag").and_then(|entry| entry.draw(&run)).expect("a figure");
    assert_eq!(figure.finding, "Worker 1 had the greatest own lag, p99 14 ms.");
    let data = csv(&figure);
    assert!(data.contains("worker 0") && data.contains("14000") && data.contains("120"), "{data}");
    let html = page::html(&run);
    for expected in ["<h2 id=\"workers\">Workers</h2>", "1 of 2 workers was lost", "killed by signal 9", "−50.0 ms"] {
        assert!(html.contains(expected), "{expected}");
    }
    assert!(!page::html(&[self::run("rps")]).contains("id=\"workers\""), "a run without workers has no such panel");
}

#[test]
fn a_run_of_a_minute_says_by_blocks_how_precisely_it_was_measured() {
    const TABLE: &str = "<caption>How precisely this run was measured</caption>";
    let folder = tempfile::tempdir().expect("a directory");
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs/interrupted");
    for file in std::fs::read_dir(recorded).expect("lists") {
        let file = file.expect("an entry");
        std::fs::copy(file.path(), folder.path().join(file.file_name())).expect("copies");
    }
    // An interrupted run has no summary, and no value to give an interval of.
    let html = |folder: &Path| page::html(&[Run::read(folder).expect("reads")]);
    assert!(!html(folder.path()).contains(TABLE));
    std::fs::write(folder.path().join("summary.json"), r#"{ "requested": 1000, "failed": 0 }"#).expect("writes");
    let whole = html(folder.path());
    let (_, table) = whole.split_once(TABLE).expect("has it");
    let (table, _) = table.split_once("</table>").expect("is closed");
    for expected in ["share of invocations that failed", "0 % – 0 %", "of 10 s"] {
        assert!(table.contains(expected), "{expected}: {table}");
    }
    assert!(!page::html(&[run("rps")]).contains(TABLE), "too short for five blocks");
}
