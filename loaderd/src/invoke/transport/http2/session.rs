//! What both ends of a connection know of each other: bytes in, bytes out, and no socket.
//!
//! The library that came before gave no way to see what it held back, and a call went through its locks, its tables and its
//! channels. Here the peer's limit and windows are known, a request is its bytes in one buffer, and an answer is evaluated
//! where it is read.

mod incoming;
mod outgoing;
mod requests;

use std::{collections::HashMap, hash::BuildHasherDefault, rc::Rc, task::Waker};

use tokio::time::Instant;

use self::{incoming::Incoming, outgoing::Outgoing, requests::Requests};
use super::{
    call::{self, Call},
    ended::{Code, Ended, Violation},
    frame,
};

/// The greatest window, and the greatest number of a stream.
const GREATEST: u32 = (1 << 31) - 1;

/// Numbers of streams are all different: they need no mixing that an attacker can't guess, as this side chooses them.
type Calls = HashMap<u32, call::Shared, BuildHasherDefault<NumberHasher>>;

/// One connection, as this end sees it.
#[derive(Debug)]
pub(super) struct Session {
    calls: Calls,
    /// The number of the next stream.
    next: u32,
    outgoing: Outgoing,
    incoming: Incoming,
    requests: Requests,
    /// Why it takes no more streams.
    over: Option<Over>,
    /// Of the task that reads and writes.
    waker: Option<Waker>,
}

/// A connection that takes no more streams.
#[derive(Debug)]
struct Over {
    why: Ended,
    /// Whether what is on it goes on.
    goes_on: bool,
}

impl Session {
    /// A connection whose preface is about to be sent.
    pub(super) fn new() -> Self {
        Self {
            calls: Calls::default(),
            next: 1,
            outgoing: Outgoing::new(),
            incoming: Incoming::default(),
            requests: Requests::default(),
            over: None,
            waker: None,
        }
    }

    /// Whether the peer's settings have come.
    pub(super) fn is_settled(&self) -> bool {
        self.outgoing.is_settled
    }

    /// The peer's limit of concurrent streams.
    pub(super) fn limit(&self) -> u32 {
        self.outgoing.limit
    }

    /// Whether it takes new streams.
    pub(super) fn is_usable(&self) -> bool {
        self.over.is_none() && self.next <= GREATEST
    }

    /// Why nothing more can come of it; none while something can.
    pub(super) fn ended(&self) -> Option<&Ended> {
        self.over.as_ref().filter(|over| !over.goes_on || self.calls.is_empty()).map(|over| &over.why)
    }

    /// Whether no call is on it.
    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// Names the task that is to be woken when there is something to write.
    pub(super) fn served_by(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
    }

    /// Wakes the task that reads and writes.
    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// What is to be written.
    pub(super) fn unwritten(&self) -> &[u8] {
        self.outgoing.unwritten()
    }

    /// So much of it was written.
    pub(super) fn written(&mut self, bytes: usize) {
        self.outgoing.written(bytes);
    }

    /// Says to the peer that nothing more comes.
    pub(super) fn say_goodbye(&mut self) {
        self.outgoing.goodbye(Code::NO_ERROR);
    }

    /// The connection has ended: so have all calls on it.
    pub(super) fn end(&mut self, why: &Ended) {
        // What the peer said last is why it closes.
        let why = match self.over.take() {
            Some(over) => over.why,
            None => why.clone(),
        };
        for (_, call) in self.calls.drain() {
            call.borrow_mut().ended(&why, self.incoming.arrived);
        }
        self.over = Some(Over { why, goes_on: false });
    }

    /// A violation by the peer ends the connection.
    fn violated(&mut self, Violation { code, what }: Violation) {
        self.outgoing.goodbye(code);
        self.over = None;
        self.end(&Ended::Violation(what));
    }

    /// Ends a call on this side.
    fn reset(&mut self, stream: u32, code: Code) {
        self.calls.remove(&stream);
        self.outgoing.reset(stream, code);
        self.wake();
    }

    /// Whoever waited for a call waits no more.
    pub(super) fn abandon(&mut self, stream: u32) {
        if self.calls.contains_key(&stream) {
            self.reset(stream, Code::CANCEL);
        }
    }

    /// Takes what has arrived, at that instant.
    pub(super) fn receive(&mut self, bytes: &[u8], arrived: Option<Instant>) {
        self.incoming.arrived = arrived;
        if let Err(violation) = self.frames(bytes) {
            self.violated(violation);
        }
    }
}

/// Mixes a number's bits by one multiplication.
#[derive(Debug, Default)]
struct NumberHasher(u64);

impl std::hash::Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(byte.into()));
    }

    fn write_u32(&mut self, number: u32) {
        let mixed = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }
}

/// A call with the number of its stream.
pub(super) type Numbered = (u32, Rc<std::cell::RefCell<Call>>);

#[cfg(test)]
mod tests;
