//! One connection: its session, the rooms for streams that are given out, and the task that reads and writes.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    io,
    pin::Pin,
    rc::{Rc, Weak},
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{call, ended::Ended, session::Session};
use crate::{
    endpoint::HttpVersion,
    invoke::{
        exchange::{Asked, Exchange},
        outcome::Failure,
        route::Route,
        transport::{
            answer::Received,
            count::Counted,
            dial::{self, Dialled},
            peer::Peer,
            sharing::Setup,
            stamped::Receipt,
            wait::Unanswered,
        },
    },
};

/// Most bytes of one read.
const MOST_READ: usize = 16 << 10;

/// How many reads follow each other before other work on the thread gets its turn.
const MOST_READS: usize = 16;

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

/// A connection of which the peer's settings are known. It is closed when nobody holds it any more.
pub(super) struct Connection {
    line: Rc<Line>,
}

/// What a connection and the task that serves it share.
pub(super) struct Line {
    pub(super) peer: Peer,
    receipt: Receipt,
    session: RefCell<Session>,
    /// Rooms that are given out.
    open: Cell<usize>,
    is_dropped: Cell<bool>,
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
            session: RefCell::new(Session::new()),
            open: Cell::new(0),
            is_dropped: Cell::new(false),
            owner: RefCell::default(),
        });
        let spoken = match dialled {
            Dialled::Plain(stream) => Self::speak(line.peer.record(stream), Rc::clone(&line), setup).await,
            Dialled::Secured(stream) => Self::speak(line.peer.record(*stream), Rc::clone(&line), setup).await,
        };
        spoken.map_err(|ended| {
            let failure = line.peer.explain(dial::refused(route, &ended));
            NoConnection { failure, unreachable: false }
        })
    }

    async fn speak<S>(stream: S, line: Rc<Line>, setup: &Setup) -> Result<Rc<Self>, Ended>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let mut socket = Socket { stream, buffer: vec![0; MOST_READ].into() };
        poll_fn(|context| {
            let over = line.serve(&mut socket, context);
            let session = line.session.borrow();
            match (session.ended(), over) {
                (Some(why), _) => Poll::Ready(Err(why.clone())),
                (None, Poll::Ready(())) => Poll::Ready(Err(Ended::Closed)),
                (None, Poll::Pending) if session.is_settled() => Poll::Ready(Ok(())),
                (None, Poll::Pending) => Poll::Pending,
            }
        })
        .await?;
        let made = Rc::new(Self { line: Rc::clone(&line) });
        let open = Counted::new(&setup.count.open);
        setup.drivers.spawn_local(async move {
            // How a connection ended shows in the calls that were on it.
            poll_fn(|context| {
                let over = line.serve(&mut socket, context);
                // The limit may have changed, or the peer may take no more streams.
                if let Some(owner) = line.owner() {
                    owner.serve_waiting();
                }
                over
            })
            .await;
            drop((socket, open));
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
        Some(self.line.session.borrow().limit()).filter(|&limit| limit < u32::MAX)
    }

    /// Whether another stream may be opened now.
    pub(super) fn has_stream(&self) -> bool {
        self.line.open.get() < self.line.session.borrow().limit() as usize
    }

    /// Whether a request with a body of so many bytes may be sent now.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.has_stream() && self.line.session.borrow().allows(bytes)
    }

    /// Whether it takes new streams at all: it has not ended, the peer does not wind it up, and it has numbers left.
    pub(super) fn is_usable(&self) -> bool {
        self.line.session.borrow().is_usable()
    }

    /// Takes the room for one request with a body of so many bytes.
    pub(super) fn take(self: &Rc<Self>, bytes: usize) -> Room {
        self.line.open.set(self.line.open.get() + 1);
        let promised = self.line.session.borrow_mut().promise(bytes);
        Room { connection: Rc::clone(self), promised: Cell::new(promised) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.line.is_dropped.set(true);
        self.line.session.borrow_mut().wake();
    }
}

impl Line {
    fn owner(&self) -> Option<Rc<dyn Owner>> {
        self.owner.borrow().as_ref()?.upgrade()
    }

