//! The seam between protocols and transports: a protocol builds requests and reads answers; a transport carries both.

use std::fmt::Debug;

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::{
    call::Call,
    outcome::{Failure, Reply},
};
use crate::endpoint::HttpVersion;

/// A protocol as one function speaks it: how requests are built and answers are read.
pub(super) trait Exchange: Debug + Send + Sync {
    /// The version of HTTP that carries the exchange.
    fn version(&self) -> HttpVersion;

    /// The request of a call, with an absolute URI whose authority is the function's.
    fn request(&self, call: &Call) -> (Request<()>, Bytes);

    /// What of an answer with this head is to be read.
    fn wanted(&self, head: &Head) -> Wanted;

    /// Evaluates an answer, of which as much was read as was wanted.
    fn reply(&self, answer: Answer) -> Result<Reply, Failure>;
}

/// The head of an answer.
pub(super) type Head = http::response::Parts;

/// What of an answer is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// Its head is enough.
    Nothing,
    /// Its body, to the end.
    Body {
        /// Most bytes that are kept.
        keep: usize,
        /// What becomes of a longer one.
        beyond: Beyond,
        /// Whether the trailers matter.
        trailers: bool,
    },
}

/// What becomes of a body that is longer than what is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    /// It is a failure, and not read on.
    Refused,
    /// The rest is read, counted and dropped.
    Dropped,
}

/// A response whose body was read as far as is needed.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Head,
    /// What was kept of its body, or why it did not come whole.
    pub(super) body: Result<Bytes, Failure>,
    pub(super) trailers: HeaderMap,
}
