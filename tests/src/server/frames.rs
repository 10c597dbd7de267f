//! HTTP/2 frames (RFC 9113), as far as the server and [`crate::RawClient`] need them.

use super::Refusal;

/// What a client sends first.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames (section 6).
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
}

/// Flag of SETTINGS and PING.
pub(crate) const ACK: u8 = 1;
/// Flag of DATA and HEADERS.
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
const MAX_CONCURRENT_STREAMS: u16 = 3;
/// Length of a frame's header.
const HEADER: usize = 9;

/// A frame that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// Takes the first whole frame off the front of `bytes`.
    pub(crate) fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        let &[a, b, c, kind, flags, d, e, f, g] = bytes.first_chunk::<HEADER>()?;
        let end = HEADER + u32::from_be_bytes([0, a, b, c]) as usize;
        let payload = bytes.get(HEADER..end)?.to_vec();
        bytes.drain(..end);
        Some(Self { kind, flags, stream: u32::from_be_bytes([d & 0x7f, e, f, g]), payload })
    }

    /// The payload's first 31 bits, of a WINDOW_UPDATE.
    pub(super) fn increment(&self) -> i64 {
        self.payload.first_chunk().map_or(0, |&bytes| i64::from(u32::from_be_bytes(bytes) & 0x7fff_ffff))
    }
}

/// A frame as bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("frames are small").to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// SETTINGS with a limit of streams, or with nothing.
pub(super) fn settings(streams: Option<u32>) -> Vec<u8> {
    let limit = |streams: u32| [&MAX_CONCURRENT_STREAMS.to_be_bytes()[..], &streams.to_be_bytes()].concat();
    frame(kind::SETTINGS, 0, 0, &streams.map_or_else(Vec::new, limit))
}

/// WINDOW_UPDATE of the connection.
pub(crate) fn window_update(increment: usize) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, 0, &u32::try_from(increment).expect("a read is small").to_be_bytes())
}

/// RST_STREAM with `INTERNAL_ERROR`.
pub(super) fn reset(stream: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &2_u32.to_be_bytes())
}

/// GOAWAY without an error.
pub(super) fn goaway(last: u32) -> Vec<u8> {
    frame(kind::GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())
}

/// A gRPC answer to `faas.Executor/Execute`, and how many bytes of it count for flow control.
///
/// Header blocks are literals without indexing (RFC 7541, section 6.2.2): they need no state.
pub(super) fn answer(stream: u32, refusal: Option<Refusal>) -> (Vec<u8>, i64) {
    // `:status: 200` is entry 8 of the static table, `content-type` is 31.
    let head = [&[0x88, 0x0f, 31 - 15, 16][..], b"application/grpc"].concat();
    let status = |code: &str| {
        [&[0, 11], &b"grpc-status"[..], &[u8::try_from(code.len()).expect("short")], code.as_bytes()].concat()
    };
    let code = match refusal {
        None => {
            let data = frame(kind::DATA, 0, stream, REPLY);
            let headers = frame(kind::HEADERS, END_HEADERS, stream, &head);
            let trailers = frame(kind::HEADERS, END_HEADERS | END_STREAM, stream, &status("0"));
            return ([headers, data, trailers].concat(), REPLY.len().try_into().expect("short"));
        }
        Some(Refusal::ResourceExhausted) => "8",
        Some(Refusal::Unavailable) => "14",
    };
    (frame(kind::HEADERS, END_HEADERS | END_STREAM, stream, &[head, status(code)].concat()), 0)
}

/// A `FaasReply` in a gRPC frame: `message` "OK", `durationInMicroSec` 100, `memoryUsageInKb` 1000.
const REPLY: &[u8] = &[0, 0, 0, 0, 9, 0x0a, 2, b'O', b'K', 0x10, 100, 0x18, 0xe8, 7];

/// `runtimeInMilliSec`, field 2 of a `FaasRequest` in a gRPC frame; 0 where it is absent.
pub(super) fn runtime_ms(body: &[u8]) -> u32 {
    let mut rest = body.get(5..).unwrap_or_default();
    while let Some(key) = varint(&mut rest) {
        let Some(value) = varint(&mut rest) else { break };
        match key {
            0x10 => return u32::try_from(value).unwrap_or(u32::MAX),
            // Text: its value is its length.
            0x0a => rest = rest.get(usize::try_from(value).unwrap_or(usize::MAX)..).unwrap_or_default(),
            _ => {}
        }
    }
    0
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_whole() {
        let sent = [settings(Some(100)), frame(kind::DATA, END_STREAM, 5, b"xy")].concat();
        let mut received = Vec::new();
        let mut frames = Vec::new();
        for byte in sent {
            received.push(byte);
            frames.extend(Frame::take(&mut received));
        }
        let settings = Frame { kind: kind::SETTINGS, flags: 0, stream: 0, payload: vec![0, 3, 0, 0, 0, 100] };
        let data = Frame { kind: kind::DATA, flags: END_STREAM, stream: 5, payload: b"xy".to_vec() };
        assert_eq!((frames, received), (vec![settings, data], Vec::new()));
    }

    #[test]
    fn the_run_time_is_found_behind_a_text() {
        for (body, expected) in [
            (&[][..], 0),
            (&[0, 0, 0, 0, 0], 0),
            (&[0, 0, 0, 0, 3, 0x10, 0xac, 2], 300),
            (&[0, 0, 0, 0, 8, 0x0a, 2, 0x10, 1, 0x10, 7, 0x18, 9], 7),
            (&[0, 0, 0, 0, 2, 0x18, 9], 0),
            (&[0, 0, 0, 0, 2, 0x10, 0x80], 0),
        ] {
            assert_eq!(runtime_ms(body), expected, "{body:?}");
        }
    }
}
