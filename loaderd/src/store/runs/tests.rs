use loader_proto::v1;

use super::*;
use crate::{
    control::WireCodec,
    record::{Counts, Summary},
    spec::Defaults,
};

fn codec() -> WireCodec {
    WireCodec { defaults: Defaults { platform: "local".to_owned() } }
}

fn opened(state: &Path) -> Store {
    Store::open(state, Arc::new(codec())).expect("opens")
}

fn file(millis: i64) -> RunFile {
    RunFile::new(RunId::new(millis, 7), ("demo", "burst", "local"), UnixMicros(millis * 1000), "key")
}

fn spec() -> SubmittedSpec {
    codec().submitted(&v1::RunSpec { name: "demo".to_owned(), seed: Some(7), ..v1::RunSpec::default() })
}

#[test]
fn saved_runs_are_loaded_oldest_first() {
    let state = tempfile::tempdir().expect("a directory");
    let store = opened(state.path());
    let (late, mut early) = (file(2_000), file(1_000));
    store.create(&late, &spec()).expect("creates");
    let directory = store.create(&early, &spec()).expect("creates");
    early.state = State::Failed;
    early.reason = "no room".to_owned();
    directory.save(&early).expect("saves");
    assert_eq!(store.load().expect("loads"), [early, late]);
    assert_eq!(directory.spec().expect("reads").message, spec().message);
}

#[test]
fn disk_space_is_reserved_until_a_run_has_ended() {
    let state = tempfile::tempdir().expect("a directory");
    let mut file = file(1_000);
    let directory = opened(state.path()).create(&file, &spec()).expect("creates");
    let names = || {
        let entries = fs::read_dir(directory.path()).expect("exists").map(|entry| entry.expect("one").file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().expect("text")).collect();
        names.sort();
        names
    };
    file.state = State::Running;
    directory.save(&file).expect("saves");
    assert_eq!(names(), [".reserve", "run.json", "spec.yaml"]);
    file.state = State::Failed;
    directory.save(&file).expect("saves");
    assert_eq!(names(), ["run.json", "spec.yaml"]);
}

#[test]
fn directories_that_are_not_runs_are_skipped_and_left_alone() {
    let state = tempfile::tempdir().expect("a directory");
    let store = opened(state.path());
    let good = file(1_000);
    store.create(&good, &spec()).expect("creates");
    let foreign = store.runs.join("notes");
    fs::create_dir(&foreign).expect("creates");
    let damaged = store.create(&file(2_000), &spec()).expect("creates");
    fs::write(damaged.path().join("run.json"), "{\"version\": 1").expect("writes");
    let newer = store.create(&file(3_000), &spec()).expect("creates");
    newer.save(&RunFile { version: 99, ..file(3_000) }).expect("saves");
    assert_eq!(store.load().expect("loads"), [good]);
    assert!(foreign.exists() && damaged.path().exists() && newer.path().exists());
}

#[test]
fn a_removed_run_is_gone() {
    let state = tempfile::tempdir().expect("a directory");
    let store = opened(state.path());
    let file = file(1_000);
    let directory = store.create(&file, &spec()).expect("creates");
    store.remove(&file.run_id).expect("removes");
    assert!(!directory.path().exists());
    assert_eq!(store.load().expect("loads"), []);
    let error = store.remove(&file.run_id).expect_err("is gone");
    assert!(error.to_string().starts_with("cannot remove "), "{error}");
}

#[test]
fn a_summary_is_read_as_it_was_written() {
    let state = tempfile::tempdir().expect("a directory");
    let directory = opened(state.path()).create(&file(1_000), &spec()).expect("creates");
    assert_eq!(directory.summary(), None);
    let by_status = std::collections::BTreeMap::from([("ok".to_owned(), 3_u64)]);
    let measured = Counts { requested: 3, by_status: by_status.clone(), ..Counts::default() };
    let load = Summary { seed: 7, measured, achieved_ratio: Some(1.0), ..Summary::default() };
    let RunFile { run_id, name, mode, platform, .. } = file(1_000);
    let (state, reason) = (State::Failed, "no room".to_owned());
    let summary = RunSummary { run_id, name, mode, platform, state, reason, load, expectations: Vec::new() };
    directory.save_summary(&summary).expect("saves");
    let text = directory.summary().expect("exists");
    let read = codec().read_summary(&text).expect("is a summary");
    assert_eq!((&*read.run_id, &*read.name), (summary.run_id.as_str(), "demo"));
    assert_eq!((read.mode.as_str(), read.platform.as_str()), ("burst", "local"));
    assert_eq!((read.state(), read.reason.as_str()), (v1::RunState::Failed, "no room"));
    assert_eq!((read.seed, read.requested, read.achieved_ratio, read.by_status), (7, 3, Some(1.0), by_status));
    let text = fs::read_to_string(directory.path().join("summary.json")).expect("reads");
    assert!(text.contains("\"requested\": 3") && text.contains("\"failed\": 0"), "plain numbers, zeros too: {text}");
}

#[test]
fn only_regular_files_are_runs_and_half_made_ones_are_removed() {
    let state = tempfile::tempdir().expect("a directory");
    let store = opened(state.path());
    let good = file(1_000);
    store.create(&good, &spec()).expect("creates");
    let at = |millis: i64| store.directory(&file(millis).run_id).path().to_owned();
    // A FIFO, a link and a directory where run.json should be; a link to a whole run.
    for millis in [2_000, 3_000, 4_000] {
        fs::create_dir(at(millis)).expect("makes");
    }
    nix::unistd::mkfifo(&at(2_000).join("run.json"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
    let elsewhere = state.path().join("elsewhere");
    fs::write(&elsewhere, serde_json::to_string(&file(3_000)).expect("is JSON")).expect("writes");
    std::os::unix::fs::symlink(&elsewhere, at(3_000).join("run.json")).expect("links");
    fs::create_dir(at(4_000).join("run.json")).expect("makes");
    fs::create_dir(state.path().join("other")).expect("makes");
    fs::write(state.path().join("other/run.json"), serde_json::to_string(&file(5_000)).expect("is JSON"))
        .expect("writes");
    std::os::unix::fs::symlink(state.path().join("other"), at(5_000)).expect("links");
    // What a kill leaves of a run that is being created; and records without a run.json, which are somebody's.
    fs::create_dir(at(6_000)).expect("makes");
    fs::create_dir(at(7_000)).expect("makes");
    fs::write(at(7_000).join("spec.yaml"), "name: demo").expect("writes");
    fs::write(at(7_000).join(".x.tmp"), "{").expect("writes");
    fs::create_dir(at(8_000)).expect("makes");
    fs::write(at(8_000).join("invocations.csv"), "due").expect("writes");
    assert_eq!(store.load().expect("loads"), [good]);
    assert_eq!([6_000, 7_000].map(|millis| at(millis).exists()), [false; 2]);
    assert_eq!([2_000, 3_000, 4_000, 5_000, 8_000].map(|millis| at(millis).exists()), [true; 5]);
}
