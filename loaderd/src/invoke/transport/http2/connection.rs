//! One connection: its sender, the streams that are open on it, and the task that serves it.

use std::{
    cell::{Cell, RefCell},
    future::{Future as _, poll_fn},
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use h2::{
    SendStream,
    client::{self, Builder, ResponseFuture, SendRequest},
};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    endpoint::HttpVersion,
    invoke::{
        outcome::Failure,
        route::Route,
        transport::{
            count::Counted,
            dial::{self, Dialled},
            peer::Peer,
            sharing::Setup,
            stamped::Receipt,
            windows::Windows,
        },
    },
};

/// Flow-control window of a connection, in bytes: many small replies may sit unread while the worker is busy, and the
/// peer must not be delayed (nor the `h2` crate count them as an attack).
const CONNECTION_WINDOW: u32 = 8 << 20;

/// Flow-control window of a call, in bytes.
const STREAM_WINDOW: u32 = 1 << 20;

/// Why there is no connection.
pub(super) struct NoConnection {
    pub(super) failure: Failure,
    /// Whether the address was not reached at all, so that others who try now will not reach it either.
    pub(super) unreachable: bool,
}

/// Whoever gives the room of a connection to those who wait for it.
pub(super) trait Owner {
    /// Gives out what room there is, as there may be more of it.
    fn serve_waiting(self: Rc<Self>);

    /// The connection has ended.
    fn ended(self: Rc<Self>, line: &Rc<Line>);
}

/// A connection of which the peer's settings are known.
pub(super) struct Connection {
    sender: RefCell<SendRequest<Bytes>>,
    line: Rc<Line>,
}

/// What a connection and the task that serves it share.
pub(super) struct Line {
    pub(super) peer: Peer,
    pub(super) receipt: Receipt,
    windows: Windows,
    open: Cell<usize>,
    limit: Cell<usize>,
    owner: RefCell<Option<Weak<dyn Owner>>>,
}

impl Connection {
    /// Connects, and waits for the peer's settings: before them its limit of streams is not known.
    pub(super) async fn make(route: &Route, setup: &Setup) -> Result<Rc<Self>, NoConnection> {
        let receipt = Receipt::default();
        let dialled = dial::dial(route, &receipt, setup).await;
        let dialled = dialled.map_err(|failure| NoConnection { failure, unreachable: true })?;
        let line = Rc::new(Line {
            peer: Peer::new(&route.address, HttpVersion::Http2),
            receipt,
            windows: Windows::default(),
            open: Cell::new(0),
            limit: Cell::new(0),
            owner: RefCell::default(),
        });
        let spoken = match dialled {
            Dialled::Plain(stream) => {
                Self::speak(line.peer.record_with(&line.windows, stream), Rc::clone(&line), setup).await
            }
            Dialled::Secured(stream) => {
                Self::speak(line.peer.record_with(&line.windows, *stream), Rc::clone(&line), setup).await
            }
        };
        spoken.map_err(|error| {
            let failure = line.peer.explain(dial::refused(route, &error));
            NoConnection { failure, unreachable: false }
        })
    }

    async fn speak<S>(stream: S, line: Rc<Line>, setup: &Setup) -> Result<Rc<Self>, h2::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (sender, mut connection) = Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_max_send_streams(0)
            .enable_push(false)
            .handshake(stream)
            .await?;
        poll_fn(|context| {
            let ended = line.serve(&mut connection, context);
            match (line.peer.has_spoken(), ended) {
                (_, Poll::Ready(ended)) => Poll::Ready(ended.and_then(|()| Err(h2::Reason::NO_ERROR.into()))),
                (true, Poll::Pending) => Poll::Ready(Ok(())),
                (false, Poll::Pending) => Poll::Pending,
            }
        })
        .await?;
        let made = Rc::new(Self { sender: RefCell::new(sender), line: Rc::clone(&line) });
        let open = Counted::new(&setup.count.open);
        setup.drivers.spawn_local(async move {
            // How a connection ended shows in the calls that were on it.
            let _ended = poll_fn(|context| line.serve(&mut connection, context)).await;
            drop(open);
            if let Some(owner) = line.owner() {
                owner.ended(&line);
            }
        });
        Ok(made)
    }

    /// Whether this is the connection that `line` belongs to.
    pub(super) fn is_on(&self, line: &Rc<Line>) -> bool {
        Rc::ptr_eq(&self.line, line)
    }

    /// Names who gives out its room.
    pub(super) fn belongs_to(&self, owner: Weak<dyn Owner>) {
        self.line.owner.replace(Some(owner));
    }

    /// The peer's limit of concurrent streams; none when it has set none.
    pub(super) fn limit(&self) -> Option<u32> {
        u32::try_from(self.line.limit.get()).ok().filter(|&limit| limit < u32::MAX)
    }

    /// Whether another stream may be opened now.
    pub(super) fn has_stream(&self) -> bool {
        self.line.open.get() < self.line.limit.get()
    }

    /// Whether a request with a body of so many bytes may be sent now.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.has_stream() && self.line.windows.allow(bytes)
    }

    /// Whether it takes new streams at all: it has not ended, the peer does not wind it up, and it has numbers left.
    pub(super) fn is_usable(&self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        !matches!(self.sender.borrow_mut().poll_ready(&mut context), Poll::Ready(Err(_)))
    }

    /// Takes the room for one request with a body of so many bytes.
    pub(super) fn take(self: &Rc<Self>, bytes: usize) -> Stream {
        self.line.open.set(self.line.open.get() + 1);
        self.line.windows.sent(bytes);
        Stream { connection: Rc::clone(self) }
    }
}

impl Line {
    fn owner(&self) -> Option<Rc<dyn Owner>> {
        self.owner.borrow().as_ref()?.upgrade()
    }

    /// Carries the connection on: one read at a time, so that each answer is taken with the stamp of its own read.
    fn serve<S>(
        &self,
        connection: &mut client::Connection<S, Bytes>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), h2::Error>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.receipt.one_read();
        let ended = Pin::new(&mut *connection).poll(context);
        self.limit.set(connection.max_concurrent_send_streams());
        // The limit may have changed, or the peer may take no more streams.
        if let Some(owner) = self.owner() {
            owner.serve_waiting();
        }
        ended
    }
}

/// Room for one stream, given back when it is dropped.
pub(super) struct Stream {
    connection: Rc<Connection>,
}

impl Stream {
    /// The connection's peer and its receipts.
    pub(super) fn line(&self) -> &Line {
        &self.connection.line
    }

    /// Whether a body of so many bytes goes out at once, or in parts, as the peer lets it.
    pub(super) fn goes_at_once(&self, bytes: usize) -> bool {
        self.connection.line.windows.fit_a_stream(bytes)
    }

    /// Sends a request's head.
    pub(super) fn send(&self, head: Request<()>, ends: bool) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        let mut sender = self.connection.sender.borrow_mut();
        let mut context = Context::from_waker(Waker::noop());
        match sender.poll_ready(&mut context) {
            Poll::Ready(ready) => ready.and_then(|()| sender.send_request(head, ends)),
            // The library still counts a stream that has ended on this side; another handle does not wait for it.
            Poll::Pending => sender.clone().send_request(head, ends),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let line = &self.connection.line;
        line.open.set(line.open.get() - 1);
        if let Some(owner) = line.owner() {
            owner.serve_waiting();
        }
    }
}
