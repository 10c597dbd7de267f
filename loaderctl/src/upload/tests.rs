use std::fs;

use super::*;
use crate::testkit::{Fake, Script};

/// A trace directory with a large file, a small one, and what does not belong to a trace.
fn trace() -> (tempfile::TempDir, Vec<u8>) {
    let directory = tempfile::tempdir().expect("a directory");
    let large: Vec<u8> = (0..600 << 10).map(|index: u32| (index % 251) as u8).collect();
    fs::write(directory.path().join("invocations.csv"), &large).expect("written");
    fs::write(directory.path().join("memory.csv"), "abc").expect("written");
    for other in ["notes.txt", ".hidden.csv", "with space.csv"] {
        fs::write(directory.path().join(other), "x").expect("written");
    }
    fs::create_dir(directory.path().join("folder.csv")).expect("made");
    (directory, large)
}

async fn uploaded(script: Script) -> (Result<String, Failure>, Fake, Vec<u8>) {
    let (directory, large) = trace();
    let fake = Fake::new(script);
    let (daemon, _, _tasks) = fake.serve().await;
    let files = TraceFiles::find(directory.path()).expect("files");
    (upload(&daemon, files).await, fake, large)
}

#[tokio::test]
async fn all_bytes_of_all_csv_files_arrive_in_pieces() {
    let (id, fake, large) = uploaded(Script::default()).await;
    assert_eq!(id.expect("an id"), "stored-id");
    let script = fake.script();
    let rendered: Vec<_> = script.manifest.files.iter().map(|file| (file.name.as_str(), file.size)).collect();
    assert_eq!(rendered, [("invocations.csv", 614_400), ("memory.csv", 3)]);
    let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(script.manifest.files[1].sha256, of_abc);
    let pieces: Vec<_> = script.pieces.iter().map(|(name, offset, size)| (name.as_str(), *offset, *size)).collect();
    assert_eq!(
        pieces,
        [
            ("invocations.csv", 0, 262_144),
            ("invocations.csv", 262_144, 262_144),
            ("invocations.csv", 524_288, 90_112),
            ("memory.csv", 0, 3),
        ]
    );
    assert_eq!(script.held["invocations.csv"], large);
}

#[tokio::test]
async fn an_upload_resumes_where_it_was_cut_off() {
    let (_directory, large) = trace();
    let held = [("invocations.csv".to_owned(), large[..500_000].to_vec())].into();
    let (id, fake, large) = uploaded(Script { held, complete: vec!["memory.csv"], ..Script::default() }).await;
    assert_eq!(id.expect("an id"), "stored-id");
    assert_eq!(fake.script().pieces, [("invocations.csv".to_owned(), 500_000, 114_400)]);
    assert_eq!(fake.script().held["invocations.csv"], large);
}

#[tokio::test]
async fn a_stored_trace_is_not_sent_again() {
    let complete = vec!["invocations.csv", "memory.csv"];
    let (id, fake, _) = uploaded(Script { complete, ..Script::default() }).await;
    assert_eq!(id.expect("an id"), "stored-id");
    assert_eq!(fake.script().pieces, []);
}

#[tokio::test]
async fn the_daemons_reason_for_refusing_an_upload_is_reported() {
    let (refused, _, _) = uploaded(Script { refuses_data: true, ..Script::default() }).await;
    let rendered = refused.expect_err("a refusal").to_string();
    assert_eq!(rendered, "error: the trace is too large");
}

#[test]
fn a_trace_is_a_csv_file_or_a_directory_with_some() {
    let (directory, _) = trace();
    let find = |path: &str| TraceFiles::find(&directory.path().join(path)).expect_err("a fault");
    assert!(find("nowhere").ends_with("nowhere: No such file or directory (os error 2)"));
    fs::write(directory.path().join("notes.txt"), "x").expect("writes");
    assert!(find("notes.txt").ends_with("notes.txt is not a CSV file"));
    let single = TraceFiles::find(&directory.path().join("memory.csv")).expect("a trace of one file");
    assert!(single.path("memory.csv").is_some() && single.path("invocations.csv").is_none());
    let rendered = find("folder.csv");
    assert!(rendered.starts_with("no CSV files in "), "{rendered}");
}
