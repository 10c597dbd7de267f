//! Good examples of each input.

use std::fs;

use loader_proto::{
    faas::FaasReply,
    json, v1,
    worker::{
        WireClosed, WireEvent, WireEvents, WireEvidence, WireOpened, WireRow, WireSlot, WireSlotOutcome, wire_event,
    },
};
use prost::Message as _;

use super::{Files, below, repository, text};

/// An example of one file.
fn one(name: &str, bytes: impl Into<Vec<u8>>) -> Files {
    Files::from([(name.to_owned(), bytes.into())])
}

/// Every key of the configuration, in use.
pub(super) fn configuration() -> Files {
    let text = fs::read_to_string(repository("config/loaderd.toml")).expect("exists");
    let set = |line: &str| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|letter: char| letter.is_ascii_lowercase()) => format!("{setting}\n"),
        _ => format!("{line}\n"),
    };
    one("loaderd.toml", text.lines().map(set).collect::<String>())
}

/// The specs that come with the loader.
pub(super) fn specs() -> Files {
    below(&repository("workloads/specs"))
}

/// The same, as JSON.
pub(super) fn specs_as_json() -> Files {
    let as_json = |(name, yaml): (String, Vec<u8>)| {
        let (message, _): (v1::RunSpec, _) = json::from_yaml(&text(&yaml));
        (name.replace(".yaml", ".json"), json::to_value(&message, json::Integers::Strings).to_string().into_bytes())
    };
    specs().into_iter().map(as_json).collect()
}

/// Traces of every format.
pub(super) fn traces() -> Vec<Files> {
    let samples = ["azure2019", "azure2021", "huawei2023"].map(|format| format!("trace/tests/samples/{format}"));
    let mut traces: Vec<_> = samples.iter().map(|root| below(&repository(root))).collect();
    let small = below(&repository("workloads/traces/small"));
    // The older names of the same files.
    let older = [("invocations.csv", "2_inv.csv"), ("durations.csv", "2_run.csv"), ("memory.csv", "2_mem.csv")];
    traces.push(older.map(|(name, older)| (older.to_owned(), small[name].clone())).into());
    traces.push(small);
    traces.push(one(
        "plan.csv",
        "due_ns,function,runtime_us,memory_mib\n0,a,1000,10\n500000000,b,2000,20\n1000000000,a,1000,10\n",
    ));
    // At the end: a kept input names its trace by its number.
    let newer = ["huawei2025", "alibaba-genai", "iluvatar", "invitro-iat", "packed"];
    traces.extend(newer.map(|format| below(&repository(&format!("trace/tests/samples/{format}")))));
    traces
}

/// Each file of each trace, as [`super::trace`] takes it.
pub(super) fn damaged_traces() -> Files {
    let mut examples = Files::new();
    for (which, files) in (0_u8..).zip(traces()) {
        for (place, (name, bytes)) in (0_u8..).zip(files) {
            examples.insert(format!("{which}-{}", name.replace('/', "-")), [&[which, place], &bytes[..]].concat());
        }
    }
    examples
}

/// A manifest with a file, and one with a file in a folder.
pub(super) fn uploads() -> Files {
    let file = |name: &str| v1::TraceFile { name: name.to_owned(), size: 9, sha256: "0a".repeat(32) };
    let of =
        |names: &[&str]| v1::TraceManifest { files: names.iter().map(|name| file(name)).collect() }.encode_to_vec();
    Files::from([("one".to_owned(), of(&["a.csv"])), ("two".to_owned(), of(&["a.csv", "minutes/day_1.csv"]))])
}

/// The Services that the daemon deploys.
pub(super) fn service_manifests() -> Files {
    let mut manifests = below(&repository("workloads/container"));
    manifests.extend(below(&repository("workloads/other")));
    manifests.retain(|name, _| name.ends_with(".yaml"));
    manifests
}

/// Metrics in the text format.
pub(super) fn expositions() -> Files {
    let text =
        "# HELP a b\n# TYPE a counter\na{b=\"c\",d=\"e\\\"f\"} 1 1700000000000\na_bucket{le=\"+Inf\"} 3\na 1e9\n";
    let mut examples = one("text", text);
    examples.extend(one("slots.csv", run().remove("slots.csv").expect("exists")));
    examples
}

/// The files of a run's directory.
pub(super) fn run() -> Files {
    below(&repository("loaderd/tests/data/run"))
}

/// Each file of it, as [`super::run_directory`] takes it.
pub(super) fn damaged_runs() -> Files {
    let files = (0_u8..).zip(run()).map(|(place, (name, bytes))| (name, [&[place], &bytes[..]].concat()));
    files.collect()
}

/// The records of a run.
pub(super) fn records() -> Files {
    let mut files = run();
    files.retain(|name, _| name == "invocations.csv");
    files
}

/// Events of a worker: a slot begins, an invocation ends, the slot ends.
pub(super) fn event_batches() -> Files {
    let row = WireRow {
        mark: "burst".to_owned(),
        status: "ok".to_owned(),
        sent_offset_ns: Some(1_000_000),
        response_ns: Some(20_000_000),
        instance: "f-1".to_owned(),
        ended_offset_ns: Some(21_000_000),
        ..WireRow::default()
    };
    let opened =
        WireOpened { slot: Some(WireSlot { rate: 1.0, planned: 1, ..WireSlot::default() }), ..WireOpened::default() };
    let outcome = WireSlotOutcome { evidence: Some(WireEvidence::default()), ..WireSlotOutcome::default() };
    let closed = WireClosed { outcome: Some(outcome), complete: true, ..WireClosed::default() };
    let events = [wire_event::Event::Opened(opened), wire_event::Event::Row(row), wire_event::Event::Closed(closed)];
    let events = events.into_iter().map(|event| WireEvent { event: Some(event) }).collect();
    one("events", WireEvents { events }.encode_to_vec())
}

/// What a function answers to three calls over HTTP/2: an answer, one without a body, and a stream that is reset; then it winds up.
pub(super) fn http2_answers() -> Files {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).unwrap_or(u8::MAX);
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    };
    let reply = FaasReply { duration_in_micro_sec: 12_345, ..FaasReply::default() }.encode_to_vec();
    let message = [&[0, 0, 0, 0, u8::try_from(reply.len()).unwrap_or_default()], &reply[..]].concat();
    let head = b"\x88\0\x0ccontent-type\x10application/grpc";
    let unavailable = [&head[..], b"\0\x0bgrpc-status\x0214"].concat();
    let frames = [
        frame(1, 4, 1, head),
        frame(0, 0, 1, &message),
        frame(8, 0, 0, &[0, 0, 1, 0]),
        frame(6, 0, 0, b"12345678"),
        // Trailers, which end the stream.
        frame(1, 5, 1, b"\0\x0bgrpc-status\x010"),
        frame(1, 5, 3, &unavailable),
        frame(3, 0, 5, &[0, 0, 0, 7]),
        frame(7, 0, 0, &[0, 0, 0, 5, 0, 0, 0, 0]),
    ];
    one("answers", [&[7], &frames.concat()[..]].concat())
}
