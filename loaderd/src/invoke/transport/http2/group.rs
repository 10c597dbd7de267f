//! The connections that some calls share, and the calls that wait for room on them.
//!
//! A call takes any connection that stands and has room for a stream. Connections are made in the background: a call waits
//! for room, never for one certain connection. While no connection stands, what a call waits for is a connection; otherwise
//! it is a stream.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    attempt::{self, Wanting},
    connection::{Connection, Line, NoConnection, Owner, Room},
    outage::Outage,
};
use crate::invoke::{
    cancellation::Cancellation,
    route::Route,
    transport::{
        dial,
        sharing::Setup,
        wait::{Deadlines, Unsent},
    },
    waited::Waited,
};

/// How long after a failed attempt the next one is made, while other connections stand.
const PAUSE: Duration = Duration::from_secs(1);

/// How it stood when a call began to wait.
#[derive(Debug, Clone, Copy)]
struct Begun {
    at: Instant,
    /// For how long no connection had stood until then.
    outage: Duration,
    /// Whether a stream was free, so that the call waits for flow control.
    had_stream: bool,
}

/// A call that waits.
struct Waiter {
    /// The length of its body.
    bytes: usize,
    begun: Begun,
    granted: oneshot::Sender<Result<(Room, Waited), Unsent>>,
}

/// The connections that some calls share.
pub(super) struct Group {
    route: Route,
    setup: Setup,
    /// How many connections there are to be.
    size: usize,
    standing: RefCell<Vec<Rc<Connection>>>,
    turn: Cell<usize>,
    waiting: RefCell<VecDeque<Waiter>>,
    attempting: Cell<bool>,
    paused_until: Cell<Option<Instant>>,
    outage: Outage,
}

impl Group {
    /// A group that will have `size` connections to `route`.
    pub(super) fn new(route: &Route, size: usize, setup: &Setup) -> Rc<Self> {
        Rc::new(Self {
            route: route.clone(),
            setup: setup.clone(),
            size,
            standing: RefCell::default(),
            turn: Cell::new(0),
            waiting: RefCell::default(),
            attempting: Cell::new(false),
            paused_until: Cell::new(None),
            outage: Outage::new(setup.clock.now()),
        })
    }

