//! gRPC for any unary service: the request's headers and frame; a function's reply, a gRPC status, or a gateway's text.
//!
//! The HTTP status and the content type are looked at before anything is decoded, so that a gateway's plain 502, 503 or 504 is
//! no error of the function.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use loader_proto::metadata;
use prost::{DecodeError, Message};
use tonic::{Code, Status as GrpcStatus};

use super::common::{USER_AGENT, origin, unexpected, write_context, write_runtime};
use crate::{
    endpoint::{Endpoint, HttpVersion},
    invoke::{
        call::Call,
        exchange::{Answer, Asked, Beyond, Exchange, Head, OwnFields, RequestHead, Wanted},
        outcome::{Failure, Origin, Reply, Status},
    },
};

/// Most bytes of a reply: its three fields need far less, unless the function sends a long text.
const MAX_REPLY: usize = 1 << 20;

/// The field of a call's status: in the trailers, or in the head of an answer that has no others.
static STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Longest text of a gateway that is kept.
const MAX_TEXT: usize = 512;

/// A service with one method that is called.
pub(super) trait Service: std::fmt::Debug + Send + Sync {
    /// The service's full name, as in request paths.
    const NAME: &'static str;
    /// The path of its method.
    const PATH: &'static str;

    /// Whether its requests hold a run time.
    const HOLDS_RUNTIME: bool;

    /// The request of a call, as a gRPC frame.
    fn request(&self, call: &Call) -> Bytes;

    /// Reads the message of a reply.
    ///
    /// # Errors
    /// A message of another service.
    fn reply(&self, message: &[u8]) -> Result<Measured, DecodeError>;
}

/// What the function measured, as in its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Measured {
    /// Run time that the function measured, in microseconds.
    pub(super) runtime_us: Option<u32>,
    /// Memory that the function measured, in KiB.
    pub(super) memory_kib: Option<u32>,
}

/// A service as one function has it.
#[derive(Debug)]
pub(super) struct Grpc<S> {
    service: S,
    uri: Uri,
    prepared: OnceLock<Prepared>,
}

/// The head that all calls with one timeout share, made for the first of them.
#[derive(Debug)]
struct Prepared {
    timeout: Duration,
    head: Arc<Request<()>>,
}

fn head(uri: &Uri, timeout: Duration) -> Request<()> {
    let mut head = Request::new(());
    *head.method_mut() = Method::POST;
    *head.uri_mut() = uri.clone();
    let headers = head.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert("grpc-timeout", grpc_timeout(timeout));
    head
}

impl<S: Service> Grpc<S> {
    /// Prepares calls to `endpoint`.
    pub(super) fn new(service: S, endpoint: &Endpoint) -> Result<Self, http::Error> {
        let uri = endpoint.uri(S::PATH)?;
        Ok(Self { service, uri, prepared: OnceLock::new() })
    }

    /// What does not depend on the call, but for its timeout: that is the same for all calls of a run.
    fn head(&self, call: &Call) -> RequestHead {
        let timeout = call.function_timeout;
        let prepare = || Prepared { timeout, head: Arc::new(head(&self.uri, timeout)) };
        let prepared = self.prepared.get_or_init(prepare);
        match prepared.timeout == timeout {
            true => RequestHead::Shared(Arc::clone(&prepared.head)),
            false => RequestHead::Own(Box::new(head(&self.uri, timeout))),
        }
    }

    fn decode(&self, data: &[u8], origin: Origin) -> Result<Reply, Failure> {
        let garbage = |what: &str| Failure::internal(format!("the reply is not one of {}: {what}", S::NAME));
        let mut frame = data;
        if frame.len() < 5 {
            return Err(garbage("it is too short"));
        }
        if frame.get_u8() != 0 {
            return Err(garbage("it is compressed"));
        }
        let length = frame.get_u32() as usize;
        if length != frame.len() {
            return Err(garbage("its length is wrong"));
        }
        let measured = self.service.reply(frame).map_err(|error| garbage(&error.to_string()))?;
        let Measured { runtime_us, memory_kib } = measured;
        Ok(Reply { runtime_us, memory_kib, origin })
    }
}

impl<S: Service> Exchange for Grpc<S> {
    fn version(&self) -> HttpVersion {
        HttpVersion::Http2
    }

    fn request(&self, call: &Call) -> Asked {
        let mut own = OwnFields::new();
        write_context(call, &mut own);
        if S::HOLDS_RUNTIME {
            write_runtime(call, &mut own);
        }
        Asked { head: self.head(call), own, body: self.service.request(call) }
    }

    fn wanted(&self, head: Head<'_>) -> Wanted {
        if head.status != StatusCode::OK || !is_grpc(head.headers) {
            return Wanted::Body { keep: MAX_TEXT, beyond: Beyond::Refused, trailers: false };
        }
        if head.headers.contains_key(&STATUS) {
            return Wanted::Nothing;
        }
        Wanted::Body { keep: MAX_REPLY, beyond: Beyond::Refused, trailers: true }
    }

    fn reply(&self, answer: Answer<'_>) -> Result<Reply, Failure> {
        let Answer { head, body, trailers } = answer;
        if head.status != StatusCode::OK || !is_grpc(head.headers) {
            return Err(unexpected(head.status, &body.unwrap_or_default()));
        }
        let origin = origin(head.headers);
        if head.headers.contains_key(&STATUS)
            && let Some(status) = GrpcStatus::from_header_map(head.headers)
        {
            return Err(refused(&status, head.headers, origin));
        }
        let data = body?;
        if trailers.get(&STATUS).is_some_and(|status| status == "0") {
            return self.decode(&data, origin);
        }
        match GrpcStatus::from_header_map(trailers) {
            Some(status) if status.code() == Code::Ok => self.decode(&data, origin),
            Some(status) => Err(refused(&status, trailers, origin)),
            None => Err(Failure { origin, ..Failure::internal("the answer ended without a gRPC status") }),
        }
    }
}

/// The header by which the function learns how long its client waits: at most eight digits, in milliseconds.
fn grpc_timeout(timeout: Duration) -> HeaderValue {
    let millis = timeout.as_millis().min(99_999_999);
    HeaderValue::try_from(format!("{millis}m")).unwrap_or_else(|_| HeaderValue::from_static("99999999m"))
}

/// A gRPC frame: a zero byte (not compressed), the length in four bytes, the message.
pub(super) fn frame(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(5 + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).unwrap_or_default());
    // The buffer grows as it is needed, so that there is always room.
    let _encoded = message.encode(&mut frame);
    frame.freeze()
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// A gRPC status other than OK, and the metadata that came with it. RESOURCE_EXHAUSTED is a failed memory allocation only where the
/// function says so in its metadata: quotas, rate limits and too large messages have the same code. UNIMPLEMENTED without a message
/// is how an ingress reports that it knows no such function.
fn refused(status: &GrpcStatus, headers: &HeaderMap, origin: Origin) -> Failure {
    let lacks_memory = headers.get(metadata::LACKS).is_some_and(|lacks| lacks == metadata::LACKS_MEMORY);
    let (kind, error) = match (status.code(), status.message()) {
        (Code::Ok, _) => (Status::Grpc(Code::Internal), "the answer holds no reply"),
        (Code::ResourceExhausted, message) if lacks_memory => (Status::MemoryAllocationFailed, message),
        (Code::Unimplemented, "") => (Status::Grpc(Code::Unimplemented), "the ingress has no route to this function"),
        (code, message) => (Status::Grpc(code), message),
    };
    Failure { origin, ..Failure::new(kind, error) }
}
