//! Connections, shared by the calls of one worker.
//!
//! Each address (or function, by [`Policy`]) has a fixed number of places. A place makes its connection when it is first
//! needed and makes a new one when the old one is found dead; whoever comes meanwhile waits for the one attempt under way.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Mutex,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tokio_util::task::TaskTracker;

use super::{
    Route,
    outcome::{Failure, Status},
};
use crate::{clock::Clock, endpoint::Tls};

/// A connection that has room for one more call.
pub(super) type Ready = SendRequest<Bytes>;

/// Flow-control window of a connection, in bytes: many small replies may sit unread while the worker is busy, and the
/// peer must not be held up (nor the `h2` crate count them as an attack).
const CONNECTION_WINDOW: u32 = 8 << 20;

/// Flow-control window of a call, in bytes.
const STREAM_WINDOW: u32 = 1 << 20;

/// How many connections there are, over all workers.
#[derive(Debug, Clone, Default)]
pub struct ConnectionCount {
    open: Arc<AtomicU64>,
    connecting: Arc<AtomicU64>,
}

impl ConnectionCount {
    /// Connections that stand.
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Connections that are being made.
    pub fn connecting(&self) -> u64 {
        self.connecting.load(Ordering::Relaxed)
    }
}

/// Counts one while it lives.
struct Counted(Arc<AtomicU64>);

impl Counted {
    fn new(counter: &Arc<AtomicU64>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Who shares a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// All calls to an address share this many connections, at least one.
    Pooled(usize),
    /// Each function has a connection of its own.
    PerFunction,
    /// Each call makes its own connection, which ends with it.
    PerInvocation,
}

/// A ready connection, and how long this caller waited for it to be made.
pub(super) struct Connected {
    pub(super) ready: Ready,
    pub(super) connect: Option<Duration>,
}

/// A connection of a place. Its number tells it from the ones that the place had before.
#[derive(Clone)]
struct Standing {
    number: u64,
    ready: Ready,
}

type Place = Mutex<Option<Standing>>;

/// The places of one address or function, taken in turn.
struct Places {
    places: Vec<Place>,
    next: Cell<usize>,
}

/// A connection for a call, and how it came to be there.
struct Found {
    standing: Standing,
    /// How long the call waited for it to be made; none where it stood.
    waited: Option<Duration>,
    /// Whether it was made for this call, rather than for one that waited before it.
    is_new: bool,
}

/// All connections of one worker.
pub struct Connections {
    policy: Policy,
    places: RefCell<HashMap<String, Rc<Places>>>,
    drivers: TaskTracker,
    count: ConnectionCount,
    clock: Clock,
    made: Cell<u64>,
}

impl Connections {
    /// Connections that are shared by `policy`; `drivers` owns the tasks that serve them.
    pub fn new(policy: Policy, drivers: TaskTracker, count: ConnectionCount, clock: Clock) -> Self {
        Self { policy, places: RefCell::default(), drivers, count, clock, made: Cell::new(0) }
    }

    /// Connections that stand.
    #[cfg(test)]
    pub(super) fn open(&self) -> u64 {
        self.count.open()
    }

    /// Makes the connections that calls to `route` will share, where they are not there yet.
    pub(super) async fn prepare(&self, route: &Route, deadline: Instant) {
        let Some(places) = self.places(route) else { return };
        for place in &places.places {
            if self.standing(place, route, deadline, None).await.is_err() {
                return;
            }
        }
    }

    /// A connection to `route` with room for one more call. Waits while the peer allows no further stream: that wait is
    /// the loader's own lateness, and has no deadline but the run's.
    pub(super) async fn ready(&self, route: &Route, deadline: Instant) -> Result<Connected, Failure> {
        let address = route.address.as_str();
        let Some(places) = self.places(route) else { return self.own(route, deadline).await };
        let turn = places.next.get();
        places.next.set((turn + 1) % places.places.len());
        let place = &places.places[turn];
        let (mut connect, mut dead) = (None::<Duration>, None);
        loop {
            let Found { standing, waited, is_new } = self.standing(place, route, deadline, dead).await?;
            connect = connect.into_iter().chain(waited).reduce(|sum, waited| sum + waited);
            match standing.ready.ready().await {
                Ok(ready) => return Ok(Connected { ready, connect }),
                Err(error) if is_new => {
                    return Err(Failure::new(Status::ConnectError, format!("{address}: {error}")));
                }
                // It has died, and nothing was sent. Who has not tried a new one does so now.
                Err(_) => dead = Some(standing.number),
            }
        }
    }

