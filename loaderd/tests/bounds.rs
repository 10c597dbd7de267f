//! The table of bounds in SECURITY.md says what the code has: each row is held to the declarations that it is about, word for word,
//! so that neither changes without the other.
#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{collections::BTreeSet, fs, path::Path};

/// What a row bounds, its bounds, and the declarations behind them.
type Row = (&'static str, &'static str, &'static [Declaration]);

/// A file, by its path from `loaderd/src`, and a line in it.
type Declaration = (&'static str, &'static str);

const ROWS: &[Row] = &[
    (
        "requests of each caller",
        "`[access] requests_per_second` [1000 a second, twice as many at once]",
        &[("config/access.rs", "const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(1000).unwrap();")],
    ),
    (
        "connections to each control listener; of each address or user",
        "1024; 128",
        &[("control/server.rs", "const BOUNDS: Bounds = Bounds { all: 1024, each: 128, reserve: 16 };")],
    ),
    (
        "connections to the metrics listener; of each address",
        "256; 128",
        &[("http/server.rs", "pub(super) const BOUNDS: Bounds = Bounds { all: 256, each: 128, reserve: 0 };")],
    ),
    (
        "viewers of the live page; of each caller",
        "128; 64",
        &[("page/live.rs", "const VIEWERS: Most = Most { all: 128, each: 64 };")],
    ),
    (
        "sessions of browsers, and codes that open them; of each caller",
        "256; 16, of which the oldest gives way",
        &[("access/sessions.rs", "const MOST: (usize, usize) = (256, 16);")],
    ),
    (
        "a session; a code",
        "12 hours; 2 minutes",
        &[
            ("access/sessions.rs", "pub const SESSION_LIFE: Duration = Duration::from_hours(12);"),
            ("access/sessions.rs", "pub const CODE_LIFE: Duration = Duration::from_mins(2);"),
        ],
    ),
    (
        "reports that the page is making; that wait to be made; of each caller",
        "2; 32; 8",
        &[
            ("page/reports.rs", "const MAKERS: usize = 2;"),
            ("page/reports.rs", "const WAITING: Most = Most { all: 32, each: 8 };"),
        ],
    ),
    ("runs that the page compares at once", "64", &[("page/views.rs", "const MOST_COMPARED: usize = 64;")]),
    (
        "connections of root and the daemon's user on the Unix socket, beyond the others",
        "16",
        &[("control/server.rs", "const BOUNDS: Bounds = Bounds { all: 1024, each: 128, reserve: 16 };")],
    ),
    ("streams of a connection", "1000", &[("control/server.rs", "const MOST_STREAMS: u32 = 1000;")]),
    ("size of a message", "4 MiB", &[("control/server.rs", "const MAX_REQUEST: usize = 4 << 20;")]),
    ("size of an upload", "`[traces] max_upload_mib` [4096]", &[("config/storage.rs", "max_upload_mib: 4096,")]),
    (
        "uploads of each caller; of all",
        "`[traces] max_uploads_per_client` [500]; `[traces] max_uploads` [1000]",
        &[("config/storage.rs", "max_uploads_per_client: 500,"), ("config/storage.rs", "max_uploads: 1000,")],
    ),
    (
        "their size together, of each caller; of all",
        "`[traces] max_mib_per_client` [10240]; `[traces] max_mib` [20480]",
        &[("config/storage.rs", "max_mib_per_client: 10_240,"), ("config/storage.rs", "max_mib: 20_480,")],
    ),
    (
        "how long a trace is kept that no run names; an upload that was cut off",
        "`[traces] expire` [30 days]; a day, and less where room is needed",
        &[
            ("config/storage.rs", "expire: Expiry(Some(Duration::from_hours(30 * 24))),"),
            ("traces/store.rs", "const CUT_OFF_KEPT: Duration = Duration::from_hours(24);"),
        ],
    ),
    (
        "an upload whose client sends nothing",
        "a minute",
        &[("control/streams/upload.rs", "const CLIENT_TIMEOUT: Duration = Duration::from_mins(1);")],
    ),
    (
        "uploads, downloads, plans (of submissions, too) and single invocations at the same time; of each caller",
        "64; 16",
        &[("control/permits.rs", "Most { all: 64, each: 16 })")],
    ),
    (
        "requests at the same time that change something; of each caller",
        "512; 128",
        &[("control/gate.rs", "const MOST_CARRIED: Most = Most { all: 512, each: 128 };")],
    ),
    ("runs in the queue", "1000", &[("registry/queue.rs", "const MAX_QUEUED: usize = 1000;")]),
    (
        "workers of a run; connections to their coordinator",
        "1000; two for each and 16",
        &[
            ("spec/workers.rs", "const MOST_WORKERS: u32 = 1000;"),
            ("workers/bounds.rs", "const SPARE_CONNECTIONS: usize = 16;"),
            ("workers/serve.rs", "let all = 2 * workers as usize + SPARE_CONNECTIONS;"),
        ],
    ),
    (
        "streams of a worker's connection; size of a worker's message",
        "4; 4 MiB",
        &[
            ("workers/bounds.rs", "const MOST_STREAMS: u32 = 4;"),
            ("workers/bounds.rs", "const MAX_MESSAGE: usize = 4 << 20;"),
        ],
    ),
    (
        "batches of a worker that wait to be taken; batches that are decoded at the same time; bytes of one, unpacked; its events",
        "8; 8; 4 MiB; 4096",
        &[
            ("workers/bounds.rs", "pub const WINDOW: usize = 8;"),
            ("workers/bounds.rs", "const DECODED: usize = 8;"),
            ("workers/wire/batch.rs", "pub const MOST_BYTES: usize = 4 << 20;"),
            ("workers/wire/batch.rs", "pub const MOST_EVENTS: usize = 4096;"),
        ],
    ),
    (
        "the time until a worker says who it is",
        "10 s",
        &[("workers/bounds.rs", "const HELLO_TIMEOUT: Duration = Duration::from_secs(10);")],
    ),
    (
        "the time in which workers hand over of a run that was ended early; the wait for their end",
        "10 s; 15 s",
        &[
            ("workers/bounds.rs", "const HAND_OVER: Duration = Duration::from_secs(10);"),
            ("platform/knative/workers/removal.rs", "const END_TIMEOUT: Duration = Duration::from_secs(15);"),
        ],
    ),
    (
        "a TLS handshake",
        "10 s",
        &[("listener/accept.rs", "const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);")],
    ),
    (
        "the time until a connection's first request",
        "20 s",
        &[("listener/deadlines.rs", "const FIRST_REQUEST: Duration = Duration::from_secs(20);")],
    ),
    (
        "a connection without a request",
        "5 to 10 minutes",
        &[("listener/deadlines.rs", "const IDLE: Duration = Duration::from_mins(5);")],
    ),
    (
        "a connection whose client reads nothing of what it was sent",
        "30 s",
        &[("listener/deadlines.rs", "const UNREAD: Duration = Duration::from_secs(30);")],
    ),
    (
        "a download or plan whose client reads nothing",
        "a minute",
        &[("control/streams/pieces.rs", "const CLIENT_TIMEOUT: Duration = Duration::from_mins(1);")],
    ),
    (
        "size of a spec; entries of a list in it",
        "256 KiB; 16384",
        &[
            ("control/convert/stored.rs", "const MAX_SPEC: usize = 256 << 10;"),
            ("plan/checks.rs", "const MOST_ENTRIES: usize = 1 << 14;"),
        ],
    ),
    ("functions of a trace", "100 000", &[("plan/checks.rs", "const MOST_FUNCTIONS: u32 = 100_000;")]),
    (
        "what a trace unpacks to; single invocations of one",
        "32 GiB; 100 million",
        &[("../../trace/src/format/reading.rs", "invocations: 100_000_000, bytes: 32 << 30 }")],
    ),
    (
        "`maxInFlight`",
        "what takes half of the daemon's memory at 8 KiB each, and more with longer bodies that differ by invocation; at least 100 000 without those",
        &[
            ("run/memory.rs", "const BYTES_IN_FLIGHT: u64 = 8 << 10;"),
            ("run/memory.rs", "const ALWAYS_ALLOWED: u64 = 100_000;"),
        ],
    ),
    ("an idempotency key", "128 characters", &[("control/service.rs", "const MAX_KEY: usize = 128;")]),
    (
        "header fields of a function's answer; a block of them as it is sent; a frame of HTTP/2",
        "64 KiB; 256 KiB; 16 KiB",
        &[
            (
                "invoke/transport/http2/hpack/decode.rs",
                "pub(in crate::invoke::transport::http2) const MOST: usize = 64 << 10;",
            ),
            ("invoke/transport/http2/session/incoming.rs", "const MOST_BLOCK: usize = 256 << 10;"),
            ("invoke/transport/http2/frame.rs", "pub(super) const MOST: usize = 1 << 14;"),
        ],
    ),
    (
        "what a function's server lets wait of the replies that HTTP/2 asks for",
        "256 KiB",
        &[("invoke/transport/http2/session/outgoing.rs", "const MOST_REPLIES: usize = 256 << 10;")],
    ),
    (
        "faults in a response; its size",
        "20, and how many more there are; 8 KiB",
        &[
            ("control/status.rs", "const MOST_FAULTS: usize = 20;"),
            ("control/status.rs", "const MOST_BYTES: usize = 8 << 10;"),
        ],
    ),
    (
        "size of a page of a list; of a row of records that is read",
        "2 MiB; 1 MiB",
        &[
            ("control/service.rs", "const PAGE_BYTES: usize = 2 << 20;"),
            ("results/reader.rs", "pub(super) const LONGEST_ROW: usize = 1 << 20;"),
        ],
    ),
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(path).expect("the file is there")
}

/// The rows of the table, without its head.
fn table() -> BTreeSet<(String, String)> {
    let text = read("../SECURITY.md");
    let (_, section) = text.split_once("\n## Bounds\n").expect("has the section");
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    rows.skip(2).map(|(what, bound)| (what.to_owned(), bound.to_owned())).collect()
}

#[test]
fn the_table_has_these_rows_and_no_others() {
    let rows = ROWS.iter().map(|(what, bound, _)| ((*what).to_owned(), (*bound).to_owned()));
    assert_eq!(table(), rows.collect());
}

#[test]
fn the_code_has_what_the_table_says() {
    for (what, _, declarations) in ROWS {
        for (file, line) in *declarations {
            assert!(read(&format!("src/{file}")).contains(line), "{what}: {file} has no {line}");
        }
    }
}
