//! The peer's flow-control windows, from the frames that it sends (RFC 9113, sections 5.2 and 6.9).
//!
//! The HTTP/2 library keeps its windows to itself, and would hold back data that was handed to it. So the frames are looked
//! at as they come, and a request is handed over only when the windows let it go.

use std::{cell::RefCell, rc::Rc};

/// A window before anything was said of it.
const DEFAULT: i64 = 65_535;

const HEAD: usize = 9;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
const INITIAL_WINDOW_SIZE: u16 = 4;
const ACK: u8 = 1;

/// The windows of a connection. Clones share their state.
#[derive(Debug, Clone, Default)]
pub(super) struct Windows(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    /// Bytes that may be sent on the connection.
    connection: i64,
    /// Bytes that may be sent on a new stream.
    stream: i64,
    frame: Frame,
}

/// The frame that is being read.
#[derive(Debug, Default)]
struct Frame {
    head: [u8; HEAD],
    head_length: usize,
    /// Bytes of its payload that have not come.
    left: usize,
    /// An entry of SETTINGS, or a WINDOW_UPDATE, as far as it has come.
    entry: [u8; 6],
    entry_length: usize,
}

impl Default for State {
    fn default() -> Self {
        Self { connection: DEFAULT, stream: DEFAULT, frame: Frame::default() }
    }
}

impl Windows {
    /// Whether a request with so many bytes may be sent. One that is longer than a stream's window is sent in parts, whatever
    /// the connection's window is.
    pub(super) fn allow(&self, bytes: usize) -> bool {
        let State { connection, stream, .. } = *self.0.borrow();
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        bytes == 0 || bytes <= connection || bytes > stream
    }

    /// Whether a request with so many bytes fits into a stream's window.
    pub(super) fn fit_a_stream(&self, bytes: usize) -> bool {
        i64::try_from(bytes).is_ok_and(|bytes| bytes <= self.0.borrow().stream)
    }

    /// So many bytes are sent.
    pub(super) fn sent(&self, bytes: usize) {
        let connection = &mut self.0.borrow_mut().connection;
        *connection = connection.saturating_sub_unsigned(bytes as u64);
    }

    /// Reads on in what the peer sends.
    pub(super) fn read(&self, mut bytes: &[u8]) {
        let mut state = self.0.borrow_mut();
        while !bytes.is_empty() {
            bytes = state.step(bytes);
        }
    }
}

impl State {
    /// Takes a part of a frame; returns what follows it.
    fn step<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let frame = &mut self.frame;
        if frame.head_length < HEAD {
            let (taken, rest) = bytes.split_at(bytes.len().min(HEAD - frame.head_length));
            frame.head[frame.head_length..frame.head_length + taken.len()].copy_from_slice(taken);
            frame.head_length += taken.len();
            if frame.head_length == HEAD {
                let [high, middle, low, ..] = frame.head.map(usize::from);
                frame.left = high << 16 | middle << 8 | low;
                frame.entry_length = 0;
                frame.head_length = if frame.left == 0 { 0 } else { HEAD };
            }
            return rest;
        }
        let (payload, rest) = bytes.split_at(bytes.len().min(frame.left));
        frame.left -= payload.len();
        if frame.left == 0 {
            frame.head_length = 0;
        }
        match frame.head[3] {
            SETTINGS if frame.head[4] & ACK == 0 => self.entries(payload, 6, Self::setting),
            WINDOW_UPDATE if frame.head[5..] == [0; 4] => self.entries(payload, 4, Self::update),
            _ => {}
        }
        rest
    }

    /// Takes a payload apart into entries of that length.
    fn entries(&mut self, payload: &[u8], length: usize, take: impl Fn(&mut Self, [u8; 6])) {
        for &byte in payload {
            let frame = &mut self.frame;
            frame.entry[frame.entry_length] = byte;
            frame.entry_length += 1;
            if frame.entry_length == length {
                frame.entry_length = 0;
                let entry = frame.entry;
                take(self, entry);
            }
        }
    }

    fn setting(&mut self, [a, b, value @ ..]: [u8; 6]) {
        if u16::from_be_bytes([a, b]) == INITIAL_WINDOW_SIZE {
            self.stream = i64::from(u32::from_be_bytes(value));
        }
    }

    fn update(&mut self, [a, b, c, d, ..]: [u8; 6]) {
        let increment = u32::from_be_bytes([a & 0x7f, b, c, d]);
        self.connection = self.connection.saturating_add(increment.into());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// SETTINGS with a limit of streams and a window of 1000 bytes, an acknowledgement, an answer, and updates of 5 and 7 bytes.
    fn talk() -> Vec<u8> {
        [
            frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9, 0, 4, 0, 0, 3, 232]),
            frame(SETTINGS, ACK, 0, &[]),
            frame(WINDOW_UPDATE, 0, 0, &[0x80, 0, 0, 5]),
            frame(1, 4, 1, &[4; 70]),
            frame(WINDOW_UPDATE, 0, 3, &[0, 0, 1, 0]),
            frame(0, 1, 1, &[8; 300]),
            frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 7]),
        ]
        .concat()
    }

    proptest! {
        #[test]
        fn windows_are_the_same_however_the_bytes_come(cuts in prop::collection::vec(0_usize..470, 0..20)) {
            let (windows, talk) = (Windows::default(), talk());
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(talk.len())).collect();
            cuts.extend([0, talk.len()]);
            cuts.sort_unstable();
            cuts.windows(2).for_each(|cut| windows.read(&talk[cut[0]..cut[1]]));
            let State { connection, stream, .. } = *windows.0.borrow();
            prop_assert_eq!((connection, stream), (DEFAULT + 12, 1000));
        }
    }

    #[test]
    fn what_is_sent_uses_the_connections_window_up() {
        let windows = Windows::default();
        assert!(windows.allow(65_535) && windows.fit_a_stream(65_535) && !windows.fit_a_stream(65_536));
        windows.sent(65_000);
        assert!(windows.allow(535) && !windows.allow(536) && windows.allow(0));
        assert!(windows.allow(65_536), "it goes in parts");
        windows.read(&frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]));
        assert!(windows.allow(536));
    }
}
