//! Directories that nobody meant to make: empty ones, cut ones, edited ones, those of a newer version, with names that bite.

#![expect(clippy::expect_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use loader_report::{catalogue::FIGURES, page, run::Run};
use serde_json::json;
use tempfile::TempDir;

const HEADER: &str = "run_id,invocation_id,function,phase,slot,mark,due_unix_us,sent_unix_us,dispatch_lag_us,connect_us,response_us,\
    requested_runtime_us,actual_runtime_us,requested_memory_kib,actual_memory_kib,status,error,instance,cold_start,\
    instance_started_unix_us,saturated,response_bytes,stream_wait_us,receive_lag_us\n";

const T0: i64 = 1_795_359_600_000_000;

/// The row of an invocation that was due so many microseconds after the start.
fn row(function: &str, due: i64) -> String {
    let (due, sent) = (T0 + due, T0 + due + 40);
    format!(
        "r,sec0.inv0,{function},measure,0,,{due},{sent},40,,21000,20000,20010,1024,1024,ok,,i-1,false,{T0},false,8,,5\n"
    )
}

fn directory(files: &[(&str, String)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("writes");
    }
    directory
}

fn recorded(mode: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs").join(mode)
}

/// A copy that may be changed.
fn copy(mode: &str) -> TempDir {
    let copy = tempfile::tempdir().expect("a directory");
    for entry in fs::read_dir(recorded(mode)).expect("lists") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("copies");
    }
    copy
}

fn remarks(directory: &Path) -> String {
    let run = Run::read(directory).expect("reads");
    run.remarks.iter().map(|it| format!("{}\n", it.text)).collect()
}

/// The page of a directory, which is small and holds nothing that would be loaded.
#[track_caller]
fn report(directory: &Path) -> String {
    let run = Run::read(directory).expect("reads");
    let html = page::html(&[run]);
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    assert!(!html.contains("src=") && !html.contains("href="), "something is loaded");
    html
}

#[test]
fn a_directory_without_rows_or_with_one_has_a_report() {
    let none = directory(&[("invocations.csv", HEADER.to_owned())]);
    let html = report(none.path());
    assert!(html.contains("Do not rely on these figures") && html.contains("Nothing was measured"));
    let one = directory(&[("invocations.csv", format!("{HEADER}{}", row("f", 0)))]);
    let html = report(one.path());
    assert!(html.contains("All 1 invocations succeeded") && html.contains("Few samples"));
    let only_state = directory(&[("run.json", "{\"version\":1,\"run_id\":\"r\",\"state\":\"cancelled\"}".to_owned())]);
    assert!(report(only_state.path()).contains("The run was cancelled"));
    let nothing = directory(&[]);
    assert!(Run::read(nothing.path()).is_err_and(|error| error.to_string().contains("is not the directory of a run")));
    assert!(
        Run::read(&nothing.path().join("missing")).is_err_and(|error| error.to_string().starts_with("cannot read"))
    );
}

#[test]
fn fifty_thousand_functions_with_long_names_have_a_small_report() {
    let name = |number: i64| format!("{}-{number}", "\u{202e}<b>&".repeat(60));
    let rows: String = (0..50_000).map(|number| row(&name(number), number * 100_000)).collect();
    let many = directory(&[("invocations.csv", format!("{HEADER}{rows}"))]);
    let html = report(many.path());
    assert!(html.contains("the first 400 of 50000") && !html.contains('\u{202e}') && !html.contains("<b>&"));
}

