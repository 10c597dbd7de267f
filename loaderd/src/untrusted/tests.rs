//! Every input, mutated at random for a short time, and the inputs that failed before.

use std::collections::HashSet;

use proptest::{
    prelude::*,
    sample::{Index, select},
};

use super::*;

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

#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index, Index),
    Repeat(Index, Index),
    Insert(Index, &'static [u8]),
    Truncate(Index),
}

impl Mutation {
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
    (select(inputs), prop::collection::vec(Mutation::any(), 0..6)).prop_map(|(mut bytes, damages)| {
        damages.iter().for_each(|damage| damage.apply(&mut bytes));
        bytes
    })
}

/// What an input does with its examples, damaged.
fn try_damaged(name: &str) {
    let input = INPUTS.iter().find(|input| input.name == name).expect("an input");
    let examples: Vec<_> = (input.examples)().into_values().collect();
    examples.iter().for_each(|bytes| (input.check)(bytes));
    proptest!(|(bytes in damaged(examples))| (input.check)(&bytes));
}

#[test]
fn a_configuration() {
    try_damaged("configuration");
}

#[test]
fn a_spec() {
    try_damaged("spec");
}

#[test]
fn a_spec_as_json() {
    try_damaged("spec-json");
}

#[test]
fn a_trace() {
    try_damaged("trace");
}

#[test]
fn an_upload_s_manifest() {
    try_damaged("upload");
}

#[test]
fn a_service_s_manifest() {
    try_damaged("service-manifest");
}

#[test]
fn an_exposition() {
    try_damaged("exposition");
}

#[test]
fn a_run_directory() {
    try_damaged("run-directory");
}

#[test]
fn records() {
    try_damaged("records");
}

#[test]
fn a_batch_of_events() {
    try_damaged("event-batch");
}

#[test]
fn answers_over_http2() {
    try_damaged("http2-answers");
}

#[test]
fn examples_are_valid() {
    for files in examples::traces() {
        let options = Options { skip_incomplete: true, ..options() };
        let read = loader_trace::read(&InMemory { files: &files, other: ("", b"") }, &options);
        assert!(read.is_ok(), "{:?}: {:?}", files.keys(), read.err());
    }
    for text in examples::configuration().into_values().map(|bytes| super::text(&bytes)) {
        Config::from_toml(&text).expect("is one");
    }
    for text in
        examples::specs().into_values().chain(examples::specs_as_json().into_values()).map(|bytes| super::text(&bytes))
    {
        let (message, faults): (v1::RunSpec, _) = json::from_yaml(&text);
        assert!(faults.is_empty(), "{faults:?}");
        plan::validate(&message, &Defaults { platform: "local".to_owned() }).expect("is valid");
    }
    for bytes in examples::uploads().into_values() {
        let manifest = v1::TraceManifest::decode(&bytes[..]).expect("decodes");
        assert!(!manifest.files.is_empty());
    }
    for bytes in examples::http2_answers().into_values() {
        let outcomes = super::outcomes_of(iter::once(&bytes[1..]));
        assert_eq!(outcomes.len(), 3);
        for (outcome, expected) in outcomes.iter().zip(["Ok(Reply { runtime_us: Some(12345)", "Err(", "REFUSED_STREAM"])
        {
            assert!(outcome.as_ref().is_some_and(|it| it.contains(expected)), "{outcomes:?}");
        }
    }
    for bytes in examples::event_batches().into_values() {
        let decoder = Decoder::new(&*super::shared_plan());
        assert_eq!(decoder.events(&bytes, Clock.now()).expect("decodes").len(), 3);
    }
}

/// Inputs found by a fuzzer.
#[test]
fn inputs_that_failed_before_pass() {
    let found = repository("loaderd/tests/data/found");
    let mut known: HashSet<_> =
        fs::read_dir(&found).expect("exists").map(|entry| entry.expect("an entry").file_name()).collect();
    for input in INPUTS {
        if known.remove(std::ffi::OsStr::new(input.name)) {
            below(&found.join(input.name)).into_values().for_each(|bytes| (input.check)(&bytes));
        }
    }
    assert!(known.is_empty(), "{known:?} are no inputs");
}
