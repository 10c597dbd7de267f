//! Studies: what their plans show, how wrong ones are refused, and how they are carried out.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{env, ffi::OsString, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use loader_tests::{Daemon, bin, cluster::Cluster, eventually, heavy, root};
use serde_json::Value;

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
    let (values, labels) = (&plan["cells"][0]["values"], &plan["cells"][0]["labels"]);
    assert_eq!(values["trace.upload"].as_str().map(str::len), Some(64), "{plan}");
    let small = traces.join("small");
    assert_eq!(labels["trace.path"].as_str(), small.to_str(), "{plan}");
    let shown = daemon.ctl(&["study", "plan", file.to_str().expect("text")]).ok();
    assert!(shown.stdout.contains("Runs, in their order"), "{shown:?}");
    assert!(shown.stdout.contains(small.to_str().expect("text")), "{shown:?}");
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
        (
            "base: { trace: { duration: 1m } }\nvary: [{ field: trace.path, values: [nowhere, never] }]\n",
            &["vary[0].values[0]: cannot read", "vary[0].values[1]: cannot read"][..],
        ),
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

/// A study of two cells whose runs take a second.
const SHORT: &str = "name: short\n\
    base: { rps: { start: 20, end: 20, slot: 1s, functions: 1, runtime: 2ms, memoryMib: 1 }, saturation: { lag: 1m } }\n\
    vary: [{ field: rps.runtime, values: [1ms, 3ms] }]\n";

/// Writes a study file.
fn written(state: &Path, rest: &str) -> String {
    let file = state.join("study.yaml");
    fs::write(&file, format!("{SHORT}{rest}\n")).expect("is written");
    file.to_str().expect("text").to_owned()
}

fn study(daemon: &Daemon, id: &str) -> Value {
    daemon.ctl(&["--output", "json", "study", "get", id]).ok().json()["study"].clone()
}