#[test]
fn names_from_outside_stay_text() {
    for name in [
        "</script><script>alert(1)</script>",
        "<img onerror=x>",
        "a'b",
        "--><!--",
        "]]>",
        "</pre><i>",
        "</textarea>",
        "\u{202e}gnp",
    ] {
        let rows: String = (0..200).map(|number| row(name, number * 10_000)).collect();
        let state =
            json!({ "version": 1, "run_id": "r", "name": name, "mode": name, "state": "failed", "reason": name });
        let directory = directory(&[
            ("invocations.csv", format!("{HEADER}{rows}")),
            ("run.json", state.to_string()),
            ("spec.yaml", name.to_owned()),
        ]);
        let html = report(directory.path());
        assert!(!html.contains(name), "{name}");
        assert_eq!(html.matches("<script>").count(), 1, "{name}");
    }
    let quoted = row("\"two\nlines, \"\"quoted\"\" \u{202e}\"", 0);
    let html = report(directory(&[("invocations.csv", format!("{HEADER}{quoted}"))]).path());
    assert!(html.contains("two\\nlines, &quot;quoted&quot; \\u{202e}"));
}

#[test]
fn any_file_cut_off_at_any_byte_has_a_report() {
    let copy = copy("burst");
    for name in ["invocations.csv", "summary.json", "run.json", "manifest.json", "slots.csv", "scales.csv", "spec.yaml"]
    {
        let path = copy.path().join(name);
        let whole = fs::read(&path).expect("reads");
        // Without its last line end a document is whole.
        let end = if name.ends_with(".csv") { whole.len() } else { whole.trim_ascii_end().len() };
        for cut in (0..end).step_by((end / 40).max(1)).chain([end - 1]) {
            fs::write(&path, &whole[..cut]).expect("writes");
            let run = Run::read(copy.path()).expect("reads");
            assert!(run.remarks.iter().any(|it| it.is_serious), "{name} cut at {cut}: {:?}", run.remarks);
            let drawn = FIGURES.iter().filter(|entry| entry.draw(std::slice::from_ref(&run)).is_some()).count();
            assert!(drawn > 0, "{name} cut at {cut}: {drawn} figures");
        }
        report(copy.path());
        fs::write(&path, whole).expect("writes");
    }
}

#[test]
fn an_edited_file_is_named() {
    let copy = copy("burst");
    assert!(!remarks(copy.path()).contains("manifest"), "{}", remarks(copy.path()));
    let path = copy.path().join("slots.csv");
    let text = fs::read_to_string(&path).expect("reads");
    fs::write(&path, text.replacen("measure", "warm-up", 1)).expect("writes");
    assert!(remarks(copy.path()).contains("slots.csv was changed after the run: its checksum is not the manifest's"));
    fs::remove_file(&path).expect("removes");
    let html = report(copy.path());
    assert!(html.contains("slots.csv is missing") && html.contains("Files are not as the run left them"));
    fs::remove_file(copy.path().join("manifest.json")).expect("removes");
    assert!(remarks(copy.path()).contains("there is no manifest"));
}

#[test]
fn what_a_newer_version_wrote_is_read_as_far_as_it_is_understood() {
    let copy = copy("burst");
    let edit = |name: &str, from: &str, to: &str| {
        let path = copy.path().join(name);
        let text = fs::read_to_string(&path).expect("reads");
        assert!(text.contains(from), "{name} has no {from}");
        fs::write(&path, text.replacen(from, to, 1)).expect("writes");
    };
    edit("run.json", "\"version\": 1", "\"version\": 7");
    edit("manifest.json", "\"version\": 1", "\"version\": 8");
    edit("summary.json", "{", "{ \"later\": 5,");
    edit("invocations.csv", "run_id", "later");
    let remarks = remarks(copy.path());
    for expected in [
        "run.json has version 7, this program knows 1",
        "manifest.json has version 8, this program knows 1",
        "summary.json has fields that this version does not understand: later",
        "columns of invocations.csv that this version does not know were written by a newer version, and are left out: later",
    ] {
        assert!(remarks.contains(expected), "{expected}: {remarks}");
    }
    report(copy.path());
}

#[test]
fn times_that_make_no_sense_are_counted_and_left_out() {
    let rows = [row("f", 0), row("f", 1_000_000), row("f", -T0), row("f", 90 * 86_400 * 1_000_000)].concat();
    let directory = directory(&[("invocations.csv", format!("{HEADER}{rows}"))]);
    assert!(remarks(directory.path()).contains("2 rows lie more than a month from the start of the load"));
    report(directory.path());
}
