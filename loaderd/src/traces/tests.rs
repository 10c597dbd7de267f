use std::{collections::HashSet, fs, time::Duration};

use super::*;
use crate::clock::UnixMicros;

const LIMITS: Limits = Limits { max_count: 10, max_per_client: 10, expire: None, max_bytes: 1000 };

fn file(name: &str, content: &[u8]) -> TraceFile {
    use sha2::{Digest as _, Sha256};
    TraceFile { name: name.to_owned(), size: content.len() as u64, sha256: manifest::hex(&Sha256::digest(content)) }
}

fn two() -> Manifest {
    Manifest::check(vec![file("b.csv", b"world"), file("a.csv", b"hello")]).expect("valid")
}

fn missing(store: &TraceStore) -> Upload {
    match store.begin(two(), "a").expect("begins") {
        Begun::Missing(upload) => upload,
        Begun::Stored => panic!("already stored"),
    }
}

fn wanted(upload: &Upload) -> Vec<(String, u64)> {
    upload.wanted().into_iter().map(|wanted| (wanted.name, wanted.offset)).collect()
}

fn violations<T: std::fmt::Debug>(result: Result<T, UploadError>) -> Vec<String> {
    match result {
        Err(UploadError::Invalid(violations)) => violations.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trace_is_named_by_its_content() {
    let other = Manifest::check(vec![file("b.csv", b"World"), file("a.csv", b"hello")]).expect("valid");
    let turned = Manifest::check(vec![file("a.csv", b"hello"), file("b.csv", b"world")]).expect("valid");
    assert_eq!(two().id(), turned.id());
    assert_ne!(two().id(), other.id());
    assert_eq!(two().size(), 10);
}

#[test]
fn a_manifest_names_every_fault() {
    let bad = |name: &str| TraceFile { name: name.to_owned(), size: 0, sha256: "0".repeat(64) };
    for name in ["a/b/c.csv", "/a.csv", "a/", "a/.b", "./a.csv", "a//b"] {
        assert!(Manifest::check(vec![bad(name)]).is_err(), "{name}");
    }
    let hashless = TraceFile { sha256: "12".to_owned(), ..bad("c.csv") };
    assert!(Manifest::check(vec![bad("folder/a.csv")]).is_ok());
    let files = vec![bad("../a.csv"), bad(".hidden"), bad(""), bad("a b"), bad("fine.csv"), bad("fine.csv"), hashless];
    let faults = Manifest::check(files).expect_err("refused");
    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "manifest.files[0].name",
            "manifest.files[1].name",
            "manifest.files[2].name",
            "manifest.files[3].name",
            "manifest.files[5].name",
            "manifest.files[6].sha256"
        ]
    );
    assert_eq!(Manifest::check(Vec::new()).expect_err("refused")[0].to_string(), "manifest.files: is empty");
}

#[test]
fn pieces_become_a_trace() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    let in_folder = Manifest::check(vec![file("minutes/day.csv", b"x")]).expect("valid");
    let Begun::Missing(mut upload) = store.begin(in_folder, "a").expect("begins") else { panic!("already stored") };
    upload.append("minutes/day.csv", 0, b"x").expect("appends");
    let id = upload.finish().expect("finishes");
    assert_eq!(fs::read(store.path_of(&id).expect("exists").join("minutes/day.csv")).expect("reads"), b"x");

    let mut upload = missing(&store);
    assert_eq!(wanted(&upload), [("a.csv".to_owned(), 0), ("b.csv".to_owned(), 0)]);
    upload.append("a.csv", 0, b"hel").expect("appends");
    upload.append("b.csv", 0, b"world").expect("appends");
    assert!(!upload.is_complete());
    upload.append("a.csv", 3, b"lo").expect("appends");
    assert!(upload.is_complete());
    assert_eq!(store.path_of(two().id()), None, "not before it was checked");
    let id = upload.finish().expect("finishes");
    let path = store.path_of(&id).expect("exists");
    assert_eq!(fs::read(path.join("a.csv")).expect("reads"), b"hello");
    assert!(matches!(store.begin(two(), "a"), Ok(Begun::Stored)));
}

#[test]
fn a_cut_off_upload_resumes_where_it_ended() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    let mut upload = missing(&store);
    upload.append("a.csv", 0, b"hello").expect("appends");
    upload.append("b.csv", 0, b"wo").expect("appends");
    drop(upload);
    let store = TraceStore::open(root.path(), LIMITS).expect("opens again");
    let mut upload = missing(&store);
    assert_eq!(wanted(&upload), [("b.csv".to_owned(), 2)]);
    upload.append("b.csv", 2, b"rld").expect("appends");
    assert_eq!(upload.finish().expect("finishes"), two().id());
}

