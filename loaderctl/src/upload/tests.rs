use std::{fs, path::Path};

use loader_trace::Options;

use super::*;
use crate::testkit::{Fake, Script};

const MEMORY: &str = "HashApp,AverageAllocatedMb_pct1\n";

/// A trace directory with a large table, a small one, and what does not belong to the trace.
fn trace() -> (tempfile::TempDir, Vec<u8>) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut large = b"HashOwner,HashApp,HashFunction,1,2\n".to_vec();
    while large.len() < 600 << 10 {
        large.extend(format!("o,a,{},1,2\n", large.len()).bytes());
    }
    large.truncate(600 << 10);
    fs::write(directory.path().join("invocations.csv"), &large).expect("written");
    fs::write(directory.path().join("memory.csv"), MEMORY).expect("written");
    for other in ["notes.txt", ".hidden.csv", "with space.csv"] {
        fs::write(directory.path().join(other), "x").expect("written");
    }
    fs::create_dir(directory.path().join("folder.csv")).expect("made");
    (directory, large)
}

fn found(path: &Path) -> TraceFiles {
    TraceFiles::find(path, &Options::default()).expect("files")
}

fn refused(path: &Path) -> String {
    let refused = TraceFiles::find(path, &Options::default()).expect_err("a fault");
    refused.into_iter().map(|Refused { reason, .. }| reason).collect::<Vec<_>>().join("\n")
}

async fn uploaded(script: Script) -> (Result<String, Failure>, Fake, Vec<u8>) {
    let (directory, large) = trace();
    let fake = Fake::new(script);
    let (daemon, _, _tasks) = fake.serve().await;
    let files = found(directory.path());
    (upload(&daemon, files).await, fake, large)
}

#[tokio::test]
async fn all_bytes_of_all_files_of_the_trace_arrive_in_pieces() {
    let (id, fake, large) = uploaded(Script::default()).await;
    assert_eq!(id.expect("an id"), "stored-id");
    let script = fake.script();
    let rendered: Vec<_> = script.manifest.files.iter().map(|file| (file.name.as_str(), file.size)).collect();
    assert_eq!(rendered, [("invocations.csv", 614_400), ("memory.csv", 32)]);
    let of_memory = "4167cb5eb1983ecd94f00e75cee92c67ff791c1c076c42f26af6a3940e140dee";
    assert_eq!(script.manifest.files[1].sha256, of_memory);
    let pieces: Vec<_> = script.pieces.iter().map(|(name, offset, size)| (name.as_str(), *offset, *size)).collect();
    assert_eq!(
        pieces,
        [
            ("invocations.csv", 0, 262_144),
            ("invocations.csv", 262_144, 262_144),
            ("invocations.csv", 524_288, 90_112),
            ("memory.csv", 0, 32),
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
fn a_trace_is_told_by_what_its_files_hold() {
    let (directory, _) = trace();
    let nowhere = refused(&directory.path().join("nowhere"));
    assert!(nowhere.ends_with("nowhere: No such file or directory (os error 2)"), "{nowhere}");
    let notes = refused(&directory.path().join("notes.txt"));
    assert!(notes.contains("notes.txt: holds no known trace: notes.txt (columns x); known formats are "), "{notes}");
    // A table is named with those beside it.
    let single = found(&directory.path().join("invocations.csv"));
    assert!(single.path("memory.csv").is_some() && single.path("notes.txt").is_none());
    let empty = refused(&directory.path().join("folder.csv"));
    assert!(empty.contains("folder.csv: holds no known trace: no files; known formats are "), "{empty}");
}

/// Only what is replayed is uploaded, under names that the daemon takes.
#[test]
fn one_day_of_several_is_uploaded() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    for day in [1, 2] {
        let name = |kind: &str| path.join(format!("{kind}.anon.d0{day}.csv"));
        fs::write(name("invocations_per_function_md"), "HashOwner,HashApp,HashFunction,Trigger,1\n").expect("writes");
        fs::write(name("app_memory_percentiles"), MEMORY).expect("writes");
    }
    let several = refused(path);
    assert_eq!(several, format!("{}: holds several days (1, 2): add --day N (trace.day)", path.display()));
    let second = TraceFiles::find(path, &Options { day: Some(2), ..Options::default() }).expect("files");
    let names: Vec<String> = second.names().into_iter().map(|(name, _)| name).collect();
    let expected =
        ["app_memory_percentiles.anon.d02.csv", "invocations_per_function_md.anon.d02.csv", "the uploaded trace"];
    assert_eq!(names, expected);
    let plan = path.join("what it did (1).txt");
    fs::write(&plan, "due_ns,function,runtime_us,memory_mib\n0,f,1,1\n").expect("writes");
    let names = found(&plan).names();
    assert_eq!(names[0], ("what_it_did__1_.txt".to_owned(), plan.clone()));
    let said = |description: &str| TraceFiles::in_words_of_the_user(&names, description);
    let shown = plan.display();
    assert_eq!(said("what_it_did__1_.txt:2: is odd"), format!("{shown}:2: is odd"));
    assert_eq!(said("the uploaded trace: is odd"), format!("{shown}: is odd"));
    assert_eq!(said("what_it_did__1_.txt.gz: is odd"), "what_it_did__1_.txt.gz: is odd");
}
