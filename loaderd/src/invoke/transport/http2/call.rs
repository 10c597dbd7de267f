//! A call on its stream: what has come of its answer.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use tokio::time::Instant;

use super::{ended::Ended, hpack::Block};
use crate::invoke::{
    exchange::{Answer, Beyond, Exchange, Head, Wanted},
    outcome::Failure,
    transport::{answer::Received, wait::Unanswered},
};

/// A call that both its stream and whoever waits for its answer know.
pub(super) type Shared = Rc<RefCell<Call>>;

/// What the peer's answer means for the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// More is to come.
    Open,
    /// Nothing more is wanted.
    Done,
}

/// A call whose head is sent.
#[derive(Debug)]
pub(super) struct Call {
    exchange: Arc<dyn Exchange>,
    /// Whether its answer has a length, and no body.
    is_head: bool,
    answer: Option<Begun>,
    /// What became of it, until that is taken.
    result: Option<Result<Received, Unanswered>>,
    is_over: bool,
    waker: Option<Waker>,
    /// What flow control holds back of the request's body.
    pub(super) held: Bytes,
    /// What may be sent of it on the stream.
    pub(super) window: i64,
}

/// An answer whose head has come.
#[derive(Debug)]
struct Begun {
    status: StatusCode,
    head: Rc<Block>,
    wanted: Wanted,
    kept: BytesMut,
    /// Bytes of the body.
    bytes: u64,
    /// Those that have not been given back to the peer's window.
    taken: u32,
}

impl Call {
    pub(super) fn new(exchange: &Arc<dyn Exchange>, is_head: bool, window: i64) -> Self {
        Self {
            exchange: Arc::clone(exchange),
            is_head,
            answer: None,
            result: None,
            is_over: false,
            waker: None,
            held: Bytes::new(),
            window,
        }
    }

    /// The answer, or its failure.
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<Result<Received, Unanswered>> {
        match self.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                self.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Whether nothing of its request is held back, or it is over; otherwise it is woken when that is so.
    pub(super) fn poll_released(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.held.is_empty() || self.is_over {
            return Poll::Ready(());
        }
        self.waker = Some(context.waker().clone());
        Poll::Pending
    }

    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// A block of header fields: the head of the answer, or its trailers.
    ///
    /// # Errors
    /// What no answer can have.
    pub(super) fn block(
        &mut self,
        block: Rc<Block>,
        ends: bool,
        arrived: Option<Instant>,
    ) -> Result<Progress, &'static str> {
        if let Some(fault) = block.fault {
            return Err(fault);
        }
        match (&self.answer, block.status) {
            (None, None) => Err("an answer has no status"),
            (None, Some(status)) if status.is_informational() => match ends {
                true => Err("an informational status ends an answer"),
                false => Ok(Progress::Open),
            },
            (None, Some(status)) => Ok(self.head(status, block, ends, arrived)),
            (Some(_), Some(_)) => Err("an answer has a second status"),
            (Some(_), None) if !ends => Err("trailers do not end an answer"),
            (Some(_), None) => Ok(self.end(&block.headers, arrived)),
        }
    }

    fn head(&mut self, status: StatusCode, head: Rc<Block>, ends: bool, arrived: Option<Instant>) -> Progress {
        let wanted = self.exchange.wanted(Head { status, headers: &head.headers });
        self.answer = Some(Begun { status, head, wanted, kept: BytesMut::new(), bytes: 0, taken: 0 });
        match wanted {
            Wanted::Body { .. } if !ends => Progress::Open,
            Wanted::Body { .. } => self.end(&HeaderMap::new(), arrived),
            Wanted::Nothing => self.done(Ok(()), &HeaderMap::new(), arrived),
        }
    }

    /// A part of the body; `taken` bytes of the stream's window went with it.
    ///
    /// # Errors
    /// A body without a head.
    pub(super) fn data(
        &mut self,
        part: &[u8],
        taken: u32,
        ends: bool,
        arrived: Option<Instant>,
    ) -> Result<Progress, &'static str> {
        let Some(Begun { wanted, kept, bytes, taken: all_taken, .. }) = &mut self.answer else {
            return Err("an answer begins with its body");
        };
        *bytes += part.len() as u64;
        *all_taken += taken;
        if let Wanted::Body { keep, beyond, trailers: _ } = *wanted {
            match (keep - kept.len(), beyond) {
                (room, _) if part.len() <= room => kept.extend_from_slice(part),
                (_, Beyond::Refused) => {
                    let failure = Failure::internal(format!("the answer is longer than {keep} bytes"));
                    return Ok(self.done(Err(failure), &HeaderMap::new(), arrived));
                }
                (room, Beyond::Dropped) => kept.extend_from_slice(&part[..room]),
            }
        }
        Ok(if ends { self.end(&HeaderMap::new(), arrived) } else { Progress::Open })
    }

    /// What is to be given back to the stream's window, once it is at least so much.
    pub(super) fn give_back(&mut self, at_least: u32) -> Option<u32> {
        let taken = &mut self.answer.as_mut()?.taken;
        (*taken >= at_least).then(|| std::mem::take(taken))
    }

    /// The answer has come to its end.
    fn end(&mut self, trailers: &HeaderMap, arrived: Option<Instant>) -> Progress {
        let whole = match self.answer.as_ref().and_then(|answer| answer.promised(self.is_head)) {
            Some((promised, bytes)) if promised != bytes => {
                let what = format!("an answer has {bytes} bytes and a content-length of {promised}");
                Err(Ended::Violation(what).failure())
            }
            _ => Ok(()),
        };
        self.done(whole, trailers, arrived)
    }

    /// The stream has ended before the answer did.
    pub(super) fn ended(&mut self, ended: &Ended, arrived: Option<Instant>) {
        if !self.is_over {
            self.done(Err(ended.failure()), &HeaderMap::new(), arrived);
        }
    }

    /// Evaluates what has come. The answer is as it should be, or failed on its way.
    fn done(&mut self, whole: Result<(), Failure>, trailers: &HeaderMap, arrived: Option<Instant>) -> Progress {
        let received = match (self.answer.take(), whole) {
            (Some(Begun { status, head, kept, bytes, .. }), whole) => {
                let head = Head { status, headers: &head.headers };
                let reply = self.exchange.reply(Answer { head, body: whole.map(|()| kept.freeze()), trailers });
                Received { bytes: Some(bytes), arrived, reply }
            }
            (None, Err(failure)) => Received { arrived, ..Received::nothing(failure) },
            // An answer has a head.
            (None, Ok(())) => Received { arrived, ..Received::nothing(Failure::internal("an answer without a head")) },
        };
        self.over(Ok(received));
        Progress::Done
    }

    /// This side waits no longer for the answer, unless it has come.
    pub(super) fn give_up(&mut self, why: Unanswered) {
        if !self.is_over {
            self.over(Err(why));
        }
    }

    /// Whether nothing more can become of it.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    fn over(&mut self, result: Result<Received, Unanswered>) {
        self.result = Some(result);
        self.is_over = true;
        self.held = Bytes::new();
        self.wake();
    }
}

impl Begun {
    /// The length that the answer says its body has, if it does, and the length that has come.
    fn promised(&self, is_head: bool) -> Option<(u64, u64)> {
        if is_head || self.status == StatusCode::NOT_MODIFIED || matches!(self.wanted, Wanted::Nothing) {
            return None;
        }
        let length = self.head.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
        Some((length, self.bytes))
    }
}
