//! What is to be written, and what the peer allows of it.

use std::mem;

use crate::invoke::transport::http2::{
    call,
    ended::{Code, Violation},
    frame::{self, ACK, DATA, END_STREAM, GOAWAY, GREATEST, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE},
    hpack,
};

/// A window before anything was said of it.
const DEFAULT_WINDOW: i64 = 65_535;

/// The flow-control window of this end's connections, in bytes: many small answers may sit unread while the worker is busy,
/// and the peer must not be delayed.
pub(super) const CONNECTION_WINDOW: u32 = 8 << 20;

/// That of a stream.
pub(super) const STREAM_WINDOW: u32 = 1 << 20;

/// Most bytes of replies to the peer's own frames that may wait to be written: a peer that asks for more and reads nothing
/// is no server.
const MOST_REPLIES: usize = 256 << 10;

/// Most bytes of a body in one frame: what any peer takes.
const MOST_PART: i64 = 1 << 14;

const ENABLE_PUSH: u16 = 2;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// The side that writes.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) bytes: Vec<u8>,
    written: usize,
    /// How many of the bytes are replies.
    replies: usize,
    said_goodbye: bool,
    pub(super) is_settled: bool,
    pub(super) limit: u32,
    /// Bytes that may be sent on a new stream.
    pub(super) stream_window: i64,
    /// Bytes that may be sent on the connection.
    pub(super) window: i64,
    /// Those of them that are promised to calls that are about to be sent.
    pub(super) promised: i64,
}

impl Outgoing {
    /// Begins with the preface, this end's settings and its window.
    pub(super) fn new() -> Self {
        let mut bytes = PREFACE.to_vec();
        let settings = [
            (ENABLE_PUSH, 0),
            (INITIAL_WINDOW_SIZE, STREAM_WINDOW),
            (MAX_HEADER_LIST_SIZE, u32::try_from(hpack::MOST).unwrap_or(GREATEST)),
        ];
        let entry = |(name, value): (u16, u32)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat();
        frame::write(SETTINGS, 0, 0, &settings.map(entry).concat(), &mut bytes);
        let more = CONNECTION_WINDOW - u32::try_from(DEFAULT_WINDOW).unwrap_or_default();
        frame::write(WINDOW_UPDATE, 0, 0, &more.to_be_bytes(), &mut bytes);
        Self {
            bytes,
            written: 0,
            replies: 0,
            said_goodbye: false,
            is_settled: false,
            limit: u32::MAX,
            stream_window: DEFAULT_WINDOW,
            window: DEFAULT_WINDOW,
            promised: 0,
        }
    }

    pub(super) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    pub(super) fn written(&mut self, bytes: usize) {
        self.written += bytes;
        if self.written == self.bytes.len() {
            self.bytes.clear();
            (self.written, self.replies) = (0, 0);
        }
    }

    pub(super) fn goodbye(&mut self, code: Code) {
        if !mem::replace(&mut self.said_goodbye, true) {
            // No stream of the peer's was ever accepted.
            let payload = [0_u32.to_be_bytes(), code.0.to_be_bytes()].concat();
            frame::write(GOAWAY, 0, 0, &payload, &mut self.bytes);
        }
    }

    pub(super) fn reset(&mut self, stream: u32, code: Code) {
        frame::write(RST_STREAM, 0, stream, &code.0.to_be_bytes(), &mut self.bytes);
    }

    /// Gives so many bytes of a window back; stream 0 is the connection.
    pub(super) fn give_back(&mut self, stream: u32, bytes: u32) {
        frame::write(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes(), &mut self.bytes);
    }

    /// Replies to a frame of the peer's.
    pub(super) fn acknowledge(&mut self, kind: u8, payload: &[u8]) -> Result<(), Violation> {
        debug_assert!(matches!(kind, SETTINGS | PING), "nothing else is acknowledged");
        frame::write(kind, ACK, 0, payload, &mut self.bytes);
        self.replies += frame::HEAD + payload.len();
        if self.replies > MOST_REPLIES {
            return Err(Violation::new(Code::ENHANCE_YOUR_CALM, "it asks for more replies than it reads"));
        }
        Ok(())
    }

    /// Writes as much of a call's body as the windows let go; returns whether that was all of it.
    pub(super) fn body(&mut self, stream: u32, call: &mut call::Call) -> bool {
        while !call.held.is_empty() {
            let most = self.window.min(call.window).min(MOST_PART);
            let Some(most) = usize::try_from(most).ok().filter(|&most| most > 0) else { return false };
            let part = call.held.split_to(most.min(call.held.len()));
            let length = i64::try_from(part.len()).unwrap_or(i64::MAX);
            self.window -= length;
            call.window -= length;
            let flags = if call.held.is_empty() { END_STREAM } else { 0 };
            frame::write(DATA, flags, stream, &part, &mut self.bytes);
        }
        true
    }
}
