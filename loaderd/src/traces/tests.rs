use std::{collections::HashSet, fs, time::Duration};

use super::*;

const LIMITS: Limits = Limits {
    max_count: 10,
    max_per_client: 10,
    expire: None,
    max_bytes: 1000,
    max_total_bytes: 10_000,
    max_client_bytes: 10_000,
};

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
fn the_size_of_a_trace_is_limited() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    let large = TraceFile { size: 1001, ..file("a.csv", b"") };
    let large = Manifest::check(vec![large]).expect("valid");
    assert!(matches!(store.begin(large, "a"), Err(UploadError::TooLarge { bytes: 1001, most: 1000 })));
}

#[test]
fn clients_upload_the_same_trace_side_by_side() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    // Two of one client, one of another that stays behind.
    let (mut first, mut second, mut third) = (missing(&store), missing(&store), begun(&store, two(), "b"));
    for upload in [&mut first, &mut second] {
        upload.append("a.csv", 0, b"hello").expect("appends");
        upload.append("b.csv", 0, b"world").expect("appends");
    }
    third.append("a.csv", 0, b"he").expect("appends");
    let id = second.finish().expect("finishes");
    assert_eq!(fs::read(store.path_of(&id).expect("exists").join("a.csv")).expect("reads"), b"hello");
    assert_eq!(first.finish().expect("is the same"), id);
    drop(third);
    let stages = |store: &TraceStore| store.list().into_iter().map(|it| (it.stage, it.client)).collect::<Vec<_>>();
    let expected = [(Stage::Complete, "a".to_owned()), (Stage::CutOff, "b".to_owned())];
    assert_eq!(stages(&store), expected);
    // As after a restart, with the same bytes and times.
    assert_eq!(TraceStore::open(root.path(), LIMITS).expect("opens").list(), store.list());
}

#[test]
fn ids_are_no_paths() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    assert_eq!(store.path_of("partial"), None);
    assert_eq!(store.path_of(".."), None);
    assert_eq!(store.path_of(&"0".repeat(64)), None);
}

fn third() -> Manifest {
    Manifest::check(vec![file("d.csv", b"third")]).expect("valid")
}

fn other() -> Manifest {
    Manifest::check(vec![file("c.csv", b"other")]).expect("valid")
}

fn begun(store: &TraceStore, manifest: Manifest, client: &str) -> Upload {
    match store.begin(manifest, client).expect("begins") {
        Begun::Missing(upload) => upload,
        Begun::Stored => panic!("already stored"),
    }
}

/// Uploads the first byte of a trace with a content of its own, then leaves.
fn cut_off(store: &TraceStore, content: &str, client: &str) -> String {
    let manifest = Manifest::check(vec![file("d.csv", content.as_bytes())]).expect("valid");
    let id = manifest.id().to_owned();
    begun(store, manifest, client).append("d.csv", 0, &content.as_bytes()[..1]).expect("appends");
    id
}

/// Uploads a trace whole.
fn stored(store: &TraceStore, manifest: Manifest, client: &str) -> String {
    let content = |name: &str| if name == "a.csv" { "hello" } else { "world" };
    let mut upload = begun(store, manifest, client);
    for wanted in upload.wanted() {
        upload.append(&wanted.name, 0, content(&wanted.name).as_bytes()).expect("appends");
    }
    upload.finish().expect("finishes")
}

#[test]
fn abandoned_uploads_use_up_nothing() {
    let root = tempfile::tempdir().expect("a directory");
    let limits = Limits { max_count: 3, max_per_client: 2, ..LIMITS };
    let store = TraceStore::open(root.path(), limits).expect("opens");
    // Manifests without a byte leave nothing.
    for number in 0..500 {
        let manifest = Manifest::check(vec![file("a.csv", number.to_string().as_bytes())]).expect("valid");
        drop(begun(&store, manifest, "a"));
    }
    assert_eq!((store.list(), fs::read_dir(root.path().join("clients")).expect("reads").count()), (Vec::new(), 0));
    // Those with some make room: a client's own for itself, the oldest first, ...
    let ids: Vec<_> = ["first", "second", "third"].map(|content| cut_off(&store, content, "a")).into();
    let left: Vec<_> = store.list().into_iter().map(|it| it.id).collect();
    assert!(left.len() == 2 && !left.contains(&ids[0]), "{left:?}");
    // ... and any for a client that has none.
    cut_off(&store, "fourth", "b");
    cut_off(&store, "fifth", "c");
    let left: Vec<_> = store.list().into_iter().map(|it| it.client).collect();
    assert_eq!(left.len(), 3);
    assert!(left.contains(&"b".to_owned()) && left.contains(&"c".to_owned()), "{left:?}");
}

