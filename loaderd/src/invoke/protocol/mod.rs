//! Protocols: what a function is asked, and how its answer is read.
//!
//! An [`Exchange`] is a protocol as one function speaks it: what all its requests share is prepared once, when the route is
//! made. Where the bytes go is the transport's affair. A protocol is a file here and its line in [`Protocol`].

mod faas;
mod grpc;
mod hello;
mod http;

use std::{fmt::Debug, sync::Arc};

use ::http::{HeaderMap, HeaderValue, Request, StatusCode};
use bytes::Bytes;
use loader_proto::metadata;
use tonic::Code;

use super::{
    Call,
    outcome::{Failure, Origin, Reply, Status},
};
use crate::{
    clock::UnixMicros,
    endpoint::{Endpoint, HttpVersion},
    spec::{FunctionKind, FunctionProtocol, HttpRequest},
};

/// A function protocol.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Protocol {
    /// gRPC `faas.Executor`, which is asked for run time and memory.
    #[default]
    Faas,
    /// gRPC `helloworld.Greeter`, which is asked for nothing.
    Hello,
    /// Plain HTTP requests.
    Http {
        /// Of which version.
        version: HttpVersion,
        /// What a request looks like.
        request: Arc<HttpRequest>,
        /// The function's name, for requests that hold it.
        function: String,
    },
}

impl Protocol {
    /// What a function of this kind and name speaks, where the spec asks for `protocol`.
    pub fn of(kind: FunctionKind, protocol: &FunctionProtocol, function: &str) -> Self {
        match protocol {
            FunctionProtocol::Http(version, request) => {
                Self::Http { version: *version, request: Arc::clone(request), function: function.to_owned() }
            }
            FunctionProtocol::Grpc if kind == FunctionKind::Hello => Self::Hello,
            FunctionProtocol::Grpc => Self::Faas,
        }
    }

    /// Prepares what all calls to a function at `endpoint` share.
    pub(super) fn prepare(self, endpoint: &Endpoint) -> Result<Arc<dyn Exchange>, ::http::Error> {
        Ok(match self {
            Self::Faas => Arc::new(grpc::Grpc::new(faas::Faas, endpoint)?),
            Self::Hello => Arc::new(grpc::Grpc::new(hello::Hello, endpoint)?),
            Self::Http { version, request, function } => {
                Arc::new(http::Http::new(version, &request, &function, endpoint)?)
            }
        })
    }
}

/// How one function is asked, and how its answers are read.
pub(super) trait Exchange: Debug + Send + Sync {
    /// The transport.
    fn version(&self) -> HttpVersion;

    /// The request of a call, with an absolute URI whose authority is the function's.
    fn request(&self, call: &Call) -> (Request<()>, Bytes);

    /// What of an answer with this head is to be read.
    fn wanted(&self, head: &Head) -> Wanted;

    /// What an answer says, of which as much was read as was wanted.
    fn reply(&self, answer: Answer) -> Result<Reply, Failure>;
}

/// The head of an answer.
pub(super) type Head = ::http::response::Parts;

/// What of an answer is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// Its head says all.
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

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Head,
    /// What was kept of its body, or why it did not come whole.
    pub(super) body: Result<Bytes, Failure>,
    pub(super) trailers: HeaderMap,
}

/// An answer that is not what the protocol has.
pub(super) fn internal(error: &str) -> Failure {
    Failure::new(Status::Grpc(Code::Internal), error)
}

/// How the loader names itself to functions.
const USER_AGENT: &str = concat!("loaderd/", env!("CARGO_PKG_VERSION"));

/// Writes what goes beyond any protocol: the clock of the run time, and the span that the function's work belongs to.
fn write_context(call: &Call, headers: &mut HeaderMap) {
    if let Some(clock) = call.clock {
        headers.insert(metadata::CLOCK, HeaderValue::from_static(clock));
    }
    // Its form has nothing that a header may not have.
    if let Some(Ok(parent)) = call.span.map(|span| HeaderValue::try_from(span.to_string())) {
        headers.insert("traceparent", parent);
    }
}

/// An HTTP status that is no function's answer, with what came with it.
fn unexpected(status: StatusCode, text: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(text);
    let text = text.trim();
    let text = if text.is_empty() { status.canonical_reason().unwrap_or("no words") } else { text };
    Failure::new(Status::Http(status.as_u16()), text)
}

/// Who answered, as the headers of `trace-func` say.
fn origin(headers: &HeaderMap) -> Origin {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Origin {
        instance: text(metadata::INSTANCE).unwrap_or_default().to_owned(),
        cold_start: text(metadata::FIRST_INVOCATION).and_then(|value| value.parse().ok()),
        started: text(metadata::INSTANCE_STARTED).and_then(|value| value.parse().ok()).map(UnixMicros),
    }
}
