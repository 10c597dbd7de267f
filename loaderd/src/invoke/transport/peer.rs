//! What a peer speaks, told from its first bytes: a client of one HTTP version that meets a server of the other gets frames or
//! lines that it can't read, and an error that says no more than that.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    endpoint::HttpVersion,
    invoke::outcome::{Failure, Status},
};

/// How many first bytes tell the protocols apart: the head of an HTTP/2 frame, or `HTTP/1.1 `.
const FIRST: usize = 9;

#[derive(Debug, Clone, Copy, Default)]
struct First {
    bytes: [u8; FIRST],
    length: usize,
}

/// The peer of a connection: its address, and the first bytes that came from it. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Peer(Rc<Known>);

#[derive(Debug)]
struct Known {
    address: String,
    expected: HttpVersion,
    first: Cell<First>,
}

impl Peer {
    /// A peer that has not said anything yet, and shall speak `expected`.
    pub(super) fn new(address: &str, expected: HttpVersion) -> Self {
        Self(Rc::new(Known { address: address.to_owned(), expected, first: Cell::default() }))
    }

    /// The connection, watched until the peer's first bytes have come.
    pub(super) fn watch<S>(&self, stream: S) -> Watched<S> {
        Watched { stream, peer: Some(self.clone()) }
    }

    /// The failure of a call over this connection, named by what the peer turned out to speak.
    pub(super) fn blame(&self, failure: Failure) -> Failure {
        let Known { address, expected, first } = &*self.0;
        let First { bytes, length } = first.get();
        match misunderstanding(&bytes[..length], *expected) {
            Some(what) => Failure { error: format!("{address}: {what}"), status: Status::ConnectError, ..failure },
            None if length == 0 && *expected == HttpVersion::Http2 => Failure {
                error: format!("{}; the peer sent nothing: it may not speak HTTP/2 without TLS", failure.error),
                ..failure
            },
            None => failure,
        }
    }
}

/// What a peer speaks that begins so, where it is not `expected`.
fn misunderstanding(first: &[u8], expected: HttpVersion) -> Option<&'static str> {
    let is_frame = first.len() == FIRST
        // SETTINGS, GOAWAY: a length below 64 KiB, a type, flags, and stream 0.
        && first[0] == 0
        && matches!(first[3], 4 | 7)
        && first[5..] == [0; 4];
    match (expected, first) {
        (_, [0x15 | 0x16, 3, ..]) => Some("the peer speaks TLS, and was called without"),
        (HttpVersion::Http2, [b'H', b'T', b'T', b'P', b'/', b'1', ..]) => Some("the peer speaks HTTP/1.1, not HTTP/2"),
        (HttpVersion::Http1, _) if is_frame => Some("the peer speaks HTTP/2, not HTTP/1.1"),
        (HttpVersion::Http1 | HttpVersion::Http2, _) => None,
    }
}

/// A connection whose first bytes from the peer are kept.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    /// Absent once they have come.
    peer: Option<Peer>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(Peer(known)) = &self.peer {
            let First { mut bytes, length } = known.first.get();
            let read = &buffer.filled()[before..];
            let taken = read.len().min(FIRST - length);
            bytes[length..length + taken].copy_from_slice(&read[..taken]);
            known.first.set(First { bytes, length: length + taken });
            if length + taken == FIRST {
                self.peer = None;
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_name_the_protocol() {
        let http1 = b"HTTP/1.0 400 Bad Request";
        let (settings, goaway) = (b"\0\0\x12\x04\0\0\0\0\0", b"\0\0\x08\x07\0\0\0\0\0");
        let cases: [(&[u8], HttpVersion, Option<&str>); 8] = [
            (&http1[..FIRST], HttpVersion::Http2, Some("the peer speaks HTTP/1.1, not HTTP/2")),
            (&http1[..FIRST], HttpVersion::Http1, None),
            (settings, HttpVersion::Http1, Some("the peer speaks HTTP/2, not HTTP/1.1")),
            (goaway, HttpVersion::Http1, Some("the peer speaks HTTP/2, not HTTP/1.1")),
            (settings, HttpVersion::Http2, None),
            (b"\x15\x03\x01\0\x02\x02\x46", HttpVersion::Http2, Some("the peer speaks TLS, and was called without")),
            (b"\x15\x03\x03\0\x02\x02\x0a", HttpVersion::Http1, Some("the peer speaks TLS, and was called without")),
            (b"SSH-2.0-O", HttpVersion::Http1, None),
        ];
        for (first, expected, named) in cases {
            assert_eq!(misunderstanding(first, expected), named, "{first:?}");
        }
    }

    #[test]
    fn a_peer_that_said_nothing_is_said_to_have_done_so() {
        let failure = || Failure::new(Status::Unfinished, "broken pipe");
        let blamed = Peer::new("h:1", HttpVersion::Http2).blame(failure());
        assert_eq!(blamed.error, "broken pipe; the peer sent nothing: it may not speak HTTP/2 without TLS");
        assert_eq!(blamed.status, Status::Unfinished);
        assert_eq!(Peer::new("h:1", HttpVersion::Http1).blame(failure()), failure());
    }
}