#[test]
fn a_study_is_carried_out_followed_shown_and_removed() {
    let _turn = heavy();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = written(state.path(), "repeats: 2");
    let ran = daemon.ctl(&["study", "run", &file, "--watch"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("run 4 of 4 (rps.runtime="), "{ran:?}");
    for part in ["state      SUCCEEDED", "runs       4 of 4 done", "Runs, in their order"] {
        assert!(ran.stdout.contains(part), "{part}: {ran:?}");
    }
    let shown = study(&daemon, "latest");
    let id = shown["studyId"].as_str().expect("an id").to_owned();
    let runs = shown["runs"].as_array().expect("runs");
    for planned in runs {
        let run = planned["attempts"][0]["runId"].as_str().expect("was made");
        let run = daemon.ctl(&["--output", "json", "get", run]).ok().json()["run"].clone();
        assert_eq!(run["study"]["studyId"], id.as_str());
        assert_eq!(run["study"]["cell"].as_u64().unwrap_or_default(), planned["cell"].as_u64().unwrap_or_default());
        let cell = usize::try_from(planned["cell"].as_u64().unwrap_or_default()).expect("is small");
        let runtime = &shown["cells"][cell]["values"]["rps.runtime"];
        let asked = run["spec"]["rps"]["runtime"].as_str().expect("is set");
        assert_eq!(runtime.as_str().map(|it| format!("0.00{}", it.replace("ms", "s"))).as_deref(), Some(asked));
    }
    let directory = state.path().join("state/studies").join(&id);
    let cells = fs::read_to_string(directory.join("cells.csv")).expect("is written");
    assert!(cells.lines().count() > 2 && fs::read_to_string(directory.join("compare.csv")).is_ok(), "{cells}");
    let listed = daemon.ctl(&["study", "list"]).ok().stdout;
    assert!(listed.contains(&id) && listed.contains("4 of 4 done"), "{listed}");
    // Its runs stand for those of a second study, which makes none.
    let again = daemon.ctl(&["study", "run", &file, "--wait", "--reuse"]);
    assert!(again.code == 0 && again.stdout.contains("4 of 4 done, 4 reused"), "{again:?}");
    daemon.ctl(&["study", "delete", &id, "latest"]).ok();
    assert!(!directory.exists());
    assert_eq!(daemon.ctl(&["study", "list"]).ok().stdout.trim(), "no studies");
    let kept = daemon.ctl(&["--output", "json", "list"]).ok().json();
    assert_eq!(kept["runs"].as_array().map(Vec::len), Some(4), "the runs stay");
    let gone = daemon.ctl(&["study", "get", &id]);
    assert!(gone.code == 5 && gone.stderr.contains("there is no study"), "{gone:?}");
}

#[test]
fn a_study_compares_the_figures_that_it_names() {
    let _turn = heavy();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = written(state.path(), "repeats: 2\nfigures: [responseUs.p50]");
    let plan = daemon.ctl(&["study", "plan", &file]).ok().stdout;
    let lines: Vec<_> = plan.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(lines.iter().any(|line| line == "compared responseUs.p50" || line == "compared response.p50"), "{plan}");
    assert!(plan.contains("up to 1; show nothing with fewer than 4 runs of each cell"), "{plan}");
    daemon.ctl(&["study", "run", &file, "--wait"]).ok();
    let id = study(&daemon, "latest")["studyId"].as_str().expect("an id").to_owned();
    let directory = state.path().join("state/studies").join(&id);
    let rows = |name: &str| fs::read_to_string(directory.join(name)).expect("is written");
    assert_eq!(rows("compare.csv").lines().count(), 2, "a head and one comparison: {}", rows("compare.csv"));
    assert!(rows("cells.csv").contains(",goodput,"), "all figures: {}", rows("cells.csv"));
    for of in [id.as_str(), directory.to_str().expect("text")] {
        let named = daemon.ctl(&["study", "compare", of]).ok().stdout;
        assert!(
            named.contains("response.p50") && !named.contains("failed") && !named.contains("afterwards"),
            "{named}"
        );
        let others = daemon.ctl(&["study", "compare", of, "--figures", "goodput,failed"]).ok().stdout;
        let said = "The figures were chosen after the runs were made (goodput, failed)";
        assert!(others.contains(said) && !others.contains("response.p50"), "{others}");
        assert!(others.lines().filter(|line| line.starts_with("not shown")).all(|line| line.len() <= 80), "{others}");
    }
    for (figures, said) in [("respons.p50", "did you mean response.p50?"), ("failed,failed", "failed is named twice")] {
        let wrong = daemon.ctl(&["study", "compare", &id, "--figures", figures]);
        assert!(wrong.code == 2 && wrong.stderr.contains(said), "{wrong:?}");
    }
    let wrong = written(state.path(), "figures: [response.p98, failed, failed]");
    let refused = daemon.ctl(&["study", "plan", &wrong]);
    for said in ["figures[0]: there is no figure \"response.p98\"", "figures[2]: is failed again"] {
        assert!(refused.code != 0 && refused.stderr.contains(said), "{refused:?}");
    }
}

#[test]
fn runs_that_miss_what_is_expected_of_them_are_counted_at_the_end_of_their_study() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = written(state.path(), "repeats: 1");
    let junit = state.path().join("junit.xml").display().to_string();
    let alone = daemon.ctl(&["study", "run", &file, "--junit", &junit]);
    assert!(alone.code == 2 && alone.stderr.contains("--junit needs --watch or --wait"), "{alone:?}");
    let expecting = |expectation: &str| {
        let text = SHORT.replace("name: short\nbase: {", &format!("name: short\nbase: {{ expect: ['{expectation}'],"));
        fs::write(&file, format!("{text}repeats: 1\n")).expect("is written");
        daemon.ctl(&["study", "run", &file, "--wait", "--junit", &junit])
    };
    let missed = expecting("response.p50 < 1us");
    let xml = fs::read_to_string(&junit).expect("is written");
    assert!(xml.contains("<testsuites tests=\"4\" failures=\"2\" errors=\"0\">"), "{xml}");
    assert_eq!(xml.matches("<testsuite name=\"rps.runtime=").count(), 2, "one for each run: {xml}");
    assert!(xml.contains("name=\"response.p50 &lt; 1us\"") && xml.contains("<failure message=\"it was "), "{xml}");
    assert_eq!(missed.code, 6, "{missed:?}");
    assert!(missed.stderr.contains("2 of the runs do not meet their expectations"), "{missed:?}");
    assert!(missed.stdout.contains("2 of 2 done"), "they are samples all the same: {missed:?}");
    let met = expecting("response.p50 > 0us");
    assert_eq!(met.code, 0, "{met:?}");
    let xml = fs::read_to_string(&junit).expect("is replaced");
    assert!(xml.contains("<testsuites tests=\"4\" failures=\"0\" errors=\"0\">"), "{xml}");
}

