//! Rows and verdicts of real runs, held against what a server of known behaviour saw on the wire.

//!
//! No bound depends on the machine's speed: they are of order, of sums, of counts, and of who is blamed. What depends on it is
//! measured by `scripts/truth`.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

mod answers;
mod endings;
mod streams;

use std::{collections::BTreeMap, fmt::Write as _, fs};

use loader_tests::{
    Daemon,
    server::{Request, Server},
};
use serde_json::Value;
use tempfile::TempDir;

/// Tolerance of comparing wall-clock times of two processes, in µs: the loader reads two clocks one after the other.
const CLOCKS_US: i64 = 1000;

/// The own lag above which the loader is said to be the bottleneck, in µs.
const SATURATION_LAG_US: i64 = 500_000;

/// A daemon, and the state that it keeps.
struct Loader {
    daemon: Daemon,
    folder: TempDir,
}

/// A run and what the server saw of it.
struct Observed {
    rows: Vec<Row>,
    requests: Vec<Request>,
    summary: Value,
}

/// A row, named by the run time that it asked for, which no other row of the run has.
#[derive(Debug, Clone)]
struct Row {
    runtime_ms: u32,
    due: i64,
    sent: Option<i64>,
    lag: Option<i64>,
    connect: Option<i64>,
    stream_wait: Option<i64>,
    response: Option<i64>,
    receive_lag: Option<i64>,
    status: String,
}

