//! An accepted connection: TCP, TLS or Unix.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{
    deadlines::{Deadlines, Requests},
    places::Place,
};
use crate::access::{ListenerKind, Peer};

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection with its peer.
pub struct Connection {
    stream: Stream,
    peer: Peer,
    deadlines: Deadlines,
    /// Limits the number of open connections.
    _place: Place,
}

/// What is known of a connection, which each of its requests has among its extensions.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The peer, as the listener identified it.
    pub peer: Peer,
    /// The requests of the connection.
    pub requests: Requests,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn tcp(stream: TcpStream, address: SocketAddr, place: Place) -> Self {
        let peer = Peer { listener: ListenerKind::Loopback, address: Some(address), certificate: None };
        Self { stream: Stream::Tcp(stream), peer, deadlines: Deadlines::start(), _place: place }
    }

    pub(super) fn unix(stream: UnixStream, uid: Option<u32>, place: Place) -> Self {
        let peer = Peer { listener: ListenerKind::Socket { uid }, address: None, certificate: None };
        Self { stream: Stream::Unix(stream), peer, deadlines: Deadlines::start(), _place: place }
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>, address: SocketAddr, place: Place) -> Self {
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(|it| common_name(it));
        let peer = Peer { listener: ListenerKind::Tls, address: Some(address), certificate };
        Self { stream: Stream::Tls(Box::new(stream)), peer, deadlines: Deadlines::start(), _place: place }
    }

    /// What is known of it.
    pub fn accepted(&self) -> Accepted {
        Accepted { peer: self.peer.clone(), requests: self.deadlines.requests.clone() }
    }
}

/// The name (CN) in a verified certificate; empty, which no policy contains, if it has none.
fn common_name(certificate: &[u8]) -> String {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return String::new() };
    let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    name.unwrap_or_default().to_owned()
}

impl Connected for Connection {
    type ConnectInfo = Accepted;

    fn connect_info(&self) -> Accepted {
        self.accepted()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let read = match &mut this.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        match read {
            Poll::Pending => this.deadlines.nothing_to_read(context).map(Err),
            read => read,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = match &mut this.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        this.deadlines.written(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let flushed = match &mut this.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        };
        this.deadlines.written(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let shut = match &mut this.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        };
        this.deadlines.written(context, shut)
    }
}