#[test]
fn a_study_is_plotted_by_its_id_and_by_its_directory() {
    let _turn = heavy();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = written(state.path(), "repeats: 2\nfigures: [response.p50, goodput]");
    daemon.ctl(&["study", "run", &file, "--wait"]).ok();
    let id = study(&daemon, "latest")["studyId"].as_str().expect("an id").to_owned();
    let directory = state.path().join("state/studies").join(&id).display().to_string();
    let plotted = |of: &str, flags: &str, to: &str| {
        let to = state.path().join(to);
        let flags = flags.split(' ').chain(["--to", to.to_str().expect("text")]);
        let ran = daemon.ctl(&["plot", of].into_iter().chain(flags).collect::<Vec<_>>());
        (fs::read_to_string(&to).unwrap_or_default(), ran)
    };
    let cells = "--figure study-cells --of response.p50,failed --axis rps.runtime";
    let (of_daemon, ran) = plotted(&id, cells, "daemon.csv");
    assert!(ran.code == 0 && ran.stderr.contains("response.p50 by rps.runtime: Medians"), "{ran:?}");
    let rows: Vec<&str> = of_daemon.lines().collect();
    assert_eq!((rows[0], rows.len()), ("figure,series,x,y,more", 5), "two cells in two panels: {of_daemon}");
    let (of_directory, ran) = plotted(&directory, cells, "directory.csv");
    assert!(ran.code == 0 && of_directory == of_daemon, "{ran:?} {of_directory}");
    let (svg, ran) = plotted("latest", "--figure study-cells --width 7in", "cells.svg");
    assert!(ran.code == 0 && svg.matches("role=\"img\"").count() >= 2, "{ran:?} {svg}");
    let (named, ran) = plotted(&directory, "--figure study-cells", "named.csv");
    assert!(named.contains("goodput") && !named.contains("p99"), "what the study names: {ran:?} {named}");
    let (over, ran) = plotted(&directory, "--figure response-cdf", "over.csv");
    assert!(ran.code == 0 && over.contains("runtime=1ms") && over.contains("runtime=3ms"), "by cell: {ran:?} {over}");
    assert!(ran.stderr.contains("Each cell has a look, each run a curve. n = 4 runs of 2 cells"), "{ran:?}");
    for (flags, said) in [
        ("--figure study-cells --axis seed", "seed does not vary in the study; it has rps.runtime"),
        ("--figure study-cells --of nothing,goodput,goodput", "; goodput is named twice"),
        ("--figure study-cells --of nothing", "--of: there is no figure \"nothing\""),
        ("--figure study-order --axis rps.runtime", "study-order is not over axes"),
        ("--figure response-cdf --of response.p50", "--axis and --of are of figures of studies"),
    ] {
        let (_, ran) = plotted(&id, flags, "wrong.csv");
        assert!(ran.code == 2 && ran.stderr.contains(said), "{flags}: {ran:?}");
    }
    let compared = [id.as_str(), &directory].map(|of| daemon.ctl(&["study", "compare", of]).ok().stdout);
    assert_eq!(compared[0], compared[1]);
    let listed = daemon.ctl(&["plot", "--figure", "list"]).ok().stdout;
    assert!(
        ["study-effect", "study-cells", "study-spread", "study-order"].iter().all(|name| listed.contains(name)),
        "{listed}"
    );
}

#[test]
fn a_study_that_is_cancelled_ends_with_its_run() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = written(state.path(), "repeats: 50");
    let id = daemon.ctl(&["study", "run", &file]).ok().stdout.trim().to_owned();
    eventually("a run is under way", || study(&daemon, &id)["progress"]["runId"].as_str().map(str::to_owned));
    let refused = daemon.ctl(&["study", "delete", &id]);
    assert!(refused.code == 5 && refused.stderr.contains("has not ended"), "{refused:?}");
    daemon.ctl(&["study", "cancel", &id, "--wait"]).ok();
    let shown = study(&daemon, &id);
    assert_eq!(shown["state"], "STUDY_STATE_CANCELLED", "{shown}");
    let states = daemon.ctl(&["--output", "json", "list"]).ok().json();
    let is_active =
        |run: &Value| !["SUCCEEDED", "CANCELLED"].iter().any(|state| run["state"] == format!("RUN_STATE_{state}"));
    assert!(!states["runs"].as_array().expect("a list").iter().any(is_active), "{states}");
    // Ending it again changes nothing.
    daemon.ctl(&["study", "cancel", &id]).ok();
}

#[test]
fn commands_of_this_machine_are_run_around_each_run() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = written(state.path(), "repeats: 1\norder: asGiven\nretries: 0");
    let log = state.path().join("log");
    let before = format!("echo \"$LOADER_STAGE $LOADER_VARY_RPS_RUNTIME\" >> {}", log.display());
    let after = format!("{before}; test \"$LOADER_VARY_RPS_RUNTIME\" = 1ms");
    let ran = daemon.ctl(&["study", "run", &file, "--before", &before, "--after", &after]);
    assert_eq!(ran.code, 1, "one run failed: {ran:?}");
    assert_eq!(
        fs::read_to_string(&log).expect("was run"),
        "beforeRun 1ms\nafterRun 1ms\nbeforeRun 3ms\nafterRun 3ms\n"
    );
    assert!(ran.stdout.contains("the client's command (afterRun): exit status: 1"), "{ran:?}");
}

