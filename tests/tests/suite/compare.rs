//! `loaderctl compare`: what it finds is what SciPy finds, and what it says of runs of a daemon.

#![expect(clippy::expect_used, reason = "tests")]

use std::{fs, path::Path};

use loader_tests::{Daemon, Ran, bin, root, run};
use serde_json::{Value, json};

/// Writes the directory of a run with these figures.
fn write(parent: &Path, id: &str, figures: &Value) -> String {
    let directory = parent.join(id);
    fs::create_dir(&directory).expect("made");
    let mut summary = json!({
        "runId": id, "name": "made", "mode": "rps", "platform": "local", "state": "RUN_STATE_SUCCEEDED", "requested": 1000,
        "issued": 1000, "returned": 1000,
    });
    summary.as_object_mut().expect("an object").extend(figures.as_object().expect("an object").clone());
    fs::write(directory.join("summary.json"), summary.to_string()).expect("written");
    fs::write(directory.join("spec.yaml"), "rps: {start: 10, end: 10}\n").expect("written");
    directory.to_str().expect("UTF-8").to_owned()
}

/// Numbers that look like chance, from 0 to 1, the same at each call.
fn noise(place: usize) -> f64 {
    let turned = (place as f64 + 1.0) * 0.618_033_988_749_895;
    turned - turned.floor()
}

/// A number to its fourth decimal, which every reader reads as the same one, so that what is tied to one is tied to all.
fn short(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

/// Runs of a group whose response is `level`, give or take a tenth, whose failures are often tied, and whose slowdown is the same
/// whatever the group.
fn group(parent: &Path, name: &str, count: usize, level: f64) -> Vec<String> {
    let figures = |at: usize| {
        let us = |factor: f64| (level * factor * (0.95 + 0.1 * noise(at))).round();
        json!({
            "responseUs": { "count": 1000, "p50": us(1.0), "p99": us(3.0) },
            "slowdown": { "count": 1000, "geometricMean": short(1.0 + noise(at * 7) / 50.0) },
            "failed": if name == "a" { 0 } else { at % 3 },
            "goodput": short(100.0 - level / 100.0 * noise(at + 3)),
        })
    };
    (0..count).map(|at| write(parent, &format!("{name}{at}"), &figures(at))).collect()
}

fn ctl(arguments: &[&str]) -> Ran {
    run(bin("loaderctl").to_str().expect("UTF-8"), arguments)
}

/// Compares groups of so many runs, B slower by `effect`, and has a script find the same.
#[track_caller]
fn agrees(counts: [usize; 2], effect: f64, verdict: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let (a, b) = (group(path, "a", counts[0], 1000.0), group(path, "b", counts[1], 1000.0 * (1.0 + effect)));
    let figures = "response-p50,response-p99,slowdown,failed,goodput";
    let mut arguments = vec!["--output", "json", "compare", "--figure", figures];
    arguments.extend(a.iter().map(String::as_str));
    arguments.push("--vs");
    arguments.extend(b.iter().map(String::as_str));
    let compared = ctl(&arguments).ok();
    assert_eq!(compared.json()["figures"][0]["verdict"], verdict, "{}", compared.stdout);
    let file = path.join("comparison.json");
    fs::write(&file, &compared.stdout).expect("written");
    let script = root().join("tests/compare.py");
    let directories = a.iter().chain(&b).map(String::as_str);
    let given = [script.to_str().expect("UTF-8"), file.to_str().expect("UTF-8")];
    let checked = run("python3", given.into_iter().chain(directories).collect::<Vec<_>>());
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    assert!(checked.stdout.contains(" 0 differences"), "{checked:?}");
}

#[test]
fn scipy_finds_the_same() {
    agrees([4, 4], 0.2, "not_shown");
    agrees([7, 6], 0.2, "worse");
    agrees([12, 12], 0.0, "same_within_margin");
    agrees([21, 24], -0.2, "better");
}

#[test]
fn the_code_says_whether_a_figure_is_worse() {
    let directory = tempfile::tempdir().expect("a directory");
    let (fast, slow) = (directory.path().join("fast"), directory.path().join("slow"));
    fs::create_dir(&fast).expect("made");
    fs::create_dir(&slow).expect("made");
    group(&fast, "a", 5, 1000.0);
    group(&slow, "c", 5, 1200.0);
    let (fast, slow) = (fast.to_str().expect("UTF-8"), slow.to_str().expect("UTF-8"));
    let html = directory.path().join("c.html");
    let figure = ["--figure", "response-p50", "--fail-if", "worse", "--html", html.to_str().expect("UTF-8")];
    let compare = |a: &str, b: &str| ctl(&[&["compare", a, "--vs", b], &figure[..]].concat());
    let worse = compare(fast, slow);
    assert!(worse.code == 6 && worse.stdout.starts_with("B against A is worse: response-p50."), "{worse:?}");
    assert!(fs::read_to_string(&html).expect("written").contains("B against A is worse: response-p50."));
    let better = compare(slow, fast);
    assert!(better.code == 0 && better.stdout.starts_with("B against A is better"), "{better:?}");
    let single = compare(&format!("{fast}/a0"), &format!("{slow}/c1"));
    assert!(single.code == 0 && single.stdout.starts_with("Nothing can be shown of one run a group."), "{single:?}");
    let both = compare(fast, &format!("{fast}/a3"));
    assert!(both.code == 2 && both.stderr.contains("in both groups: a3"), "{both:?}");
}

#[test]
fn expectations_of_a_comparison_must_be_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let (a, b) = (path.join("a"), path.join("b"));
    fs::create_dir(&a).expect("made");
    fs::create_dir(&b).expect("made");
    group(&a, "a", 6, 1000.0);
    group(&b, "b", 6, 1200.0);
    let (a, b, junit) = (a.to_str().expect("UTF-8"), b.to_str().expect("UTF-8"), path.join("gate.xml"));
    let expecting = |texts: &[&str], b: &str| {
        let mut arguments = vec!["compare", a, "--vs", b, "--junit", junit.to_str().expect("UTF-8")];
        texts.iter().for_each(|text| arguments.extend(["--expect", text]));
        ctl(&arguments)
    };
    let met = expecting(&["response.p50 < +50%", "response.p50 > +5%", "response.p50 < 2ms", "failed < 1%"], b).ok();
    assert!(met.stdout.starts_with("All 4 expectations are met:\n  ✓ response.p50 < +50%: × 1.2"), "{met:?}");
    let missed = expecting(&["response.p50 < +5%", "response.p50 < +20%", "slowdown.p99 < 2"], b);
    let lines = "  ✗ response.p50 < +5%: × 1.2";
    assert!(missed.code == 6 && missed.stdout.starts_with("EXPECTATIONS NOT MET: 3 of 3\n"), "{missed:?}");
    assert!(
        missed.stdout.contains(lines) && missed.stdout.contains("response.p50 < +20%: not shown, × 1.2"),
        "{missed:?}"
    );
    assert!(missed.stdout.contains("slowdown.p99 < 2: not known"), "{missed:?}");
    let xml = fs::read_to_string(&junit).expect("written");
    assert!(xml.contains("tests=\"3\" failures=\"1\" errors=\"2\""), "{xml}");
    let wrong = expecting(&["response.p5 < 1s", "response.p50 == +5%", "failed < 1% abort"], b);
    assert!(wrong.code == 2 && wrong.stderr.matches("--expect: ").count() == 3, "{wrong:?}");
}