#[test]
fn what_is_complete_or_under_way_makes_no_room() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), Limits { max_count: 2, ..LIMITS }).expect("opens");
    stored(&store, two(), "a");
    let under_way = begun(&store, other(), "a");
    assert!(matches!(store.begin(third(), "b"), Err(UploadError::TooMany { most: 2 })));
    drop(under_way);
    assert!(matches!(store.begin(third(), "b"), Ok(Begun::Missing(_))));
    let refused = |limits| {
        store.set_limits(limits);
        store.begin(third(), "a").expect_err("has no room").to_string()
    };
    let count = refused(Limits { max_per_client: 1, ..LIMITS });
    assert!(count.starts_with("a has reached the limit of 1 traces of one client"), "{count}");
    assert!(count.contains("loaderctl trace list"), "{count}");
    // 10 bytes are stored, 5 are to come.
    let bytes = refused(Limits { max_client_bytes: 14, ..LIMITS });
    assert!(bytes.starts_with("the traces of a would exceed 14 bytes (traces.max_mib_per_client)"), "{bytes}");
    let bytes = refused(Limits { max_total_bytes: 14, ..LIMITS });
    assert!(bytes.starts_with("the daemon's traces would exceed 14 bytes (traces.max_mib)"), "{bytes}");
    store.set_limits(Limits { max_client_bytes: 14, ..LIMITS });
    assert!(matches!(store.begin(third(), "b"), Ok(Begun::Missing(_))), "it is another client's");
    store.set_limits(Limits { max_client_bytes: 15, max_total_bytes: 15, ..LIMITS });
    assert!(matches!(store.begin(third(), "a"), Ok(Begun::Missing(_))));
}

#[test]
fn an_upload_of_an_earlier_version_is_resumed() {
    let root = tempfile::tempdir().expect("a directory");
    let partial = root.path().join("partial").join(two().id());
    fs::create_dir_all(&partial).expect("makes");
    fs::create_dir(root.path().join("clients")).expect("makes");
    fs::write(partial.join("a.csv"), "he").expect("writes");
    fs::write(root.path().join("clients").join(two().id()), "a").expect("writes");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    assert_eq!(wanted(&missing(&store)), [("a.csv".to_owned(), 2), ("b.csv".to_owned(), 0)]);
}

#[test]
fn limits_hold_over_a_restart() {
    let root = tempfile::tempdir().expect("a directory");
    let limits = Limits { max_per_client: 1, ..LIMITS };
    let store = TraceStore::open(root.path(), limits).expect("opens");
    stored(&store, two(), "a");
    let store = TraceStore::open(root.path(), limits).expect("opens");
    assert!(matches!(store.begin(other(), "a"), Err(UploadError::TooManyOfClient { most: 1, .. })));
    assert!(matches!(store.begin(other(), "b"), Ok(Begun::Missing(_))));
}

#[test]
fn a_trace_is_removed_with_what_was_cut_off_of_it() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    let mut behind = begun(&store, two(), "b");
    behind.append("a.csv", 0, b"h").expect("appends");
    assert!(matches!(store.delete(two().id()), Err(DeleteError::UnderWay)));
    let id = stored(&store, two(), "a");
    drop(behind);
    store.delete(&id).expect("is removed");
    assert_eq!((store.path_of(&id), store.list()), (None, Vec::new()));
    for folder in ["partial", "clients"] {
        assert_eq!(fs::read_dir(root.path().join(folder)).expect("reads").count(), 0, "{folder}");
    }
    assert!(matches!(store.delete(&id), Err(DeleteError::NotFound(_))));
    assert!(matches!(store.delete("../runs"), Err(DeleteError::NotFound(_))));
}

#[test]
fn what_no_run_names_for_long_expires() {
    let root = tempfile::tempdir().expect("a directory");
    let limits = Limits { expire: Some(Duration::from_hours(48)), ..LIMITS };
    let store = TraceStore::open(root.path(), limits).expect("opens");
    let id = stored(&store, two(), "a");
    let partial = cut_off(&store, "partial", "a");
    let listed = || store.list().into_iter().map(|it| it.id).collect::<HashSet<_>>();
    let after = |hours: u64| {
        let newest = store.list().into_iter().map(|it| it.used).max().expect("some");
        newest.plus(Duration::from_hours(hours)).plus(Duration::from_secs(1))
    };
    store.expire(&HashSet::new(), after(23));
    assert_eq!(listed(), HashSet::from([id.clone(), partial.clone()]));
    // What was cut off is kept for a day.
    store.expire(&HashSet::new(), after(24));
    assert_eq!(listed(), HashSet::from([id.clone()]));
    store.expire(&HashSet::from([id.clone()]), after(48));
    assert_eq!(listed(), HashSet::from([id.clone()]), "a run names it");
    let expires = store.list()[0].expires.expect("it does");
    assert_eq!(expires, store.list()[0].used.plus(Duration::from_hours(48)));
    let mut upload = begun(&store, other(), "a");
    upload.append("c.csv", 0, b"o").expect("appends");
    store.expire(&HashSet::new(), after(48));
    assert_eq!(listed(), HashSet::from([other().id().to_owned()]), "it is being sent");
    drop(upload);
    // Without a limit, what is complete stays; what was cut off does not.
    store.set_limits(LIMITS);
    stored(&store, two(), "a");
    store.expire(&HashSet::new(), after(10_000));
    assert_eq!(listed(), HashSet::from([id]));
    assert_eq!(store.list()[0].expires, None);
}

#[test]
fn a_link_is_no_trace() {
    let root = tempfile::tempdir().expect("a directory");
    let store = TraceStore::open(root.path(), LIMITS).expect("opens");
    let id = "a".repeat(64);
    std::os::unix::fs::symlink("/etc", root.path().join(&id)).expect("links");
    assert_eq!(store.path_of(&id), None);
}
