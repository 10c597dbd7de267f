//! The files of a run: their formats, the manifest, and whether damage is detected.

#![expect(clippy::expect_used, reason = "tests")]

use std::{fs, path::Path};

use loader_tests::{Daemon, Table, run};
use serde_json::Value;

const SHORT: &str = "--mode rps --start 40 --end 40 --slot 2s --runtime 1ms --memory 1MiB";

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

/// A finished run's files, fetched.
fn fetched(daemon: &Daemon, more: &str, to: &Path) -> String {
    let asked = format!("{SHORT} {more}");
    let id = daemon.submit(&words(asked.trim()));
    assert_eq!(daemon.ended(&id)["state"], "RUN_STATE_SUCCEEDED");
    daemon.ctl(&["results", &id, "--to", to.to_str().expect("UTF-8")]).ok();
    id
}

fn check(daemon: &Daemon, target: &str) -> (i32, Vec<String>) {
    let ran = daemon.ctl(&["--output", "json", "check", target]);
    let faults = ran.json()["faults"].as_array().expect("a list").clone();
    let described = |fault: &Value| {
        format!("{}: {}", fault["file"].as_str().expect("text"), fault["fault"].as_str().expect("text"))
    };
    (ran.code, faults.iter().map(described).collect())
}

#[test]
fn damage_is_detected() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let to = state.path().join("to");
    let id = fetched(&daemon, "", &to);
    let to = to.to_str().expect("UTF-8");
    assert_eq!(check(&daemon, to), (0, vec![]));
    assert_eq!(check(&daemon, &id), (0, vec![]));

    let rows = Path::new(to).join("invocations.csv");
    let text = fs::read(&rows).expect("reads");
    fs::write(&rows, &text[..text.len() - 7]).expect("writes");
    let cut = format!("invocations.csv: is cut off: {} bytes, expected {}", text.len() - 7, text.len());
    assert_eq!(check(&daemon, to), (1, vec![cut]));
    let mut edited = text.clone();
    let digit = edited.iter().rposition(u8::is_ascii_digit).expect("a digit");
    edited[digit] = if edited[digit] == b'1' { b'2' } else { b'1' };
    fs::write(&rows, edited).expect("writes");
    let (code, faults) = check(&daemon, to);
    assert!(code == 1 && faults.len() == 1 && faults[0].starts_with("invocations.csv: was changed:"), "{faults:?}");
    fs::remove_file(Path::new(to).join("slots.csv")).expect("removes");
    assert_eq!(check(&daemon, to).1[1], "slots.csv: is missing");
}

#[test]
fn records_in_every_form_are_the_same_rows() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    for (flags, file) in [("--records parquet", "invocations.parquet"), ("--compress gzip", "invocations.csv.gz")] {
        let to = state.path().join(file);
        let id = fetched(&daemon, flags, &to);
        assert_eq!(check(&daemon, &id), (0, vec![]));
        assert!(!to.join("invocations.csv").exists());
        let manifest: Value =
            serde_json::from_slice(&fs::read(to.join("manifest.json")).expect("reads")).expect("JSON");
        let described = manifest["files"].as_array().expect("a list").iter().find(|it| it["name"] == file);
        assert_eq!(described.expect("it is there")["rows"], 80);

        // The daemon reads them back, and so does another reader.
        let printed = state.path().join("printed.csv");
        fs::write(&printed, daemon.ctl(&["records", &id]).ok().stdout).expect("writes");
        let other = state.path().join("other.csv");
        let script = "import sys, pyarrow.csv as c, pyarrow.parquet as p\n\
                      read = p.read_table if sys.argv[1].endswith('parquet') else c.read_csv\n\
                      c.write_csv(read(sys.argv[1]).select(['invocation_id', 'response_us', 'cold_start']), sys.argv[2])";
        let paths = [to.join(file), other.clone()].map(|path| path.to_str().expect("UTF-8").to_owned());
        run("python3", ["-c", script, &paths[0], &paths[1]]).ok();
        let columns = ["invocation_id", "response_us", "cold_start"];
        let (printed, other) = (Table::read(&printed), Table::read(&other));
        assert_eq!(printed.len(), 80);
        assert_eq!(printed.columns(columns), other.columns(columns), "{file}");

        let invitro = state.path().join("invitro").join(file);
        daemon.ctl(&["results", &id, "--layout", "invitro", "--to", invitro.to_str().expect("UTF-8")]).ok();
        assert_eq!(Table::read(&invitro.join("rps_duration_1.csv")).len(), 80);
    }
}

#[test]
fn an_interrupted_run_tells_of_a_row_that_was_cut_off() {
    let state = tempfile::tempdir().expect("a directory");
    let id = fetched(&Daemon::start(state.path()), "", &state.path().join("to"));
    // As if the machine had died in mid-run.
    let directory = state.path().join("runs").join(&id);
    let (rows, run_json) = (directory.join("invocations.csv"), directory.join("run.json"));
    let text = fs::read(&rows).expect("reads");
    fs::write(&rows, &text[..text.len() - 7]).expect("writes");
    let run_state = fs::read_to_string(&run_json).expect("reads");
    fs::write(&run_json, run_state.replace("\"succeeded\"", "\"running\"")).expect("writes");

    let daemon = Daemon::start(state.path());
    let ended = daemon.ended(&id);
    assert_eq!(ended["state"], "RUN_STATE_INTERRUPTED", "{ended}");
    let reason = "the daemon ended while the run was running; the last row was cut off in invocations.csv";
    assert_eq!(ended["reason"], reason);
    let records = daemon.ctl(&["records", &id]).ok();
    assert_eq!(records.stdout.lines().count(), 1 + 79);
    assert!(records.stderr.starts_with("a crash cut the last record off, of which "), "{}", records.stderr);
    let (code, faults) = check(&daemon, &id);
    assert!(code == 1 && faults[0].starts_with("invocations.csv: its last row was cut off by a crash"), "{faults:?}");
}

/// Two megabytes that are two gigabytes once unpacked.
#[test]
fn a_row_without_an_end_in_a_small_file_costs_little() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let id =
        daemon.submit(&["--mode=rps", "--start=5", "--end=5", "--slot=1s", "--runtime=1ms", "--saturation-lag=1m"]);
    daemon.ended(&id);
    let directory = daemon.directory(&id);
    let pack = "head -n 2 invocations.csv > begin && printf 'r,\"' >> begin && gzip -c begin > invocations.csv.gz && \
                head -c 16777216 /dev/zero | gzip -c > member && for i in $(seq 128); do cat member; done >> invocations.csv.gz && \
                rm begin member invocations.csv";
    run("sh", ["-c", &format!("cd {} && {pack}", directory.display())]).ok();
    let read = daemon.ctl(&["records", &id]);
    assert!(read.code == 5 && read.stderr.contains("record 2: is longer than 1048576 bytes"), "{read:?}");
    // The header, and the row that is whole.
    assert_eq!(read.stdout.lines().count(), 2, "{read:?}");
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it says so");
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kib < 300 * 1024, "{kib} KiB");
    daemon.ctl(&["status"]).ok();
}