    /// Makes the connections that are missing, until one fails.
    pub(super) async fn prepare(self: &Rc<Self>, deadline: Instant) {
        while self.standing.borrow().len() < self.size {
            match timeout_at(deadline, Connection::make(&self.route, &self.setup)).await {
                Ok(Ok(connection)) => self.stands(connection),
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    /// Room for a stream; waits for it, behind all who wait already.
    pub(super) async fn room_for(
        self: &Rc<Self>,
        bytes: usize,
        deadlines: &Deadlines,
        cancellation: &Cancellation,
    ) -> Result<(Room, Waited), Unsent> {
        if self.is_incomplete() {
            self.attempt(deadlines.connect);
        }
        let nobody_waits = self.waiting.borrow().is_empty();
        match nobody_waits.then(|| self.room(bytes)).flatten() {
            Some(stream) => Ok((stream, Waited::default())),
            // Boxed, so that calls that need not wait are small.
            None => Box::pin(self.wait(bytes, deadlines, cancellation)).await,
        }
    }

    async fn wait(
        self: &Rc<Self>,
        bytes: usize,
        deadlines: &Deadlines,
        cancellation: &Cancellation,
    ) -> Result<(Room, Waited), Unsent> {
        let begun = self.begun(self.now());
        let (granted, mut grant) = oneshot::channel();
        self.forget_who_left();
        self.waiting.borrow_mut().push_back(Waiter { bytes, begun, granted });
        let mut until = deadlines.connect.min(deadlines.send);
        loop {
            tokio::select! {
                biased;
                // Nobody drops a waiter unanswered but the group, which this call holds.
                Ok(granted) = &mut grant => return granted,
                status = cancellation.cancelled() => return Err(Unsent::cancelled(status, self.waited(begun, self.now()))),
                () = sleep_until(until) => {}
            }
            let (waited, allowed) = (self.waited(begun, self.now()), until.saturating_duration_since(begun.at));
            if self.standing.borrow().is_empty() {
                return Err(Unsent::new(dial::late(&self.route, allowed), waited));
            }
            if until == deadlines.send {
                return Err(Unsent::late(waited, allowed));
            }
            until = deadlines.send;
        }
    }

    fn now(&self) -> Instant {
        self.setup.clock.now()
    }

    fn begun(&self, at: Instant) -> Begun {
        Begun { at, outage: self.outage.length(at), had_stream: self.has_stream() }
    }

    /// What a call has waited for, up to `now`.
    fn waited(&self, begun: Begun, now: Instant) -> Waited {
        let Begun { at, outage, had_stream } = begun;
        let connect = self.outage.length(now).saturating_sub(outage);
        let stream = now.saturating_duration_since(at).saturating_sub(connect);
        let limit = self.standing.borrow().iter().filter_map(|connection| connection.limit()).max();
        Waited {
            connect: Some(connect).filter(|wait| !wait.is_zero()),
            stream: Some(stream).filter(|wait| !wait.is_zero()),
            stream_limit: limit.filter(|_| !stream.is_zero() && !had_stream),
        }
    }

    /// Room on a connection that stands; those which take no more streams are given up.
    fn room(self: &Rc<Self>, bytes: usize) -> Option<Room> {
        let mut standing = self.standing.borrow_mut();
        let mut left = standing.len();
        while left > 0 {
            let turn = self.turn.get() % standing.len();
            if !standing[turn].is_usable() {
                let _given_up = standing.remove(turn);
                self.outage.begins_if(standing.is_empty(), self.now());
            } else {
                self.turn.set(turn + 1);
                if standing[turn].has_room(bytes) {
                    return Some(standing[turn].take(bytes));
                }
            }
            left -= 1;
        }
        None
    }

    /// Gives those who wait what room there is. To be called whenever there may be more of it.
    fn serve(self: &Rc<Self>) {
        self.serve_at(self.now());
    }

    fn serve_at(self: &Rc<Self>, now: Instant) {
        while let Some(bytes) = self.first_waiting() {
            let Some(stream) = self.room(bytes) else {
                self.note_flow_control();
                break;
            };
            let Some(Waiter { bytes: _, begun, granted }) = self.waiting.borrow_mut().pop_front() else { break };
            let waited = self.waited(begun, now);
            // One who has left gives it back, which serves the next.
            let _left = granted.send(Ok((stream, waited)));
        }
        if self.is_waited_for() && self.standing.borrow().is_empty() {
            self.attempt(now + PAUSE);
        }
    }

    /// Where a stream is free and the first one waits all the same, it is flow control that holds it back.
    fn note_flow_control(&self) {
        if let Some(waiter) = self.waiting.borrow_mut().front_mut() {
            waiter.begun.had_stream |= self.has_stream();
        }
    }

    fn has_stream(&self) -> bool {
        self.standing.borrow().iter().any(|connection| connection.has_stream())
    }

    fn forget_who_left(&self) {
        let mut waiting = self.waiting.borrow_mut();
        while waiting.front().is_some_and(|waiter| waiter.granted.is_closed()) {
            waiting.pop_front();
        }
    }

    /// Whether a call waits.
    fn is_waited_for(&self) -> bool {
        self.first_waiting().is_some()
    }

    /// The length of the body of the call that has waited longest.
    fn first_waiting(&self) -> Option<usize> {
        self.forget_who_left();
        self.waiting.borrow().front().map(|waiter| waiter.bytes)
    }

    /// Makes a connection in the background, unless one is being made.
    fn attempt(self: &Rc<Self>, until: Instant) {
        let now = self.now();
        let paused = self.paused_until.get().is_some_and(|until| now < until);
        if self.attempting.get() || (paused && !self.standing.borrow().is_empty()) {
            return;
        }
        self.attempting.set(true);
        let group: Weak<Self> = Rc::downgrade(self);
        let attempt = attempt::run(group, self.route.clone(), self.setup.clone(), until);
        self.setup.drivers.spawn_local(attempt);
    }

    /// An attempt succeeded, or one was made beforehand.
    fn stands(self: &Rc<Self>, connection: Rc<Connection>) {
        let group: Weak<Self> = Rc::downgrade(self);
        connection.belongs_to(group);
        self.standing.borrow_mut().push(connection);
        let now = self.now();
        self.outage.ends(now);
        self.serve_at(now);
    }

    /// Fails the call that has waited longest; where the address can't be reached, all that saw the whole attempt.
    fn failed(self: &Rc<Self>, begun: Instant, NoConnection { failure, unreachable }: &NoConnection) {
        self.paused_until.set(Some(self.now() + PAUSE));
        if self.standing.borrow().is_empty() {
            self.forget_who_left();
            let mut first = true;
            while let Some(waiter) = self.pop_waiter_if(|waiter| first || (*unreachable && waiter.begun.at <= begun)) {
                first = false;
                let waited = self.waited(waiter.begun, self.now());
                let _left = waiter.granted.send(Err(Unsent::new(failure.clone(), waited)));
            }
        }
        self.serve();
    }

    fn pop_waiter_if(&self, which: impl FnOnce(&Waiter) -> bool) -> Option<Waiter> {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.front().is_some_and(which) { waiting.pop_front() } else { None }
    }
}

impl Owner for Group {
    fn serve_waiting(self: Rc<Self>) {
        if self.is_waited_for() {
            self.serve();
        }
    }

    fn ended(self: Rc<Self>, line: &Rc<Line>) {
        let mut standing = self.standing.borrow_mut();
        standing.retain(|connection| !connection.is_on(line));
        self.outage.begins_if(standing.is_empty(), self.now());
        drop(standing);
        self.serve();
    }
}

impl Wanting for Group {
    fn waits(&self) -> bool {
        self.is_waited_for()
    }

    fn is_incomplete(&self) -> bool {
        self.standing.borrow().len() < self.size
    }

    fn attempted(self: Rc<Self>, begun: Instant, ended: Option<Result<Rc<Connection>, NoConnection>>) {
        self.attempting.set(false);
        match ended {
            Some(Ok(connection)) => self.stands(connection),
            Some(Err(failure)) => self.failed(begun, &failure),
            None => self.serve(),
        }
    }
}