#[test]
fn pieces_must_fit() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    let mut upload = missing(&store);
    assert_eq!(violations(upload.append("c.csv", 0, b"x")), [r#"data.name: unexpected file "c.csv""#]);
    assert_eq!(violations(upload.append("a.csv", 1, b"x")), ["data.offset: is 1; a.csv continues at 0"]);
    assert_eq!(violations(upload.append("a.csv", 0, b"hello!")), ["data.data: exceeds the 5 bytes of a.csv"]);
}

#[test]
fn content_that_does_not_match_the_manifest_is_sent_again() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    let mut upload = missing(&store);
    upload.append("a.csv", 0, b"hello").expect("appends");
    upload.append("b.csv", 0, b"wrong").expect("appends");
    let faults = violations(upload.finish());
    assert_eq!(faults.len(), 1);
    assert!(faults[0].starts_with("manifest.files[1].sha256: is 486ea4"), "{faults:?}");
    assert_eq!(store.path_of(two().id()), None);
    assert_eq!(wanted(&missing(&store)), [("b.csv".to_owned(), 0)]);
}

#[test]
fn one_client_uploads_a_trace_at_a_time_and_its_size_is_limited() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    let first = missing(&store);
    assert!(matches!(store.begin(two(), "a"), Err(UploadError::UnderWay)));
    drop(first);
    drop(missing(&store));
    let large = TraceFile { size: 1001, ..file("a.csv", b"") };
    let large = Manifest::check(vec![large]).expect("valid");
    assert!(matches!(store.begin(large, "a"), Err(UploadError::TooLarge { bytes: 1001, most: 1000 })));
}

#[test]
fn ids_are_no_paths() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    assert_eq!(store.path_of("partial"), None);
    assert_eq!(store.path_of(".."), None);
    assert_eq!(store.path_of(&"0".repeat(64)), None);
}

fn other() -> Manifest {
    Manifest::check(vec![file("c.csv", b"other")]).expect("valid")
}

#[test]
fn the_number_of_traces_is_limited_and_a_cut_off_upload_can_resume() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), Limits { max_count: 1, ..LIMITS }).expect("opens");
    drop(missing(&store));
    assert!(matches!(store.begin(other(), "a"), Err(UploadError::TooMany { most: 1 })));
    drop(missing(&store));
}

#[test]
fn the_traces_of_each_client_are_limited() {
    let root = tempfile::tempdir().expect("a directory");
    let limits = Limits { max_per_client: 1, ..LIMITS };
    let store = TraceStore::open(root.path(), limits).expect("opens");
    drop(missing(&store));
    let refused = store.begin(other(), "a").expect_err("is one too many");
    assert!(refused.to_string().starts_with("a has reached the limit of 1 traces"), "{refused}");
    drop(missing(&store));
    // It is known over a restart, and does not count for others.
    let store = TraceStore::open(root.path(), limits).expect("opens");
    assert!(matches!(store.begin(other(), "a"), Err(UploadError::TooManyOfClient { most: 1, .. })));
    assert!(matches!(store.begin(other(), "b"), Ok(Begun::Missing(_))));
    // A client that resumes the upload of another does not own it.
    assert!(matches!(store.begin(two(), "b"), Ok(Begun::Missing(_))));
    let third = || Manifest::check(vec![file("d.csv", b"third")]).expect("valid");
    assert!(matches!(store.begin(third(), "a"), Err(UploadError::TooManyOfClient { .. })));
    store.set_limits(LIMITS);
    assert!(matches!(store.begin(third(), "a"), Ok(Begun::Missing(_))));
}

#[test]
fn what_no_run_names_for_long_expires() {
    let root = tempfile::tempdir().expect("a directory");
    let limits = Limits { expire: Some(Duration::from_hours(1)), ..LIMITS };
    let store = TraceStore::open(root.path(), limits).expect("opens");
    let partial = root.path().join("partial").join(two().id());
    drop(missing(&store));
    let used = store.ages()[0].2;
    let after = |minutes: i64| UnixMicros((used + minutes * 60) * 1_000_000);
    store.expire(&HashSet::new(), after(59));
    assert!(partial.exists());
    store.expire(&HashSet::from([two().id().to_owned()]), after(61));
    assert!(partial.exists(), "a run names it");
    let upload = missing(&store);
    store.expire(&HashSet::new(), after(61));
    assert!(partial.exists(), "it is being sent");
    drop(upload);
    store.expire(&HashSet::new(), after(61));
    assert!(!partial.exists());
    assert_eq!(store.client_of(two().id()), None);
}

#[test]
fn a_link_is_no_trace() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    let id = "a".repeat(64);
    std::os::unix::fs::symlink("/etc", root.path().join(&id)).expect("links");
    assert_eq!(store.path_of(&id), None);
}