    /// A connection that nobody else has.
    async fn own(&self, route: &Route, deadline: Instant) -> Result<Connected, Failure> {
        let found = self.standing(&Place::default(), route, deadline, None).await?;
        let ready = found.standing.ready.ready().await;
        let failed = |error| Failure::new(Status::ConnectError, format!("{}: {error}", route.address));
        Ok(Connected { ready: ready.map_err(failed)?, connect: found.waited })
    }

    /// The place's connection; makes one when there is none, or only the one that is known to be dead.
    async fn standing(
        &self,
        place: &Place,
        route: &Route,
        deadline: Instant,
        dead: Option<u64>,
    ) -> Result<Found, Failure> {
        if let Ok(guard) = place.try_lock()
            && let Some(standing) = guard.as_ref().filter(|standing| Some(standing.number) != dead)
        {
            return Ok(Found { standing: standing.clone(), waited: None, is_new: false });
        }
        let begun = self.clock.now();
        let connected = async {
            let mut guard = place.lock().await;
            guard.take_if(|standing| Some(standing.number) == dead);
            match guard.as_ref() {
                Some(standing) => Ok((standing.clone(), false)),
                None => Ok::<_, Failure>((guard.insert(self.connect(route).await?).clone(), true)),
            }
        };
        let (standing, is_new) = timeout_at(deadline, connected).await.map_err(|_| {
            let allowed = humantime::format_duration(deadline.saturating_duration_since(begun));
            Failure::new(Status::ConnectTimeout, format!("no connection to {} within {allowed}", route.address))
        })??;
        Ok(Found { standing, waited: Some(self.clock.now().duration_since(begun)), is_new })
    }

    async fn connect(&self, route: &Route) -> Result<Standing, Failure> {
        let address = route.address.as_str();
        let failed = |what: &dyn std::fmt::Display| Failure::new(Status::ConnectError, format!("{address}: {what}"));
        let connecting = Counted::new(&self.count.connecting);
        let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
        stream.set_nodelay(true).map_err(|error| failed(&error))?;
        let ready = match &route.tls {
            None => self.speak(stream).await.map_err(|error| failed(&error))?,
            Some(Tls(config)) => {
                let host = route.uri.host().unwrap_or_default().to_owned();
                let name = ServerName::try_from(host).map_err(|error| failed(&error))?;
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(name, stream).await.map_err(|error| failed(&error))?;
                self.speak(stream).await.map_err(|error| failed(&error))?
            }
        };
        drop(connecting);
        self.made.set(self.made.get() + 1);
        Ok(Standing { number: self.made.get(), ready })
    }

    /// Speaks HTTP/2 on a stream.
    async fn speak<S>(&self, stream: S) -> Result<Ready, h2::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (ready, connection) = Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .enable_push(false)
            .handshake(stream)
            .await?;
        let open = Counted::new(&self.count.open);
        self.drivers.spawn_local(async move {
            // How a connection ended shows in the calls that were on it.
            let _ended = connection.await;
            drop(open);
        });
        Ok(ready)
    }

    /// The places for calls to `route`; none where each call has its own connection.
    fn places(&self, route: &Route) -> Option<Rc<Places>> {
        let (shared_by, count) = match self.policy {
            // With TLS a function has a certificate of its own, and so a connection.
            Policy::Pooled(_) if route.tls.is_some() => (&route.function, 1),
            Policy::Pooled(count) => (&route.address, count.max(1)),
            Policy::PerFunction => (&route.function, 1),
            Policy::PerInvocation => return None,
        };
        if let Some(places) = self.places.borrow().get(shared_by) {
            return Some(Rc::clone(places));
        }
        let places = (0..count).map(|_| Place::default()).collect();
        let places = Rc::new(Places { places, next: Cell::new(0) });
        self.places.borrow_mut().insert(shared_by.clone(), Rc::clone(&places));
        Some(places)
    }
}
