//! HTTP/2: a connection takes many calls at a time.
//!
//! Each address (or function, by [`Policy`](super::Policy)) has a fixed number of connection slots. A slot makes its connection when it
//! is first needed and makes a new one when the old one is found dead; calls that come in the meantime wait for the
//! attempt under way.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use h2::{
    RecvStream,
    client::{Builder, ResponseFuture, SendRequest},
};
use http::{HeaderMap, Request};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::{
    answer::{self, Body, Received},
    count::Counted,
    dial::{self, Dialled},
    peer::Peer,
    sharing::Setup,
};
use crate::{
    endpoint::HttpVersion,
    invoke::{exchange::Exchange, outcome::Failure, route::Route},
};

/// Flow-control window of a connection, in bytes: many small replies may sit unread while the worker is busy, and the
/// peer must not be delayed (nor the `h2` crate count them as an attack).
const CONNECTION_WINDOW: u32 = 8 << 20;

/// Flow-control window of a call, in bytes.
const STREAM_WINDOW: u32 = 1 << 20;

/// A connection with room for one more stream.
pub(in crate::invoke) struct Ready {
    sender: SendRequest<Bytes>,
    peer: Peer,
}

/// A request in flight.
pub(in crate::invoke) struct Pending {
    answer: ResponseFuture,
    /// Keeps a connection of its own open until the answer was read.
    _sender: SendRequest<Bytes>,
    peer: Peer,
}

impl Ready {
    /// Puts a request on the wire.
    pub(super) fn send(mut self, mut head: Request<()>, body: Bytes) -> Result<Pending, Failure> {
        *head.version_mut() = http::Version::HTTP_2;
        let ends = body.is_empty();
        let sent = self.sender.send_request(head, ends).and_then(|(answer, mut stream)| match ends {
            true => Ok(answer),
            false => stream.send_data(body, true).map(|()| answer),
        });
        match sent {
            Ok(answer) => Ok(Pending { answer, _sender: self.sender, peer: self.peer }),
            Err(error) => Err(self.peer.explain(error.into())),
        }
    }
}

impl Pending {
    /// Waits for the answer and reads it.
    pub(super) async fn read(self, exchange: &dyn Exchange) -> Received {
        let Self { answer, _sender, peer } = self;
        match answer.await {
            Ok(answer) => {
                let (head, mut body) = answer.into_parts();
                answer::read(head, &mut body, exchange).await.0
            }
            Err(error) => Received::nothing(peer.explain(error.into())),
        }
    }
}

impl Body for RecvStream {
    async fn chunk(&mut self) -> Option<Result<Bytes, Failure>> {
        let chunk = self.data().await?;
        let taken = chunk.and_then(|chunk| self.flow_control().release_capacity(chunk.len()).map(|()| chunk));
        Some(taken.map_err(Failure::from))
    }

    async fn trailers(&mut self) -> Result<HeaderMap, Failure> {
        Ok(RecvStream::trailers(self).await?.unwrap_or_default())
    }
}

/// A connection of a slot. Its number distinguishes it from earlier ones of the slot.
#[derive(Clone)]
struct Connection {
    number: u64,
    sender: SendRequest<Bytes>,
    peer: Peer,
}

type ConnectionSlot = Mutex<Option<Connection>>;

/// The connection slots of one address or function, taken in turn.
struct ConnectionSlots {
    slots: Vec<ConnectionSlot>,
    next: Cell<usize>,
}

/// A connection for a call, and how it was obtained.
struct Acquired {
    connection: Connection,
    /// How long the call waited for it to be made; absent when one was open.
    waited: Option<Duration>,
    /// Whether it was made for this call, rather than for one that waited before it.
    is_new: bool,
}

/// The connections of one worker.
pub(super) struct Pool {
    setup: Setup,
    slots: RefCell<HashMap<String, Rc<ConnectionSlots>>>,
    made: Cell<u64>,
}

impl Pool {
    pub(super) fn new(setup: Setup) -> Self {
        Self { setup, slots: RefCell::default(), made: Cell::new(0) }
    }

    /// Makes the connections that calls to `route` will share, unless they exist.
    pub(super) async fn prepare(&self, route: &Route, deadline: Instant) {
        let Some(slots) = self.slots(route) else { return };
        for slot in &slots.slots {
            if self.connection(slot, route, deadline, None).await.is_err() {
                return;
            }
        }
    }