impl Loader {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        Self { daemon: Daemon::start(&folder.path().join("state")), folder }
    }

    /// Flags of a run over one connection at so many a second for so many seconds, whose run times are all different.
    fn flags(&self, server: &Server, rate: u32, seconds: u32, more: &str) -> Vec<String> {
        let mut plan = "due_ns,function,runtime_us,memory_mib,mark,slot\n".to_owned();
        for index in 0..rate * seconds {
            let due_ns = u64::from(index) * 1_000_000_000 / u64::from(rate);
            writeln!(plan, "{due_ns},known,{}000,1,,{}", index + 1, index / rate).expect("text can be written");
        }
        let file = self.folder.path().join("plan.csv");
        fs::write(&file, plan).expect("can be written");
        let flags = "--mode trace --platform attach --granularity second --connections 1";
        let bound = format!("--saturation-lag={SATURATION_LAG_US}us");
        let targets = ["--attach".to_owned(), server.address(), "--trace".to_owned(), file.display().to_string()];
        flags.split(' ').chain(more.split_whitespace()).map(str::to_owned).chain([bound]).chain(targets).collect()
    }

    fn submit(&self, server: &Server, rate: u32, seconds: u32, more: &str) -> String {
        let flags = self.flags(server, rate, seconds, more);
        self.daemon.submit(&flags.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A run from its start to its end.
    fn observe(&self, server: &Server, rate: u32, seconds: u32, more: &str) -> Observed {
        let run = self.submit(server, rate, seconds, more);
        self.observed(server, &run)
    }

    /// Waits until a run has ended.
    #[track_caller]
    fn observed(&self, server: &Server, run: &str) -> Observed {
        let ended = self.daemon.ended(run);
        assert_eq!(ended["state"], "RUN_STATE_SUCCEEDED", "{ended:#}");
        let table = self.daemon.table(run, "invocations.csv");
        let rows = table.columns([
            "requested_runtime_us",
            "due_unix_us",
            "sent_unix_us",
            "dispatch_lag_us",
            "connect_us",
            "stream_wait_us",
            "response_us",
            "receive_lag_us",
            "status",
        ]);
        let number = |text: &str| (!text.is_empty()).then(|| text.parse::<i64>().expect("a number"));
        let row = |[runtime, due, sent, lag, connect, stream_wait, response, receive_lag, status]: [&str; 9]| Row {
            runtime_ms: runtime.parse::<u32>().expect("a run time") / 1000,
            due: due.parse().expect("a time"),
            sent: number(sent),
            lag: number(lag),
            connect: number(connect),
            stream_wait: number(stream_wait),
            response: number(response),
            receive_lag: number(receive_lag),
            status: status.to_owned(),
        };
        let rows = rows.into_iter().map(row).collect();
        Observed { rows, requests: server.requests(), summary: self.daemon.summary(run) }
    }
}

impl Observed {
    /// The requests by the rows that sent them.
    #[track_caller]
    fn matched(&self) -> Vec<(&Row, &Request)> {
        let by_runtime: BTreeMap<_, _> = self.rows.iter().map(|row| (row.runtime_ms, row)).collect();
        assert_eq!(by_runtime.len(), self.rows.len(), "run times name the rows");
        self.requests.iter().map(|request| (by_runtime[&request.runtime_ms], request)).collect()
    }

    fn statuses(&self) -> BTreeMap<&str, usize> {
        let mut statuses = BTreeMap::new();
        for row in &self.rows {
            *statuses.entry(row.status.as_str()).or_default() += 1;
        }
        statuses
    }

    /// What holds of each run, whatever the server does.
    #[track_caller]
    fn agrees_with_the_wire(&self) {
        for row in &self.rows {
            if let (Some(sent), Some(lag)) = (row.sent, row.lag) {
                assert!((row.due + lag - sent).abs() <= 1, "due + dispatch lag = sent: {row:?}");
                let waits = row.connect.unwrap_or(0) + row.stream_wait.unwrap_or(0);
                assert!(lag + 1 >= waits, "waits are part of the dispatch lag: {row:?}");
            } else {
                let absent = (row.sent, row.lag, row.response, row.receive_lag);
                assert_eq!(absent, (None, None, None, None), "what was not sent has no times of it: {row:?}");
            }
        }
        let sent = self.rows.iter().filter(|row| row.sent.is_some()).count();
        assert_eq!(sent, self.requests.len(), "rows that were sent, and requests: {:?}", self.statuses());
        for (row, request) in self.matched() {
            let sent = row.sent.expect("what arrived was sent");
            assert!(
                sent <= request.arrived_unix_ns / 1000 + CLOCKS_US,
                "{row:?} arrived before it was sent: {request:?}"
            );
            if let (Some(response), Some(answered)) = (row.response, request.answered_unix_ns) {
                let answered = answered / 1000;
                assert!(sent + response + CLOCKS_US >= answered, "{row:?} was answered later: {request:?}");
            }
        }
        assert!(self.requests.iter().all(|request| !request.breaks_limit()), "{:?}", self.requests);
        self.is_in_order();
    }

    /// On each connection the wire has the order of the rows' `sent`.
    #[track_caller]
    fn is_in_order(&self) {
        let mut latest = BTreeMap::new();
        for (row, request) in self.matched() {
            let before = latest.insert(request.connection, row.sent).flatten();
            assert!(before <= row.sent, "sent before what the wire has before it: {row:?}");
        }
    }

    #[track_caller]
    fn all_have_status(&self, status: &str) {
        assert_eq!(self.statuses(), BTreeMap::from([(status, self.rows.len())]));
    }

    /// Verdict 1, "the loader was the bottleneck", was not given for what the peer did.
    ///
    /// A machine that stood still is blamed rightly: then the rows say so, without their waits for the peer.
    #[track_caller]
    fn the_loader_is_not_blamed_for_the_peer(&self) {
        let own = |row: &Row| row.lag.map(|lag| lag - row.connect.unwrap_or(0) - row.stream_wait.unwrap_or(0));
        let stood_still = self.rows.iter().filter_map(own).any(|lag| lag > SATURATION_LAG_US);
        // An absent field of proto3 JSON is false.
        let blamed = self.summary["saturated"]["saturated"] == true;
        assert!(!blamed || stood_still, "{:#}", self.summary);
    }

    /// Verdict 2, "not open-loop": the peer's limit of streams and the connections that would do; `None` where it was not given.
    fn not_open_loop(&self) -> Option<(Option<u64>, Option<u64>)> {
        let verdict = &self.summary["openLoop"];
        let numbers = || (verdict["streamLimit"].as_u64(), verdict["connectionsNeeded"].as_u64());
        (verdict["violated"] == true).then(numbers)
    }
}
