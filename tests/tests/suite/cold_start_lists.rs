//! The lists of cold starts in `workloads/coldstarts`, and the script that makes them.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::fs;

use loader_tests::{Daemon, Ran, root, run};

fn make(arguments: &str) -> Ran {
    run(root().join("scripts/coldstarts"), arguments.split(' '))
}

fn shipped(name: &str) -> String {
    fs::read_to_string(root().join("workloads/coldstarts").join(name)).expect("is there")
}

#[test]
fn the_lists_are_what_their_commands_make() {
    let readme = shipped("README.md");
    for (name, command) in
        [("constant.csv", "constant"), ("ramp.csv", "ramp"), ("burst.csv", "burst"), ("experiment.csv", "poisson")]
    {
        assert!(readme.contains(&format!("`scripts/coldstarts {command}`")), "{command}");
        assert_eq!(make(command).ok().stdout, shipped(name), "{name}");
    }
    let spec = fs::read_to_string(root().join("workloads/specs/coldstart-experiment.yaml")).expect("is there");
    let list = shipped("experiment.csv").trim().replace(',', ", ");
    assert!(spec.contains(&format!("coldStarts: [{list}]")), "{spec}");
}

#[test]
fn lists_have_the_shape_that_is_asked_for() {
    for (arguments, expected) in [
        ("constant --slots 3 --count 7", "7,7,7\n"),
        ("ramp --slots 5 --from 1 --to-count 3", "1,2,2,3,3\n"),
        ("ramp --slots 3 --from 4 --to-count 0", "4,2,0\n"),
        ("ramp --slots 1 --from 4", "4\n"),
        ("burst --slots 5 --base 0 --peak 9 --at 1 --length 2", "0,9,9,0,0\n"),
        ("poisson --slots 4 --mean 0", "0,0,0,0\n"),
    ] {
        assert_eq!(make(arguments).ok().stdout, expected, "{arguments}");
    }
    let many = make("poisson --slots 4000 --mean 3 --seed 1").ok().stdout;
    let counts: Vec<f64> = many.trim().split(',').map(|count| count.parse().expect("a number")).collect();
    let mean = counts.iter().sum::<f64>() / 4000.0;
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 4000.0;
    assert!((mean - 3.0).abs() < 0.2 && (variance - 3.0).abs() < 0.4, "{mean} {variance}");
}

#[test]
fn what_is_no_list_is_refused_and_nothing_is_overwritten() {
    for arguments in
        ["", "constant --count -1", "constant --count many", "ramp --slots 0", "burst --at 30", "poisson --mean no"]
    {
        let refused = make(arguments);
        assert!(refused.code == 1 && refused.stderr.starts_with("error: "), "{arguments}: {refused:?}");
    }
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("list.csv");
    let to = format!("constant --slots 2 --to {}", path.display());
    make(&to).ok();
    let refused = make(&to);
    assert!(refused.code == 1 && refused.stderr.contains("exists"), "{refused:?}");
    make(&format!("{to} --count 3 --force")).ok();
    assert_eq!(fs::read_to_string(&path).expect("is there"), "3,3\n");
}

#[test]
fn a_spec_takes_a_list() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let path = |name: &str| root().join("workloads").join(name).to_str().expect("UTF-8").to_owned();
    for name in ["constant", "ramp", "burst", "experiment"] {
        let list = format!("@{}", path(&format!("coldstarts/{name}.csv")));
        let spec = path("specs/coldstart-experiment.yaml");
        let planned = daemon.ctl(&["--output", "json", "plan", &spec, "--cold-starts", &list]).ok().json();
        assert_eq!(planned["plan"]["slots"], 30, "{planned:#}");
    }
}
