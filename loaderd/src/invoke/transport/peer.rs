//! Detects what a peer speaks from its first bytes: a client of one HTTP version that meets a server of the other gets frames or
//! lines that it cannot read, and an error without the cause.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    endpoint::HttpVersion,
    invoke::outcome::{Failure, Status},
};

/// How many first bytes distinguish the protocols: the head of an HTTP/2 frame, or `HTTP/1.1 `.
const FIRST: usize = 9;

#[derive(Debug, Clone, Copy, Default)]
struct First {
    bytes: [u8; FIRST],
    length: usize,
}

/// The peer of a connection: its address, and the first bytes that came from it. Clones share their state.
#[derive(Debug, Clone)]
pub(super) struct Peer(Rc<PeerState>);

#[derive(Debug)]
struct PeerState {
    address: String,
    expected: HttpVersion,
    first: Cell<First>,
}

impl Peer {
    /// A peer that has not sent anything yet, and is expected to speak `expected`.
    pub(super) fn new(address: &str, expected: HttpVersion) -> Self {
        Self(Rc::new(PeerState { address: address.to_owned(), expected, first: Cell::default() }))
    }

    /// The connection; records the peer's first bytes.
    pub(super) fn record<S>(&self, stream: S) -> Recorded<S> {
        Recorded { stream, peer: Some(self.clone()), broken: None }
    }

    /// The failure of a call over this connection, with what the peer turned out to speak as its cause.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        let PeerState { address, expected, first } = &*self.0;
        let First { bytes, length } = first.get();
        match mismatch(&bytes[..length], *expected) {
            Some(what) => Failure { error: format!("{address}: {what}"), status: Status::ConnectError, ..failure },
            None if length == 0 && *expected == HttpVersion::Http2 => Failure {
                error: format!("{}; the peer sent nothing: check that it speaks HTTP/2 without TLS", failure.error),
                ..failure
            },
            None => failure,
        }
    }
}

/// What a peer speaks that begins so, where it is not `expected`.
fn mismatch(first: &[u8], expected: HttpVersion) -> Option<&'static str> {
    let is_frame = first.len() == FIRST
        // SETTINGS, GOAWAY: a length below 64 KiB, a type, flags, and stream 0.
        && first[0] == 0
        && matches!(first[3], 4 | 7)
        && first[5..] == [0; 4];
    match (expected, first) {
        (_, [0x15 | 0x16, 3, ..]) => Some("the peer speaks TLS; the connection was made without"),
        (HttpVersion::Http2, [b'H', b'T', b'T', b'P', b'/', b'1', ..]) => Some("the peer speaks HTTP/1.1, not HTTP/2"),
        // A server of HTTP/2 begins with SETTINGS.
        (HttpVersion::Http2, _) if first.len() == FIRST && !is_frame => {
            Some("the peer does not speak HTTP/2 without TLS")
        }
        (HttpVersion::Http1, _) if is_frame => Some("the peer speaks HTTP/2, not HTTP/1.1"),
        (HttpVersion::Http1 | HttpVersion::Http2, _) => None,
    }
}

/// A connection whose first bytes from the peer are recorded.
#[derive(Debug)]
pub(super) struct Recorded<S> {
    stream: S,
    /// Absent once they have come.
    peer: Option<Peer>,
    /// Why nothing more can be written, until it is known what the peer said before.
    broken: Option<io::Error>,
}

impl<S: AsyncRead + Unpin> Recorded<S> {
    /// The end of a write. A peer of another protocol answers and closes, and the next write fails before the answer was read: it
    /// is read first, as it says what the peer speaks.
    fn written(&mut self, polled: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match ready!(polled) {
            Ok(written) => return Poll::Ready(Ok(written)),
            Err(error) => self.broken = Some(error),
        }
        self.said(context)
    }

    fn said(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.peer.is_some() {
            let mut bytes = [0; FIRST];
            let _said = ready!(Pin::new(&mut *self).poll_read(context, &mut ReadBuf::new(&mut bytes)));
        }
        Poll::Ready(Err(self.broken.take().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recorded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let read = &buffer.filled()[before..];
        if let Some(Peer(state)) = &self.peer {
            let First { mut bytes, length } = state.first.get();
            let taken = read.len().min(FIRST - length);
            bytes[length..length + taken].copy_from_slice(&read[..taken]);
            state.first.set(First { bytes, length: length + taken });
            if length + taken == FIRST {
                self.peer = None;
            }
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Recorded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if self.broken.is_some() {
            return self.said(context);
        }
        let polled = Pin::new(&mut self.stream).poll_write(context, data);
        self.written(polled, context)
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
        if self.broken.is_some() {
            return self.said(context);
        }
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, data);
        self.written(polled, context)
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
        let cases: [(&[u8], HttpVersion, Option<&str>); 10] = [
            (&http1[..FIRST], HttpVersion::Http2, Some("the peer speaks HTTP/1.1, not HTTP/2")),
            (&http1[..FIRST], HttpVersion::Http1, None),
            (settings, HttpVersion::Http1, Some("the peer speaks HTTP/2, not HTTP/1.1")),
            (goaway, HttpVersion::Http1, Some("the peer speaks HTTP/2, not HTTP/1.1")),
            (settings, HttpVersion::Http2, None),
            (
                b"\x15\x03\x01\0\x02\x02\x46",
                HttpVersion::Http2,
                Some("the peer speaks TLS; the connection was made without"),
            ),
            (
                b"\x15\x03\x03\0\x02\x02\x0a",
                HttpVersion::Http1,
                Some("the peer speaks TLS; the connection was made without"),
            ),
            (b"SSH-2.0-O", HttpVersion::Http1, None),
            (b"SSH-2.0-O", HttpVersion::Http2, Some("the peer does not speak HTTP/2 without TLS")),
            (b"<!DOCTYPE", HttpVersion::Http2, Some("the peer does not speak HTTP/2 without TLS")),
        ];
        for (first, expected, named) in cases {
            assert_eq!(mismatch(first, expected), named, "{first:?}");
        }
    }

    #[test]
    fn the_error_names_a_silent_peer() {
        let failure = || Failure::new(Status::Unfinished, "broken pipe");
        let explained = Peer::new("h:1", HttpVersion::Http2).explain(failure());
        assert_eq!(explained.error, "broken pipe; the peer sent nothing: check that it speaks HTTP/2 without TLS");
        assert_eq!(explained.status, Status::Unfinished);
        assert_eq!(Peer::new("h:1", HttpVersion::Http1).explain(failure()), failure());
    }
}