    /// Writes what there is to write and reads what has arrived; ready when the connection is over.
    fn serve<S>(&self, socket: &mut Socket<S>, context: &mut Context<'_>) -> Poll<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.session.borrow_mut().served_by(context.waker());
        if let Poll::Ready(Err(why)) = self.write(socket, context) {
            // What the peer said before is read first, as it says why.
            let _pending = self.read(socket, context);
            self.session.borrow_mut().end(&why);
            return Poll::Ready(());
        }
        if let Poll::Ready(Err(why)) = self.read(socket, context) {
            self.session.borrow_mut().end(&why);
        }
        let is_over = {
            let mut session = self.session.borrow_mut();
            let is_over = session.ended().is_some() || (self.is_dropped.get() && session.is_idle());
            if is_over {
                session.say_goodbye();
            }
            is_over
        };
        let written = self.write(socket, context);
        if !is_over {
            return Poll::Pending;
        }
        // A connection that was broken can't be closed; another is, once all is written.
        match written {
            Poll::Ready(Ok(())) => Pin::new(&mut socket.stream).poll_shutdown(context).map(drop),
            Poll::Ready(Err(_)) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    }

    fn write<S: AsyncWrite + Unpin>(
        &self,
        socket: &mut Socket<S>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Ended>> {
        let mut session = self.session.borrow_mut();
        let mut has_written = false;
        while !session.unwritten().is_empty() {
            let written = ready!(Pin::new(&mut socket.stream).poll_write(context, session.unwritten()));
            match written {
                Ok(0) => return Poll::Ready(Err(Ended::Closed)),
                Ok(bytes) => session.written(bytes),
                Err(error) => return Poll::Ready(Err(Ended::Broken(error.to_string()))),
            }
            has_written = true;
        }
        if has_written {
            let flushed = ready!(Pin::new(&mut socket.stream).poll_flush(context));
            return Poll::Ready(flushed.map_err(|error| Ended::Broken(error.to_string())));
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what there is. Each answer has the stamp of its own read.
    fn read<S: AsyncRead + Unpin>(&self, socket: &mut Socket<S>, context: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        for _ in 0..MOST_READS {
            let mut buffer = ReadBuf::new(&mut socket.buffer);
            let read: io::Result<()> = ready!(Pin::new(&mut socket.stream).poll_read(context, &mut buffer));
            if let Err(error) = read {
                return Poll::Ready(Err(Ended::Broken(error.to_string())));
            }
            if buffer.filled().is_empty() {
                return Poll::Ready(Err(Ended::Closed));
            }
            let mut session = self.session.borrow_mut();
            session.receive(buffer.filled(), self.receipt.arrived());
            if session.ended().is_some() {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A socket, and where what it gives is read to.
struct Socket<S> {
    stream: S,
    buffer: Box<[u8]>,
}

/// Room for one stream, given back when it is dropped.
pub(super) struct Room {
    connection: Rc<Connection>,
    /// Bytes of the connection's window that are kept for it.
    promised: Cell<i64>,
}

/// A stream with a call on it.
pub(super) struct Stream {
    room: Room,
    number: u32,
    call: call::Shared,
}

impl Room {
    fn line(&self) -> &Line {
        &self.connection.line
    }

    /// Sends a request.
    pub(super) fn send(self, asked: &Asked, exchange: &Arc<dyn Exchange>) -> Result<Stream, Failure> {
        let sent = {
            let mut session = self.line().session.borrow_mut();
            session.take_back(self.promised.take());
            session.send(asked, exchange)
        };
        match sent {
            Ok((number, call)) => Ok(Stream { room: self, number, call }),
            Err(ended) => Err(self.line().peer.explain(ended.failure())),
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let line = self.line();
        line.session.borrow_mut().take_back(self.promised.get());
        line.open.set(line.open.get() - 1);
        if let Some(owner) = line.owner() {
            owner.serve_waiting();
        }
    }
}

impl Stream {
    /// Whether the peer's flow control holds a part of the body back.
    pub(super) fn is_held(&self) -> bool {
        !self.call.borrow().held.is_empty()
    }

    /// Waits until nothing is held back any more, or the stream is over: then its answer says why.
    pub(super) async fn released(&self) {
        poll_fn(|context| self.call.borrow_mut().poll_released(context)).await;
    }

    /// The call on it.
    pub(super) fn call(&self) -> &call::Shared {
        &self.call
    }

    /// Waits for the answer, or its failure.
    pub(super) async fn answer(&self) -> Result<Received, Unanswered> {
        let received = poll_fn(|context| self.call.borrow_mut().poll(context)).await?;
        Ok(match received {
            Received { bytes: None, reply: Err(failure), arrived } => {
                Received { bytes: None, arrived, reply: Err(self.room.line().peer.explain(failure)) }
            }
            received => received,
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.room.line().session.borrow_mut().abandon(self.number);
    }
}
