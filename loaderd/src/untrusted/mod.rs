//! Untrusted inputs, as bytes: each with valid examples, and with what must hold for all bytes.
//!
//! The tests mutate the examples at random; `scripts/fuzz` runs a fuzzer. Inputs that failed once are in
//! `loaderd/tests/data/found/<input>/`, and the tests repeat them.

#![expect(clippy::expect_used, clippy::panic, reason = "a check fails by panicking; the daemon does not contain this")]

mod examples;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Cursor},
    iter,
    ops::ControlFlow,
    path::{Component, Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use loader_proto::{json, v1};
use loader_trace::{Bytes, Limits, Options, Source};
use prost::Message as _;

use crate::{
    clock::Clock,
    config::Config,
    control::WireCodec,
    endpoint::Endpoint,
    id::RunId,
    invoke::{Call, Protocol, Route, peer_bytes},
    plan,
    platform::knative::check_manifest,
    results::{self, Layout, RecordReader},
    scrape,
    spec::Defaults,
    store::Store,
    traces::{Manifest, TraceFile},
    workers::wire::{BatchEncoder, Decoder, MOST_EVENTS},
};

/// A kind of untrusted input, with examples and a check of its reader.
#[derive(Debug, Clone, Copy)]
pub struct Input {
    /// The name of the input.
    pub name: &'static str,
    /// Valid examples, by file name.
    pub examples: fn() -> BTreeMap<String, Vec<u8>>,
    /// Panics when the reader misbehaves.
    pub check: fn(&[u8]),
}

/// All kinds of untrusted input.
pub const INPUTS: [Input; 11] = [
    Input { name: "configuration", examples: examples::configuration, check: configuration },
    Input { name: "spec", examples: examples::specs, check: spec },
    Input { name: "spec-json", examples: examples::specs_as_json, check: spec_as_json },
    Input { name: "trace", examples: examples::damaged_traces, check: trace },
    Input { name: "upload", examples: examples::uploads, check: upload },
    Input { name: "service-manifest", examples: examples::service_manifests, check: service_manifest },
    Input { name: "exposition", examples: examples::expositions, check: exposition },
    Input { name: "run-directory", examples: examples::damaged_runs, check: run_directory },
    Input { name: "records", examples: examples::records, check: records },
    Input { name: "event-batch", examples: examples::event_batches, check: event_batch },
    Input { name: "http2-answers", examples: examples::http2_answers, check: http2_answers },
];

/// As the daemon reads text from files and clients: what is no UTF-8 does not get that far.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn configuration(bytes: &[u8]) {
    if let Ok(config) = Config::from_toml(&text(bytes)) {
        config.check();
    }
}

/// A run's spec, as YAML.
fn spec(bytes: &[u8]) {
    let (message, faults): (v1::RunSpec, _) = json::from_yaml(&text(bytes));
    if !faults.is_empty() {
        return;
    }
    match plan::validate(&message, &Defaults { platform: "local".to_owned() }) {
        Ok(request) => assert!(!request.run.name.is_empty()),
        Err(violations) => assert!(!violations.is_empty()),
    }
}

/// A run's spec, as JSON.
fn spec_as_json(bytes: &[u8]) {
    spec(bytes);
    if let Ok(value) = serde_json::from_slice(bytes) {
        let (message, faults): (v1::RunSpec, _) = json::from_value(&value);
        // What is read without faults survives a round trip.
        if faults.is_empty() {
            let (again, faults): (v1::RunSpec, _) =
                json::from_value(&json::to_value(&message, json::Integers::Strings));
            assert!(faults.is_empty(), "{faults:?}");
            assert_eq!(message.encode_to_vec(), again.encode_to_vec());
        }
    }
}

/// The content of files, by name.
type Files = BTreeMap<String, Vec<u8>>;

/// Options of reading traces, so bounded that input which unpacks to much ends soon.
fn options() -> Options {
    Options { limits: Limits { bytes: 16 << 20, ..Limits::default() }, ..Options::default() }
}

/// Serves files from memory as a trace's source.
struct InMemory<'a> {
    files: &'a Files,
    /// A file that replaces the one in `files`.
    other: (&'a str, &'a [u8]),
}

impl Source for InMemory<'_> {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.files.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Bytes>> {
        let bytes =
            if name == self.other.0 { self.other.1 } else { self.files.get(name).ok_or(io::ErrorKind::NotFound)? };
        Ok(Box::new(Cursor::new(bytes.to_vec())))
    }
}

/// Takes from the front of `bytes` which of `items` is meant.
fn pick<T>(mut items: impl ExactSizeIterator<Item = T>, bytes: &[u8]) -> Option<(T, &[u8])> {
    let (which, rest) = bytes.split_first()?;
    let which = usize::from(*which) % items.len();
    items.nth(which).map(|item| (item, rest))
}

/// A trace with one file replaced: the first byte selects the trace, the second the file, the rest is its content.
fn trace(bytes: &[u8]) {
    static TRACES: LazyLock<Vec<Files>> = LazyLock::new(examples::traces);
    let Some((files, bytes)) = pick(TRACES.iter(), bytes) else { return };
    let Some((name, bytes)) = pick(files.keys(), bytes) else { return };
    for skip_incomplete in [false, true] {
        let read =
            loader_trace::read(&InMemory { files, other: (name, bytes) }, &Options { skip_incomplete, ..options() });
        if let Err(faults) = read {
            assert!(faults.total > 0 && !faults.shown.is_empty());
        }
    }
}

