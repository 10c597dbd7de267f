//! Reports and figures of runs, by the command line.

#![expect(clippy::expect_used, reason = "tests")]

use std::{fs, path::Path};

use loader_tests::{Daemon, Ran, bin, root, run};
use serde_json::Value;

const BURST: &str =
    "--mode burst --target-rps 6 --burst 20 --hold 3s --step-duration 500ms --runtime 40ms --memory 1MiB --max-scale 2";

/// The command line without a daemon.
fn ctl(arguments: &[&str]) -> Ran {
    run(bin("loaderctl"), arguments)
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn a_burst_has_a_report_whose_numbers_are_those_of_the_run() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let ended = daemon.succeed(&words(BURST));
    let id = ended["runId"].as_str().expect("an id");
    let directory = daemon.directory(id);

    // By its id, and from its directory, the same bytes.
    let (fetched, read) = (state.path().join("fetched.html"), state.path().join("read.html"));
    let told = daemon.ctl(&["report", id, "--to", text(&fetched)]).ok();
    assert_eq!(told.stdout.trim(), text(&fetched));
    ctl(&["report", text(&directory), "--to", text(&read)]).ok();
    assert_eq!(fs::read(&fetched).expect("reads"), fs::read(&read).expect("reads"));
    let html = fs::read_to_string(&read).expect("reads");
    assert!(html.len() < 2_000_000 && html.contains("The run was carried out") && html.contains(id));
    assert!(!html.contains("src=") && !html.contains("href=") && !html.contains("style=\""));

    let checked = run("python3", [root().join("tests/report.py").as_path(), &read, &directory]);
    assert!(checked.code == 0 && checked.stdout.contains(" 0 differences"), "{checked:?}");
    let number = html.find("data-f=\"responseUs.p50\" data-v=\"").expect("the median") + 32;
    let wrong = format!("{}9{}", &html[..number], &html[number..]);
    fs::write(&read, wrong).expect("writes");
    let checked = run("python3", [root().join("tests/report.py").as_path(), &read, &directory]);
    assert!(checked.code == 1 && checked.stdout.contains("responseUs.p50"), "{checked:?}");
}

#[test]
fn figures_for_papers_are_of_one_run_or_of_several() {
    let runs = root().join("report/tests/runs");
    let (trace, rps) = (runs.join("trace"), runs.join("rps"));
    let to = tempfile::tempdir().expect("a directory");
    let plot = |name: &str, figure: &str, more: &[&str]| {
        let file = to.path().join(name);
        let flags = ["plot", text(&trace), text(&rps), "--figure", figure, "--to", text(&file)];
        ctl(&[&flags[..], more].concat()).ok();
        fs::read(file).expect("reads")
    };
    let pdf = plot("a.pdf", "response-cdf", &["--width", "8.5cm", "--bw"]);
    assert!(
        pdf.starts_with(b"%PDF-") && !contains(&pdf, b"/Type3") && contains(&pdf, b"/FontFile"),
        "its text is of embedded fonts"
    );
    let png = plot("a.png", "slowdown-ccdf", &["--width", "2in", "--height", "1in", "--dpi", "100"]);
    assert_eq!((&png[1..4], &png[16..24]), (&b"PNG"[..], &[0, 0, 0, 200, 0, 0, 0, 100][..]));
    let svg = String::from_utf8(plot("a.svg", "response-time", &["--linear-y", "--font-size", "9"])).expect("UTF-8");
    assert!(
        svg.contains("role=\"img\"") && svg.contains("font-size=\"12\"") && svg.contains("data-y=\"linear"),
        "{svg}"
    );
    let csv = String::from_utf8(plot("a.csv", "function-slowdown-cdf", &[])).expect("UTF-8");
    assert!(csv.starts_with("series,x,y,more\n") && csv.contains("\ntrace,") && csv.contains("\nrps,"), "{csv}");
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let trace = root().join("report/tests/runs/trace");
    let trace = text(&trace);
    for (flags, code, expected) in [
        (vec!["plot", trace, "--figure", "slowdown", "--to", "a.svg"], 2, "did you mean slowdown-cdf"),
        (vec!["plot", trace, "--figure", "burst", "--to", "a.svg"], 2, "nothing to be seen in figure burst"),
        (vec!["plot", trace, "--figure", "rate", "--to", "a.jpeg"], 2, "must end in .svg, .pdf, .png or .csv"),
        (vec!["plot", trace, "--figure", "rate"], 2, "--to FILE is missing"),
        (vec!["plot", "--figure", "rate", "--to", "a.svg"], 2, "RUN|DIR is missing"),
        (vec!["plot", trace, "--figure", "rate", "--to", "/nowhere/a.svg"], 5, "cannot write /nowhere/a.svg"),
        (vec!["report", "/tmp", "--to", "a.html"], 2, "is not the directory of a run"),
        (vec!["report", "./missing", "--to", "a.html"], 2, "./missing is not a directory"),
    ] {
        let ran = ctl(&flags);
        assert!(ran.code == code && ran.stderr.contains(expected), "{flags:?}: {ran:?}");
    }
    let listed: Value = ctl(&["--output", "json", "plot", "--figure", "list"]).ok().json();
    let names: Vec<_> = listed.as_array().expect("a list").iter().filter_map(|it| it["name"].as_str()).collect();
    assert!(names.contains(&"cold-sweep") && names.len() > 30, "{names:?}");
}
