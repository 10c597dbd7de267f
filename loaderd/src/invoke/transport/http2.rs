//! HTTP/2: a connection takes many calls at a time, as many as the peer allows.
//!
//! ```text
//! Pool ─▶ Group: connections that some calls share, and who waits for them
//!           └─▶ Connection: a socket, and the task that reads and writes
//!                 └─▶ Session: streams, windows, limits        frames, HPACK
//!                       └─▶ Call: an answer as far as it has come
//! ```
//! How many streams are open on a connection is counted here, against the peer's SETTINGS_MAX_CONCURRENT_STREAMS, which may
//! change while the connection stands. A call that has no stream waits in its group, so that what is sent is sent.
//!
//! The client's side of HTTP/2 is the loader's own: sending is what it is for. A library for any client hands each call
//! through locks, tables and channels, and takes as much time for it as the kernel.

mod attempt;
mod call;
mod connection;
mod ended;
mod frame;
mod group;
mod hpack;
mod outage;
#[cfg(any(test, fuzzing))]
pub(crate) mod peer_bytes;
mod session;
mod watch;

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

use tokio::time::Instant;

use self::{
    connection::{Room, Stream},
    group::Group,
    watch::{Watch, Watched},
};
use super::{
    answer::Received,
    sharing::Setup,
    wait::{Deadlines, Unanswered, Unsent},
};
use crate::invoke::{
    cancellation::Cancellation,
    exchange::{Asked, Exchange},
    outcome::Failure,
    route::Route,
    waited::Waited,
};

/// A connection with room for one request.
pub(in crate::invoke) struct Ready {
    room: Room,
    watch: Rc<Watch>,
}

/// A request whose head is sent.
pub(in crate::invoke) struct Pending {
    stream: Stream,
    watch: Rc<Watch>,
}

impl Ready {
    /// Sends a request: its body, too, unless the peer's flow control holds it back.
    pub(super) fn send(self, asked: &Asked, exchange: &Arc<dyn Exchange>) -> Result<Pending, Failure> {
        let Self { room, watch } = self;
        Ok(Pending { stream: room.send(asked, exchange)?, watch })
    }
}

impl Pending {
    /// Whether the peer's flow control holds the body back.
    pub(super) fn is_held(&self) -> bool {
        self.stream.is_held()
    }

    /// Waits until the peer's flow control has let all of the body go.
    pub(super) async fn released(&self) {
        self.stream.released().await;
    }

    /// Waits for the answer and reads it, until then at the latest.
    pub(super) async fn read(self, until: Instant) -> Result<Received, Unanswered> {
        let Self { stream, watch } = self;
        let _watched: Watched = watch.add(stream.call(), until);
        stream.answer().await
    }
}

/// The connections of one worker.
pub(super) struct Pool {
    setup: Setup,
    groups: RefCell<HashMap<String, Rc<Group>>>,
    /// Of the cancellation that a call had last.
    watch: RefCell<Option<Rc<Watch>>>,
}

impl Pool {
    pub(super) fn new(setup: Setup) -> Self {
        Self { setup, groups: RefCell::default(), watch: RefCell::default() }
    }

    /// Makes the connections that calls to `route` will share, unless they exist.
    pub(super) async fn prepare(&self, route: &Route, deadline: Instant) {
        if let Some(group) = self.group(route) {
            group.prepare(deadline).await;
        }
    }

    /// A connection to `route` with room for a request with a body of so many bytes, and what was waited for.
    pub(super) async fn ready(
        &self,
        route: &Route,
        bytes: usize,
        deadlines: &Deadlines,
        cancellation: &Cancellation,
    ) -> Result<(Ready, Waited), Unsent> {
        let group = self.group(route).unwrap_or_else(|| Group::new(route, 1, &self.setup));
        let (room, waited) = group.room_for(bytes, deadlines, cancellation).await?;
        Ok((Ready { room, watch: self.watch(cancellation) }, waited))
    }

    /// Ends calls that are cancelled so, or late.
    fn watch(&self, cancellation: &Cancellation) -> Rc<Watch> {
        let mut known = self.watch.borrow_mut();
        match &*known {
            Some(watch) if watch.is_of(cancellation) => Rc::clone(watch),
            Some(_) | None => {
                let (watch, watching) = Watch::new(cancellation, self.setup.clock);
                self.setup.drivers.spawn_local(watching);
                Rc::clone(known.insert(watch))
            }
        }
    }

    /// The connections that calls to `route` share; none where each call has its own.
    fn group(&self, route: &Route) -> Option<Rc<Group>> {
        let (shared_by, count) = self.setup.shared_by(route)?;
        if let Some(group) = self.groups.borrow().get(shared_by) {
            return Some(Rc::clone(group));
        }
        let group = Group::new(route, count, &self.setup);
        self.groups.borrow_mut().insert(shared_by.clone(), Rc::clone(&group));
        Some(group)
    }
}