    /// A connection to `route` with room for one more call, and how long this call waited for it to be made; absent when
    /// one was open. Beyond the peer's limit of streams the library
    /// keeps the call back.
    pub(super) async fn ready(&self, route: &Route, deadline: Instant) -> Result<(Ready, Option<Duration>), Failure> {
        let Some(slots) = self.slots(route) else { return self.own(route, deadline).await };
        let turn = slots.next.get();
        slots.next.set((turn + 1) % slots.slots.len());
        let slot = &slots.slots[turn];
        let (mut connect, mut dead) = (None::<Duration>, None);
        loop {
            let Acquired { connection, waited, is_new } = self.connection(slot, route, deadline, dead).await?;
            connect = connect.into_iter().chain(waited).reduce(|sum, waited| sum + waited);
            let Connection { number, sender, peer } = connection;
            match sender.ready().await {
                Ok(sender) => return Ok((Ready { sender, peer }, connect)),
                Err(error) if is_new => return Err(peer.explain(dial::refused(route, &error))),
                // It has died, and nothing was sent: try a new one, once.
                Err(_) => dead = Some(number),
            }
        }
    }

    /// A connection for this call alone.
    async fn own(&self, route: &Route, deadline: Instant) -> Result<(Ready, Option<Duration>), Failure> {
        let Acquired { connection, waited, .. } =
            self.connection(&ConnectionSlot::default(), route, deadline, None).await?;
        let Connection { sender, peer, .. } = connection;
        match sender.ready().await {
            Ok(sender) => Ok((Ready { sender, peer }, waited)),
            Err(error) => Err(peer.explain(dial::refused(route, &error))),
        }
    }

    /// The slot's connection; makes one when it has none, or only one that is known to be dead.
    async fn connection(
        &self,
        slot: &ConnectionSlot,
        route: &Route,
        deadline: Instant,
        dead: Option<u64>,
    ) -> Result<Acquired, Failure> {
        if let Ok(guard) = slot.try_lock()
            && let Some(connection) = guard.as_ref().filter(|connection| Some(connection.number) != dead)
        {
            return Ok(Acquired { connection: connection.clone(), waited: None, is_new: false });
        }
        let begun = self.setup.clock.now();
        let connected = async {
            let mut guard = slot.lock().await;
            guard.take_if(|connection| Some(connection.number) == dead);
            match guard.as_ref() {
                Some(connection) => Ok((connection.clone(), false)),
                None => Ok::<_, Failure>((guard.insert(self.connect(route).await?).clone(), true)),
            }
        };
        let (connection, is_new) = timeout_at(deadline, connected).await.map_err(|_| {
            let allowed = deadline.saturating_duration_since(begun);
            dial::late(route, allowed)
        })??;
        Ok(Acquired { connection, waited: Some(self.setup.clock.now().duration_since(begun)), is_new })
    }

    async fn connect(&self, route: &Route) -> Result<Connection, Failure> {
        let peer = Peer::new(&route.address, HttpVersion::Http2);
        let spoken = match dial::dial(route, &self.setup.count).await? {
            Dialled::Plain(stream) => self.speak(peer.record(stream)).await,
            Dialled::Secured(stream) => self.speak(peer.record(stream)).await,
        };
        let sender = spoken.map_err(|error| dial::refused(route, &error))?;
        self.made.set(self.made.get() + 1);
        Ok(Connection { number: self.made.get(), sender, peer })
    }

    /// Speaks HTTP/2 on a stream.
    async fn speak<S>(&self, stream: S) -> Result<SendRequest<Bytes>, h2::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (sender, connection) = Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .enable_push(false)
            .handshake(stream)
            .await?;
        let open = Counted::new(&self.setup.count.open);
        self.setup.drivers.spawn_local(async move {
            // How a connection ended shows in the calls that were on it.
            let _ended = connection.await;
            drop(open);
        });
        Ok(sender)
    }

    /// The slots for calls to `route`; none where each call has its own connection.
    fn slots(&self, route: &Route) -> Option<Rc<ConnectionSlots>> {
        let (shared_by, count) = self.setup.shared_by(route)?;
        if let Some(slots) = self.slots.borrow().get(shared_by) {
            return Some(Rc::clone(slots));
        }
        let slots = (0..count).map(|_| ConnectionSlot::default()).collect();
        let slots = Rc::new(ConnectionSlots { slots, next: Cell::new(0) });
        self.slots.borrow_mut().insert(shared_by.clone(), Rc::clone(&slots));
        Some(slots)
    }
}
