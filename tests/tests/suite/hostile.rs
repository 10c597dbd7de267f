//! What a client does that means harm, and that it hurts nobody else.
#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

mod connections;
mod requests;
mod runs;

use loader_tests::{Daemon, field};

/// A spec of mode rps: so many invocations a second for an hour.
fn rps(rate: f64) -> Vec<u8> {
    let number = |key: u8| [&[key], &rate.to_le_bytes()[..]].concat();
    // 3600 s, as a varint.
    let slot = field(4, &[0x08, 0x90, 0x1c]);
    field(21, &[number(0x09), number(0x11), slot].concat())
}

/// A request to submit a spec.
fn submission(spec: &[u8]) -> Vec<u8> {
    field(1, spec)
}

/// The lines of the log about what a method has changed or refused.
fn audited(daemon: &Daemon, method: &str, code: &str) -> Vec<String> {
    let text = format!(": {method}: {code}");
    let lines = daemon.log().into_iter().filter(|line| line.contains("audit: ") && line.contains(&text));
    lines.collect()
}