#[test]
fn groups_of_runs_are_found_by_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(directory.path());
    // However busy the machine is, these runs are samples.
    let flags = "--mode rps --start 5 --end 5 --slot 2s --memory 1MiB --platform local --saturation-lag 30s";
    let submit = |name: &str, runtime: &str| {
        let mut words: Vec<&str> = flags.split(' ').collect();
        words.extend(["--name", name, "--runtime", runtime]);
        daemon.ended(&daemon.submit(&words));
    };
    for number in 0..2 {
        submit(&format!("base-{number}"), "5ms");
        submit(&format!("slow-{number}"), "25ms");
    }
    let compared = daemon.ctl(&["--output", "json", "compare", "base-*", "--vs", "slow-?"]).ok().json();
    let names = |group: usize| {
        let runs = compared["groups"][group]["runs"].as_array().expect("a list");
        runs.iter().map(|run| run["name"].as_str().expect("a name")).collect::<Vec<_>>()
    };
    assert_eq!((names(0), names(1)), (vec!["base-0", "base-1"], vec!["slow-0", "slow-1"]), "{compared:#}");
    let difference = &compared["differences"][0];
    assert_eq!(
        (&difference["field"], &difference["betweenGroups"]),
        (&json!("rps.runtime"), &json!(true)),
        "{compared:#}"
    );
    let unknown = daemon.ctl(&["compare", "base-*", "--vs", "none-*"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("\"none-*\""), "{unknown:?}");
}
