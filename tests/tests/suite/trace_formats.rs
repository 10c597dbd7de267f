//! Traces of any form, from a user's path to a plan.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use loader_tests::{Daemon, root, run};

/// What `plan` says of a trace.
fn plan(daemon: &Daemon, trace: &Path, more: &[&str]) -> serde_json::Value {
    let flags = ["--output", "json", "plan", "--mode", "trace", "--trace", trace.to_str().expect("text")];
    daemon.ctl(&[&flags, more].concat()).ok().json()["plan"].clone()
}

/// Why `plan` refuses a trace.
fn refusal(daemon: &Daemon, trace: &Path, more: &[&str]) -> String {
    let flags = ["plan", "--mode", "trace", "--trace", trace.to_str().expect("text")];
    let ran = daemon.ctl(&[&flags, more].concat());
    assert_eq!(ran.code, 2, "{ran:?}");
    ran.stderr
}

fn invocations(plan: &serde_json::Value) -> u64 {
    plan["invocations"].as_str().and_then(|count| count.parse().ok()).expect("a number")
}

/// The sum of the columns number `from` to `from + count` of a table of invocations.
fn sum(trace: &Path, from: usize, count: usize) -> u64 {
    let text = fs::read_to_string(trace.join("invocations.csv")).expect("a table");
    let rows = text.lines().skip(1);
    let counts = rows.flat_map(|row| row.split(',').skip(4 + from).take(count));
    counts.map(|count| count.parse::<u64>().expect("a count")).sum()
}

#[test]
fn a_plan_has_the_sums_of_the_columns_of_the_part_that_is_asked_for() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let trace = root().join("workloads/traces/small");
    for (flags, from, count) in [
        (&[][..], 0, 60),
        (&["--from", "20m", "--duration", "7m"], 20, 7),
        (&["--from", "59m"], 59, 1),
        (&["--granularity", "second", "--from", "10s", "--duration", "15s"], 10, 15),
    ] {
        let found = plan(&daemon, &trace, flags);
        assert_eq!((invocations(&found), found["slots"].as_u64()), (sum(&trace, from, count), Some(count as u64)));
        assert!(found["notes"].is_null() || found["notes"] == serde_json::json!([]), "{found:#}");
    }
    let cut = plan(&daemon, &trace, &["--from", "0h50m", "--duration", "9h"]);
    assert_eq!((invocations(&cut), cut["slots"].as_u64()), (sum(&trace, 50, 10), Some(10)));
    let note = "duration is 9h; the trace has 10m from its start on, which are replayed";
    assert_eq!(cut["notes"], serde_json::json!([note]));
    let late = refusal(&daemon, &trace, &["--from", "60m"]);
    assert!(late.contains("is 1h; the trace lasts 1h"), "{late}");
}

/// A day of the published form: tables of one function.
fn day(directory: &Path, day: u32, count: u32) {
    let write = |kind: &str, text: String| {
        fs::write(directory.join(format!("{kind}.anon.d{day:02}.csv")), text).expect("writes");
    };
    write("invocations_per_function_md", format!("HashOwner,HashApp,HashFunction,Trigger,1\no,a,f,http,{count}\n"));
    let percentiles = [0, 1, 25, 50, 75, 99, 100].map(|p| format!("percentile_Average_{p}")).join(",");
    write("function_durations_percentiles", format!("HashFunction,{percentiles}\nf,-3,1,2,3,4,5,6\n"));
    let percentiles = [1, 5, 25, 50, 75, 95, 99, 100].map(|p| format!("AverageAllocatedMb_pct{p}")).join(",");
    if day < 13 {
        write("app_memory_percentiles", format!("HashApp,{percentiles}\na,1,2,3,4,5,6,7,8\n"));
    }
}

/// The uploaded traces that have this file.
fn traces(state: &Path, file: &str) -> Vec<PathBuf> {
    let stored = fs::read_dir(state.join("state/traces")).expect("traces").flatten();
    stored.map(|entry| entry.path()).filter(|path| path.join(file).exists()).collect()
}

