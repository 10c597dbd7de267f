//! What comes from outside, broken in all ways: it is refused or read, and nothing panics, hangs or takes all memory.
//!
//! Each test damages good input at random. `scripts/fuzz` runs them for as long as one likes.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Duration,
};

use loader_proto::{json, v1};
use loader_trace::{Directory, Options};
use proptest::{
    prelude::*,
    sample::{Index, select},
};

use crate::{
    config::Config,
    id::RunId,
    results::{self, Layout, RecordReader},
    run::Store,
    scrape,
    spec::{self, Defaults},
    traces::{Manifest, TraceFile},
};

/// Pieces that parsers trip over.
const PIECES: [&[u8]; 24] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\"",
    b"'",
    b"{",
    b"}}",
    b"[",
    b"]",
    b":",
    b",",
    b"-1",
    b"1e400",
    b"NaN",
    b"18446744073709551616",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"../",
    b"&a *a",
    b"${",
    b"!!",
    b"0x",
    b"99999999999999h",
    b"\xf0\x9f\x92\xa9",
];

/// One damage.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Cut(Index, Index),
    Repeat(Index, Index),
    Insert(Index, &'static [u8]),
    Truncate(Index),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            (any::<Index>(), any::<u8>()).prop_map(|(at, with)| Self::Flip(at, with)),
            (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Self::Cut(from, to)),
            (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Self::Repeat(from, to)),
            (any::<Index>(), select(&PIECES[..])).prop_map(|(at, piece)| Self::Insert(at, piece)),
            any::<Index>().prop_map(Self::Truncate),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        let end = bytes.len() + 1;
        let span = |from: &Index, to: &Index| {
            let (a, b) = (from.index(end), to.index(end));
            a.min(b)..a.max(b)
        };
        match self {
            Self::Flip(at, with) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= with;
            }
            Self::Flip(..) => {}
            Self::Cut(from, to) => {
                bytes.drain(span(from, to));
            }
            Self::Repeat(from, to) => {
                let piece = bytes[span(from, to)].to_vec();
                bytes.extend(piece);
            }
            Self::Insert(at, piece) => {
                let at = at.index(end);
                bytes.splice(at..at, piece.iter().copied());
            }
            Self::Truncate(at) => bytes.truncate(at.index(end)),
        }
    }
}

/// One of the inputs, damaged a few times.
pub(crate) fn damaged(inputs: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (select(inputs), prop::collection::vec(Damage::any(), 0..6)).prop_map(|(mut bytes, damages)| {
        damages.iter().for_each(|damage| damage.apply(&mut bytes));
        bytes
    })
}

/// As the daemon reads text from files and clients: what is no UTF-8 does not get that far.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn files(directories: &[&str]) -> Vec<Vec<u8>> {
    let entries = directories.iter().flat_map(|directory| fs::read_dir(repository(directory)).expect("is there"));
    let paths = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    let files: Vec<_> = paths.map(|path| fs::read(path).expect("reads")).collect();
    assert!(!files.is_empty());
    files
}

/// Every key of the configuration, in use.
fn configuration() -> Vec<u8> {
    let text = fs::read_to_string(repository("config/loaderd.toml")).expect("is there");
    let set = |line: &str| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|letter: char| letter.is_ascii_lowercase()) => format!("{setting}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(set).collect::<String>().into_bytes()
}

/// Traces of every format: their files with names.
fn traces() -> Vec<Vec<(String, Vec<u8>)>> {
    let roots = ["trace/tests/samples/azure2019", "trace/tests/samples/azure2021", "trace/tests/samples/huawei2023"];
    let roots = roots.map(repository).into_iter().chain([repository("workloads/traces/small")]);
    let mut traces: Vec<_> = roots.map(|root| below(&root, &root)).collect();
    let plan = "due_ns,function,runtime_us,memory_mib\n0,a,1000,10\n500000000,b,2000,20\n1000000000,a,1000,10\n";
    traces.push(vec![("plan.csv".to_owned(), plan.as_bytes().to_vec())]);
    let triplet = [
        ("2_inv.csv", "HashFunction,1,2\na,1,0\nb,2,3\n"),
        (
            "2_run.csv",
            "HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100\na,1,1,1,1,1,1,1,1,1,1,1\nb,1,1,1,1,1,1,1,1,1,1,1\n",
        ),
        (
            "2_mem.csv",
            "HashFunction,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,AverageAllocatedMb_pct5,AverageAllocatedMb_pct25,AverageAllocatedMb_pct50,AverageAllocatedMb_pct75,AverageAllocatedMb_pct95,AverageAllocatedMb_pct99,AverageAllocatedMb_pct100\na,1,1,1,1,1,1,1,1,1,1\nb,1,1,1,1,1,1,1,1,1,1\n",
        ),
    ];
    traces.push(triplet.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).to_vec());
    traces
}

fn below(directory: &Path, root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(below(&path, root));
        } else {
            let name = path.strip_prefix(root).expect("is below").to_str().expect("text").to_owned();
            found.push((name, fs::read(&path).expect("reads")));
        }
    }
    found
}