#[test]
fn hooks_are_executables_of_the_daemons_directory_and_what_others_could_change_is_refused() {
    let state = tempfile::tempdir().expect("a directory");
    let hooks = state.path().join("hooks");
    fs::create_dir(&hooks).expect("is made");
    let hook = hooks.join("reset");
    fs::write(&hook, "#!/bin/sh\necho \"$LOADER_STAGE $LOADER_VARY_RPS_RUNTIME\"\n").expect("is written");
    let config = state.path().join("loaderd.toml");
    fs::write(&config, format!("[hooks]\ndirectory = {:?}\ntimeout = \"10s\"\n", hooks.display().to_string()))
        .expect("is written");
    let mode = |mode| fs::set_permissions(&hook, fs::Permissions::from_mode(mode)).expect("is ours");
    let daemon = Daemon::start_with(&state.path().join("state"), &["--config", config.to_str().expect("text")]);
    let refused = |rest: &str, reason: &str| {
        let file = written(state.path(), rest);
        for command in ["plan", "run"] {
            let ran = daemon.ctl(&["study", command, &file]);
            assert!(ran.code == 2 && ran.stderr.contains(reason), "{reason}: {ran:?}");
        }
    };
    mode(0o644);
    refused("hooks: { beforeRun: reset }", "hooks.beforeRun: ");
    refused("hooks: { beforeRun: reset }", "is not executable");
    mode(0o777);
    refused("hooks: { beforeRun: reset }", "can be changed by others (mode 0777)");
    refused("hooks: { afterStudy: none }", "hooks.afterStudy: cannot use ");
    refused("hooks: { afterRun: 'reset now' }", "no command line");
    mode(0o755);
    let ran =
        daemon.ctl(&["study", "run", &written(state.path(), "repeats: 1\nhooks: { beforeRun: reset }"), "--wait"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let shown = study(&daemon, "latest");
    let directory = Path::new(shown["directory"].as_str().expect("a path")).to_owned();
    let run = shown["runs"][0]["attempts"][0]["runId"].as_str().expect("was made").to_owned();
    let output = fs::read_to_string(directory.join(format!("hook-{run}-beforeRun.log"))).expect("is kept");
    assert!(output.starts_with("beforeRun "), "{output}");
    let bare = Daemon::start(&state.path().join("bare"));
    let ran = bare.ctl(&["study", "plan", &written(state.path(), "hooks: { beforeRun: reset }")]);
    assert!(ran.code == 2 && ran.stderr.contains("hooks are off on this daemon"), "{ran:?}");
}

#[test]
fn a_multi_loader_file_becomes_a_study_that_can_be_planned() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let write = |name: &str, text: &str| fs::write(state.path().join(name), text).expect("is written");
    write(
        "base.json",
        r#"{ "Platform": "Knative", "TracePath": "RPS", "RpsTarget": 1, "RpsRuntimeMs": 10, "RpsMemoryMB": 16, "Seed": 42,
            "Granularity": "minute", "IATDistribution": "equidistant", "CPULimit": "1vCPU", "ExperimentDuration": 1,
            "GRPCConnectionTimeoutSeconds": 15, "GRPCFunctionTimeoutSeconds": 60 }"#,
    );
    write(
        "multi.json",
        r#"{ "BaseConfigPath": "base.json", "Studies": [{ "Name": "rates", "Config": { "RpsRuntimeMs": 5 }, "PreScript": "make reset",
            "Sweep": [{ "Field": "RpsTarget", "Values": [2, 4] }] }, { "Name": "other" }] }"#,
    );
    let path = |name: &str| state.path().join(name).to_str().expect("text").to_owned();
    let several = daemon.ctl(&["study", "import", &path("multi.json")]);
    assert!(several.code == 2 && several.stderr.contains("choose one with --study: rates, other"), "{several:?}");
    let (multi, to) = (path("multi.json"), path("rates.yaml"));
    let ran = daemon.ctl(&["study", "import", &multi, "--study", "rates", "--to", &to]).ok();
    assert!(ran.stderr.contains("dropped PreScript (\"make reset\")"), "{ran:?}");
    let text = fs::read_to_string(&to).expect("is written");
    // There is no cluster here.
    fs::write(path("local.yaml"), text.replace("platform: knative", "platform: local")).expect("is written");
    let plan = daemon.ctl(&["--output", "json", "study", "plan", &path("local.yaml")]).ok().json();
    assert_eq!(plan["plan"]["runs"].as_array().map(Vec::len), Some(2), "{plan}");
    assert!(text.starts_with("# From InVitro's multi.json.\n"), "{text}");
}
