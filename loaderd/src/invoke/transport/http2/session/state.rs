//! What a connection is: its calls, and what is on the way in both directions.

use std::{cell::RefCell, collections::HashMap, hash::BuildHasherDefault, rc::Rc, task::Waker};

use super::{heads::Heads, outgoing::Outgoing, reading::Reading};
use crate::invoke::transport::http2::{
    call::{self, Call},
    ended::{Code, Ended, Violation},
    frame,
};

/// Numbers of streams are all different: they need no mixing that an attacker can't guess, as this side chooses them.
pub(super) type Calls = HashMap<u32, call::Shared, BuildHasherDefault<NumberHasher>>;

/// One connection, as this end sees it.
#[derive(Debug)]
pub(in crate::invoke::transport::http2) struct Session {
    pub(super) calls: Calls,
    /// The number of the next stream.
    pub(super) next: u32,
    pub(super) outgoing: Outgoing,
    pub(super) reading: Reading,
    pub(super) heads: Heads,
    /// Why it takes no more streams.
    pub(super) over: Option<Over>,
    /// Of the task that reads and writes.
    waker: Option<Waker>,
}

/// A connection that takes no more streams.
#[derive(Debug)]
pub(super) struct Over {
    pub(super) why: Ended,
    /// Whether what is on it goes on.
    pub(super) goes_on: bool,
}

impl Session {
    /// A connection whose preface is about to be sent.
    pub(in crate::invoke::transport::http2) fn new() -> Self {
        Self {
            calls: Calls::default(),
            next: 1,
            outgoing: Outgoing::new(),
            reading: Reading::default(),
            heads: Heads::default(),
            over: None,
            waker: None,
        }
    }

    /// Whether the peer's settings have come.
    pub(in crate::invoke::transport::http2) fn is_settled(&self) -> bool {
        self.outgoing.is_settled
    }

    /// The peer's limit of concurrent streams.
    pub(in crate::invoke::transport::http2) fn limit(&self) -> u32 {
        self.outgoing.limit
    }

    /// Whether it takes new streams.
    pub(in crate::invoke::transport::http2) fn is_usable(&self) -> bool {
        self.over.is_none() && self.next <= frame::GREATEST
    }

    /// Why nothing more can come of it; none while something can.
    pub(in crate::invoke::transport::http2) fn ended(&self) -> Option<&Ended> {
        self.over.as_ref().filter(|over| !over.goes_on || self.calls.is_empty()).map(|over| &over.why)
    }

    /// Whether no call is on it.
    pub(in crate::invoke::transport::http2) fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// Names the task that is to be woken when there is something to write.
    pub(in crate::invoke::transport::http2) fn served_by(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
    }

    /// Wakes the task that reads and writes.
    pub(in crate::invoke::transport::http2) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// What is to be written.
    pub(in crate::invoke::transport::http2) fn unwritten(&self) -> &[u8] {
        self.outgoing.unwritten()
    }

    /// So much of it was written.
    pub(in crate::invoke::transport::http2) fn written(&mut self, bytes: usize) {
        self.outgoing.written(bytes);
    }

    /// Says to the peer that nothing more comes.
    pub(in crate::invoke::transport::http2) fn say_goodbye(&mut self) {
        self.outgoing.goodbye(Code::NO_ERROR);
    }

    /// The connection has ended: so have all calls on it.
    pub(in crate::invoke::transport::http2) fn end(&mut self, why: &Ended) {
        // What the peer said last is why it closes.
        let why = match self.over.take() {
            Some(over) => over.why,
            None => why.clone(),
        };
        for (_, call) in self.calls.drain() {
            call.borrow_mut().ended(&why, self.reading.arrived);
        }
        self.over = Some(Over { why, goes_on: false });
    }

    /// A violation by the peer ends the connection.
    pub(super) fn violated(&mut self, Violation { code, what }: Violation) {
        self.outgoing.goodbye(code);
        self.over = None;
        self.end(&Ended::Violation(what));
    }

    /// Ends a call on this side.
    pub(super) fn reset(&mut self, stream: u32, code: Code) {
        self.calls.remove(&stream);
        self.outgoing.reset(stream, code);
        self.wake();
    }

    /// Whoever waited for a call waits no more.
    pub(in crate::invoke::transport::http2) fn abandon(&mut self, stream: u32) {
        if self.calls.contains_key(&stream) {
            self.reset(stream, Code::CANCEL);
        }
    }
}

/// Mixes a number's bits by one multiplication.
#[derive(Debug, Default)]
pub(super) struct NumberHasher(u64);

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
pub(in crate::invoke::transport::http2) type Numbered = (u32, Rc<RefCell<Call>>);
