//! Studies: what their plans show, and how wrong ones are refused.

#![expect(clippy::expect_used, reason = "tests")]

use std::{env, ffi::OsString, fs, process::Command};

use loader_tests::{Daemon, bin, cluster::Cluster, root};

#[test]
fn a_study_is_planned_over_traces_of_this_machine() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = state.path().join("study.yaml");
    let traces = root().join("workloads/traces");
    let text = format!(
        "base: {{ trace: {{ path: {0}/small, duration: 3s, granularity: second }} }}\n\
         vary: [{{ field: trace.duration, values: [1s, 2s] }}, {{ field: trace.path, glob: '{0}/sm*l' }}]\n\
         repeats: 3\nbetween: {{ pause: 2s }}\n",
        traces.display()
    );
    fs::write(&file, text).expect("is written");
    let ran = daemon.ctl(&["study", "plan", file.to_str().expect("text"), "--output", "json"]).ok();
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let plan = &plan["plan"];
    assert_eq!(plan["cells"].as_array().map(Vec::len), Some(2), "{plan}");
    assert_eq!(plan["runs"].as_array().map(Vec::len), Some(6), "{plan}");
    // Three runs of 1 s, three of 2 s, five pauses of 2 s.
    assert_eq!(plan["duration"], "19s", "{plan}");
    assert_eq!(plan["cells"][0]["values"]["trace.duration"], "1s", "{plan}");
    assert!(plan["cells"][0]["values"]["trace.upload"].is_string(), "{plan}");
    let shown = daemon.ctl(&["study", "plan", file.to_str().expect("text")]).ok();
    assert!(shown.stdout.contains("Runs, in their order"), "{shown:?}");
}

#[test]
fn one_wrong_cell_refuses_a_study_with_all_of_its_faults() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = state.path().join("study.yaml");
    for (text, faults) in [
        (
            "base: { burst: {} }\nvary: [{ field: burst.targetRps, values: [0, 2] }, { field: burst.hold, values: [1s, 3s] }]\n",
            &[
                "vary[0].values[0]: burst.targetRps: is 0",
                "vary[1].values[0]: burst.hold: is 1s",
                "(in 2 of 4 cells, first burst.",
            ][..],
        ),
        (
            "base: { trace: { upload: '00' } }\nvary: [{ field: scaling.stabelWindow, values: [1s] }]\nrepeats: 0\n",
            &["did you mean scaling.stableWindow?", "repeats: is 0; must be 1 to 10000"][..],
        ),
        ("base: { trace: { path: nowhere } }\n", &["base.trace.path: "][..]),
        ("base: { burst: {} }\nrepeats: 10001\n", &["repeats: is 10001; must be 1 to 10000"][..]),
    ] {
        fs::write(&file, text).expect("is written");
        let ran = daemon.ctl(&["study", "plan", file.to_str().expect("text")]);
        assert_eq!(ran.code, 2, "{text}: {ran:?}");
        for fault in faults {
            assert!(ran.stderr.contains(fault), "{text}: {fault}: {ran:?}");
        }
    }
}

/// PATH with the programs of this repository.
fn path() -> OsString {
    let programs = bin("loaderctl").parent().expect("is in a directory").to_owned();
    let others = env::var_os("PATH").expect("there is a PATH");
    env::join_paths(std::iter::once(programs).chain(env::split_paths(&others))).expect("a path")
}

#[test]
fn every_shipped_study_can_be_planned_in_both_of_its_forms() {
    let state = tempfile::tempdir().expect("a directory");
    let cluster = Cluster::start();
    let config = cluster.loaderd_config("");
    let daemon = Daemon::start_with(&state.path().join("state"), &["--config", config.to_str().expect("text")]);
    // Samples are made beside the studies.
    let workloads = state.path().join("workloads");
    let copied =
        Command::new("cp").arg("-r").arg(root().join("workloads")).arg(&workloads).status().expect("cp starts");
    assert!(copied.success());
    let studies = workloads.join("studies");
    let made = Command::new(studies.join("make-samples")).args(["--count", "2"]).env("PATH", path()).output();
    let made = made.expect("starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let again = Command::new(studies.join("make-samples")).env("PATH", path()).output().expect("starts");
    assert_eq!(again.status.code(), Some(2), "samples that are there are not replaced");
    let readme = fs::read_to_string(studies.join("README.md")).expect("is there");
    let mut planned = 0;
    for entry in fs::read_dir(&studies).expect("is there") {
        let file = entry.expect("an entry").path();
        if file.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let name = file.file_name().expect("a name").to_str().expect("text");
        assert!(readme.contains(&format!("`{name}`")), "the README has {name}");
        for flags in [&["--quick"][..], &[]] {
            let ran = daemon.ctl(&[&["study", "plan", file.to_str().expect("text")], flags].concat());
            assert_eq!(ran.code, 0, "{name} {flags:?}: {ran:?}");
        }
        planned += 1;
    }
    assert_eq!(planned, 10);
}