/// A trace of some format with one of its files damaged, in a directory.
fn damaged_trace() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let pick = (select(traces()), any::<Index>(), prop::collection::vec(Damage::any(), 0..6));
    pick.prop_map(|(mut files, which, damages)| {
        let which = which.index(files.len());
        damages.iter().for_each(|damage| damage.apply(&mut files[which].1));
        files
    })
}

/// A run's directory with one of its files damaged.
fn damaged_run() -> impl Strategy<Value = (String, Vec<u8>)> {
    let files = below(&repository("loaderd/tests/data/run"), &repository("loaderd/tests/data/run"));
    select(files).prop_flat_map(|(name, bytes)| (Just(name), damaged(vec![bytes])))
}

proptest! {
    #[test]
    fn a_configuration(bytes in damaged(vec![configuration()])) {
        if let Ok(config) = Config::from_toml(&text(&bytes)) {
            config.check();
        }
    }

    #[test]
    fn a_spec(bytes in damaged(files(&["workloads/specs"]))) {
        let (message, faults): (v1::RunSpec, _) = json::from_yaml(&text(&bytes));
        if faults.is_empty() && let Ok(spec) = spec::validate(&message, &Defaults { platform: "local".to_owned() }) {
            assert!(!spec.name.is_empty());
        }
    }

    #[test]
    fn a_spec_as_json(bytes in damaged(files(&["workloads/specs"]).iter().map(|yaml| {
        let (message, _): (v1::RunSpec, _) = json::from_yaml(&text(yaml));
        json::to_value(&message, json::Integers::Strings).to_string().into_bytes()
    }).collect())) {
        let (_message, _faults): (v1::RunSpec, _) = json::from_yaml(&text(&bytes));
        if let Ok(value) = serde_json::from_slice(&bytes) {
            let (_message, _faults): (v1::RunSpec, _) = json::from_value(&value);
        }
    }

    #[test]
    fn a_trace(files in damaged_trace()) {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, bytes) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
            fs::write(path, bytes).expect("writes");
        }
        let options = Options {
            format: None,
            day: None,
            unit: Duration::from_mins(1),
            units: None,
            skip_incomplete: false,
        };
        if let Err(faults) = loader_trace::read(&Directory(directory.path().to_owned()), &options) {
            assert!(faults.total > 0 && !faults.shown.is_empty());
        }
    }

    #[test]
    fn an_upload_s_manifest(
        names in prop::collection::vec("(\\PC{0,8}/?){0,4}|[./a-z]{0,12}", 0..5),
        size in any::<u64>(),
        sha256 in "[0-9a-fA-F]{62,66}",
    ) {
        let files = names.into_iter().map(|name| TraceFile { name, size, sha256: sha256.clone() }).collect();
        if let Ok(manifest) = Manifest::check(files) {
            let root = Path::new("/state/traces/partial/id");
            for file in manifest.files() {
                let path = root.join(&file.name);
                let inside = path.components().all(|part| !matches!(part, std::path::Component::ParentDir));
                assert!(path.starts_with(root) && inside, "{path:?}");
            }
        }
    }

    #[test]
    fn an_exposition(bytes in damaged(vec![
        b"# HELP a b\n# TYPE a counter\na{b=\"c\",d=\"e\\\"f\"} 1 1700000000000\na_bucket{le=\"+Inf\"} 3\na 1e9\n".to_vec(),
        fs::read(repository("loaderd/tests/data/run/slots.csv")).expect("reads"),
    ])) {
        let text = text(&bytes);
        for point in scrape::points(&text) {
            assert!(!point.name.is_empty());
        }
    }

    #[test]
    fn a_run_directory((name, bytes) in damaged_run()) {
        let state = tempfile::tempdir().expect("a directory");
        let store = Store::open(state.path()).expect("opens");
        let id: RunId = "20261124t032301835-6b53".parse().expect("an id");
        let path = store.directory(&id).path().to_owned();
        fs::create_dir(&path).expect("makes");
        for entry in fs::read_dir(repository("loaderd/tests/data/run")).expect("is there") {
            let entry = entry.expect("an entry");
            fs::copy(entry.path(), path.join(entry.file_name())).expect("copies");
        }
        fs::write(path.join(&name), &bytes).expect("writes");
        assert!(store.load().expect("lists").len() <= 1);
        let directory = store.directory(&id);
        let _spec = directory.spec();
        let _summary = directory.summary();
        let mut reader = RecordReader::new(&path);
        while let Ok(records) = reader.read() && !records.is_empty() {}
        let _inventory = results::inventory(&path);
        for layout in ["native", "invitro"] {
            let layout: Layout = layout.parse().expect("a layout");
            let _exported = results::export(&path, layout, &mut |_| ControlFlow::Continue(()));
        }
        // Whatever was read, the damaged file is as it was.
        assert_eq!(fs::read(path.join(&name)).expect("is left"), bytes);
    }
}
