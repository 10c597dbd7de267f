//! A client of the control API that writes HTTP/2 frames itself, so that it does what libraries do not: it resets requests that were
//! sent, and lets answers lie.

use std::{
    collections::HashSet,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use crate::{
    TIMEOUT,
    server::frames::{ACK, END_HEADERS, END_STREAM, Frame, PREFACE, frame, kind, window_update},
};

/// Setting of the flow-control window that streams begin with (RFC 9113, section 6.5.2).
const INITIAL_WINDOW_SIZE: u16 = 4;

/// Largest frame that needs no setting.
const FRAME: usize = 16 << 10;

/// A connection that is written and read frame by frame.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    received: Vec<u8>,
    next: u32,
}

impl RawClient {
    /// Connects to `host:port`. Answers have a window of so many bytes each, which is never opened further;
    /// that of the connection is opened as they are read.
    ///
    /// # Panics
    /// When nobody accepts.
    pub fn connect(address: &str, window: u32) -> Self {
        let stream = TcpStream::connect(address).expect("connects");
        stream.set_read_timeout(Some(TIMEOUT)).expect("is taken");
        let mut client = Self { stream, received: Vec::new(), next: 1 };
        let settings = [&INITIAL_WINDOW_SIZE.to_be_bytes()[..], &window.to_be_bytes()].concat();
        client.write(&[PREFACE, &frame(kind::SETTINGS, 0, 0, &settings)].concat());
        // The server's settings come first, and then have effect: its window for large messages, above all.
        client.wait_until_read();
        client
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("writes");
    }

    /// Sends a request with its message; returns its stream.
    ///
    /// # Panics
    /// When the connection has ended.
    pub fn send(&mut self, method: &str, message: &[u8]) -> u32 {
        let stream = self.next;
        self.next += 2;
        let length = u32::try_from(message.len()).expect("messages are small").to_be_bytes();
        let body = [&[0], &length[..], message].concat();
        let mut bytes = frame(kind::HEADERS, END_HEADERS, stream, &headers(method));
        let mut pieces = body.chunks(FRAME).peekable();
        while let Some(piece) = pieces.next() {
            let flags = if pieces.peek().is_none() { END_STREAM } else { 0 };
            bytes.extend(frame(kind::DATA, flags, stream, piece));
        }
        self.write(&bytes);
        stream
    }

    /// Resets a request, as a client does that is cancelled.
    ///
    /// # Panics
    /// When the connection has ended.
    pub fn reset(&mut self, stream: u32) {
        const CANCEL: u32 = 8;
        self.write(&frame(kind::RST_STREAM, 0, stream, &CANCEL.to_be_bytes()));
    }

    /// Waits until the server has read all that was sent.
    ///
    /// # Panics
    /// When the connection has ended.
    pub fn wait_until_read(&mut self) {
        self.write(&frame(kind::PING, 0, 0, &[0; 8]));
        while self.read().kind != kind::PING {}
    }

    /// Waits for the ends of so many answers; returns how many of them had a message, as those without an error have.
    ///
    /// # Panics
    /// When the connection has ended.
    pub fn wait_for_answers(&mut self, count: usize) -> usize {
        let (mut ended, mut with_message) = (0, HashSet::new());
        while ended < count {
            let Frame { kind, flags, stream, .. } = self.read();
            let may_end = kind == kind::HEADERS || kind == kind::DATA;
            ended += usize::from(kind == kind::RST_STREAM || (may_end && flags & END_STREAM != 0));
            if kind == kind::DATA {
                with_message.insert(stream);
            }
        }
        with_message.len()
    }

    /// The next frame; the connection's own are answered.
    fn read(&mut self) -> Frame {
        loop {
            let Some(received) = Frame::take(&mut self.received) else {
                let mut bytes = [0; 4096];
                let length = self.stream.read(&mut bytes).expect("the server answers");
                assert_ne!(length, 0, "the server has closed the connection");
                self.received.extend(&bytes[..length]);
                continue;
            };
            match received.kind {
                kind::SETTINGS if received.flags & ACK == 0 => self.write(&frame(kind::SETTINGS, ACK, 0, &[])),
                kind::PING if received.flags & ACK == 0 => {
                    self.write(&frame(kind::PING, ACK, 0, &received.payload));
                }
                kind::DATA if !received.payload.is_empty() => {
                    self.write(&window_update(received.payload.len()));
                    return received;
                }
                _ => return received,
            }
        }
    }
}

/// The header block of a request: literals without indexing (RFC 7541, section 6.2.2), which need no state.
fn headers(method: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    // Entries of the static table: 1 `:authority`, 3 `:method: POST`, 4 `:path`, 6 `:scheme: http`, 31 `content-type`.
    let mut block = vec![0x83, 0x86, 0x04];
    block.extend(text(&format!("/loader.v1.LoaderControl/{method}")));
    block.push(0x01);
    block.extend(text("localhost"));
    block.extend([0x0f, 31 - 15]);
    block.extend(text("application/grpc"));
    block.push(0x00);
    block.extend(text("te"));
    block.extend(text("trailers"));
    block
}

/// A field of a message that is a text or a message.
pub fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    // For fields 16 to 31 the key takes two bytes.
    if number > 15 {
        bytes = vec![(number << 3 | 2) | 0x80, number >> 4];
    }
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).expect("seven bits"));
    bytes.extend(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_their_number_and_length() {
        assert_eq!(field(1, b"ab"), [0x0a, 2, b'a', b'b']);
        assert_eq!(field(21, b"")[..3], [0xaa, 0x01, 0]);
        assert_eq!(field(2, &[7; 300])[..3], [0x12, 0xac, 2]);
    }
}