/// The manifest of an upload.
fn upload(bytes: &[u8]) {
    let Ok(v1::TraceManifest { files }) = v1::TraceManifest::decode(bytes) else { return };
    let files = files.into_iter().map(|v1::TraceFile { name, size, sha256 }| TraceFile { name, size, sha256 });
    match Manifest::check(files.collect()) {
        Ok(manifest) => {
            let root = Path::new("/state/traces/partial").join(manifest.id());
            for file in manifest.files() {
                let path = root.join(&file.name);
                assert!(
                    path.starts_with(&root) && !path.components().any(|part| part == Component::ParentDir),
                    "{path:?}"
                );
            }
        }
        Err(violations) => assert!(!violations.is_empty()),
    }
}

/// The manifest of a Service for Knative.
fn service_manifest(bytes: &[u8]) {
    check_manifest(&text(bytes));
}

/// Metrics that the daemon scrapes.
fn exposition(bytes: &[u8]) {
    for point in scrape::points(&text(bytes)) {
        assert!(!point.name.is_empty());
    }
}

/// A plan whose events workers may send.
fn shared_plan() -> Box<dyn plan::Plan> {
    let spec =
        v1::RunSpec { mode: Some(v1::run_spec::Mode::Burst(v1::BurstMode::default())), ..v1::RunSpec::default() };
    let request = plan::validate(&spec, &Defaults { platform: "local".to_owned() }).expect("a valid spec");
    request.plan(None).expect("a plan")
}

/// Events of a worker, as they are before they are compressed.
fn event_batch(bytes: &[u8]) {
    static DECODER: LazyLock<Decoder> = LazyLock::new(|| Decoder::new(&*shared_plan()));
    let t0 = Clock.now();
    if let Ok(events) = DECODER.events(bytes, t0) {
        assert!(events.len() <= MOST_EVENTS);
        // What is read can be written.
        let mut encoder = BatchEncoder::new(t0);
        assert!(events.iter().all(|event| encoder.push(event).is_ok()));
    }
}

/// What becomes of calls whose function sends these pieces.
fn outcomes_of<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Option<String>> {
    static ROUTE: LazyLock<Route> = LazyLock::new(|| {
        Route::new(&Endpoint::plain("127.0.0.1:80", "f.example"), Protocol::Faas).expect("a valid host name")
    });
    let call = Call {
        runtime_ms: 1,
        exact_runtime_us: None,
        memory_mib: 1,
        clock: None,
        span: None,
        connect_timeout: Duration::ZERO,
        function_timeout: Duration::from_secs(1),
    };
    peer_bytes::after(&ROUTE, &call, pieces)
}

/// What a function sends over HTTP/2: the first byte says how long the pieces are in which it arrives.
fn http2_answers(bytes: &[u8]) {
    let Some((&length, bytes)) = bytes.split_first() else { return };
    let whole = outcomes_of(iter::once(bytes));
    assert!(whole.iter().all(Option::is_some), "no call is left open: {whole:?}");
    assert_eq!(outcomes_of(bytes.chunks(usize::from(length).max(1))), whole, "in pieces");
}

/// The directory of a run with one file replaced: the first byte selects it, the rest is its content.
fn run_directory(bytes: &[u8]) {
    static FILES: LazyLock<Files> = LazyLock::new(examples::run);
    let Some((name, bytes)) = pick(FILES.keys(), bytes) else { return };
    with_run(&FILES, (name, bytes), |store, id| {
        assert!(store.load().expect("lists").len() <= 1);
        let directory = store.directory(id);
        let _spec = directory.spec();
        let _summary = directory.summary().map(|text| codec().read_summary(&text));
        let _inventory = results::inventory(directory.path());
        for layout in ["native", "invitro"] {
            let layout: Layout = layout.parse().expect("a layout");
            let _exported = results::export(directory.path(), layout, &mut |_| ControlFlow::Continue(()));
        }
        // The file is unchanged.
        assert_eq!(fs::read(directory.path().join(name)).expect("is left"), bytes);
    });
}

/// The records of a run.
fn records(bytes: &[u8]) {
    static FILES: LazyLock<Files> = LazyLock::new(examples::run);
    with_run(&FILES, ("invocations.csv", bytes), |store, id| {
        let mut reader = RecordReader::new(store.directory(id).path());
        let mut rows = 0;
        while let Ok(records) = reader.read()
            && !records.is_empty()
        {
            rows += records.len();
        }
        // Each record has a line of its own.
        assert!(rows <= bytes.iter().filter(|&&byte| byte == b'\n' || byte == b'\r').count() + 1, "{rows}");
    });
}

/// As the daemon reads what a run's directory keeps.
fn codec() -> WireCodec {
    WireCodec { defaults: Defaults { platform: "local".to_owned() } }
}

/// Lays a run's directory out, with one file other than in `files`, and hands it over.
fn with_run(files: &Files, other: (&str, &[u8]), check: impl FnOnce(&Store, &RunId)) {
    let state = tempfile::tempdir().expect("a directory");
    let store = Store::open(state.path(), Arc::new(codec())).expect("opens");
    let id: RunId = "20261124t032301835-6b53".parse().expect("an id");
    let path = store.directory(&id).path().to_owned();
    fs::create_dir(&path).expect("makes");
    for (name, bytes) in files.iter().filter(|(name, _)| *name != other.0) {
        fs::write(path.join(name), bytes).expect("writes");
    }
    fs::write(path.join(other.0), other.1).expect("writes");
    check(&store, &id);
}

/// A path in the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files below `directory`, by their paths in it.
fn below(directory: &Path) -> Files {
    let mut found = Files::new();
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("text");
        if path.is_dir() {
            found.extend(below(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.insert(name.to_owned(), fs::read(&path).expect("reads"));
        }
    }
    found
}