#[test]
fn one_day_of_several_is_uploaded_and_messages_name_what_the_user_named() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let days = state.path().join("days");
    fs::create_dir(&days).expect("makes");
    for number in [1, 2, 13] {
        day(&days, number, 100 + number);
    }
    let shown = days.display();
    let several = refusal(&daemon, &days, &[]);
    assert!(several.contains(&format!("{shown}: holds several days (1, 2, 13): add --day N")), "{several}");
    let found = plan(&daemon, &days, &["--day", "2"]);
    assert_eq!(invocations(&found), 102);
    assert!(found["notes"][0].as_str().is_some_and(|note| note.ends_with(": 1 (f)")), "{found:#}");
    let stored = traces(state.path(), "app_memory_percentiles.anon.d02.csv");
    assert_eq!(stored.len(), 1);
    assert_eq!(fs::read_dir(&stored[0]).expect("a trace").count(), 3);
    // Of an archive with all days, too.
    let archive = state.path().join("days.zip");
    let pack = "import sys, zipfile, pathlib\n\
                with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as archive:\n\
                \x20for file in pathlib.Path(sys.argv[2]).iterdir(): archive.write(file, file.name)";
    run("python3", ["-c", pack, archive.to_str().expect("text"), days.to_str().expect("text")]).ok();
    assert_eq!(invocations(&plan(&daemon, &archive, &["--day", "1"])), 101);
    let of_archive = traces(state.path(), "app_memory_percentiles.anon.d01.csv.gz");
    assert_eq!(fs::read_dir(&of_archive[0]).expect("a trace").count(), 3);
    let strict = refusal(&daemon, &days, &["--day", "2", "--strict"]);
    let file = days.join("function_durations_percentiles.anon.d02.csv");
    assert!(strict.contains(&format!("{}:2: column percentile_Average_0: ", file.display())), "{strict}");
    let without = refusal(&daemon, &days, &["--day", "13"]);
    assert!(
        without.contains("d13.csv: a table of memory is not beside it") && without.contains("--default-memory"),
        "{without}"
    );
    assert_eq!(invocations(&plan(&daemon, &days, &["--day", "13", "--default-memory", "64MiB"])), 113);
}

#[test]
fn traces_are_told_by_what_they_hold() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let samples = root().join("trace/tests/samples");
    for (sample, count) in
        [("packed", 11), ("huawei2025", 4), ("alibaba-genai", 2), ("iluvatar", 3), ("invitro-iat", 3), ("azure2021", 6)]
    {
        assert_eq!(invocations(&plan(&daemon, &samples.join(sample), &[])), count, "{sample}");
    }
    // Under any name, packed or not.
    let file = state.path().join("my plan (1).TXT");
    fs::copy(samples.join("azure2021/AzureFunctionsInvocationTraceForTwoWeeksJan2021.txt"), &file).expect("copies");
    assert_eq!(invocations(&plan(&daemon, &file, &[])), 6);
    let archive = state.path().join("trace.rar");
    fs::write(&archive, b"Rar!\x1a\x07\x01\x00rest").expect("writes");
    let refused = refusal(&daemon, &archive, &[]);
    assert!(refused.contains("trace.rar: is a rar archive: unpack it first"), "{refused}");
}

#[test]
fn files_that_exist_are_not_replaced() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let file = state.path().join("mine.csv");
    fs::write(&file, "mine").expect("writes");
    let path = file.to_str().expect("text");
    let write = ["plan", "--mode", "burst", "--hold", "2s", "--step-duration", "1s", "--write", path];
    let refused = daemon.ctl(&write);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("mine.csv exists; use --force to replace it"), "{refused:?}");
    assert_eq!(fs::read_to_string(&file).expect("a file"), "mine");
    daemon.ctl(&[&write[..], &["--force"]].concat()).ok();
    // And is a trace, whatever its name.
    assert!(invocations(&plan(&daemon, &file, &["--granularity", "second"])) > 0);
    let folder = state.path().to_str().expect("text");
    let synth = ["trace", "synth", "--functions", "2", "--minutes", "3", "--rate", "1", "--to", folder];
    fs::write(state.path().join("memory.csv"), "mine").expect("writes");
    let refused = daemon.ctl(&synth);
    assert!(refused.code == 2 && refused.stderr.contains("--force"), "{refused:?}");
    assert!(!state.path().join("invocations.csv").exists());
    daemon.ctl(&[&synth[..], &["--force"]].concat()).ok();
}

#[test]
fn tables_of_pickles_are_converted_and_nothing_else_of_them_is_loaded() {
    let script = root().join("tests/ibm2026.py");
    run("python3", [script.to_str().expect("text")]).ok();
}
