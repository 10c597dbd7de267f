//! The seam between protocols and transports: a protocol builds requests and reads answers; a transport carries both.

use std::{fmt::Debug, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};

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
    fn request(&self, call: &Call) -> Asked;

    /// What of an answer with this head is to be read.
    fn wanted(&self, head: Head<'_>) -> Wanted;

    /// Evaluates an answer, of which as much was read as was wanted.
    fn reply(&self, answer: Answer<'_>) -> Result<Reply, Failure>;
}

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) head: RequestHead,
    /// Header fields besides those of the head.
    pub(super) own: OwnFields,
    pub(super) body: Bytes,
}

/// Header fields of one call.
pub(super) type OwnFields = Vec<(HeaderName, HeaderValue)>;

/// The head of a request.
#[derive(Debug)]
pub(super) enum RequestHead {
    /// That of many calls, which is made once.
    Shared(Arc<Request<()>>),
    /// That of one call.
    Own(Box<Request<()>>),
}

impl RequestHead {
    /// The head, whoever has it.
    pub(super) fn request(&self) -> &Request<()> {
        match self {
            Self::Shared(head) => head,
            Self::Own(head) => head,
        }
    }
}

/// The head of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
}

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
pub(super) struct Answer<'a> {
    pub(super) head: Head<'a>,
    /// What was kept of its body, or why it did not come whole.
    pub(super) body: Result<Bytes, Failure>,
    pub(super) trailers: &'a HeaderMap,
}
