//! The outcome of one invocation.

use std::{borrow::Cow, time::Duration};

use loader_proto::schema::InvocationRecord;
use tokio::time::Instant;
use tonic::Code;

use super::waited::Waited;
use crate::clock::UnixMicros;
use crate::units;

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The function did what was requested.
    Ok,
    /// No connection in time.
    ConnectTimeout,
    /// The connection could not be made.
    ConnectError,
    /// Sent, and no answer in time.
    FunctionTimeout,
    /// The function could not allocate the memory.
    MemoryAllocationFailed,
    /// Any other gRPC status.
    Grpc(Code),
    /// An HTTP status that is no function's success: a gateway's answer, or a failure of a function that is called by plain
    /// HTTP.
    Http(u16),
    /// The run was cancelled while it was in flight.
    Cancelled,
    /// It was still in flight when the run's drain timeout was over.
    Unfinished,
    /// The loader did not send it.
    NotSent,
}

impl Status {
    /// The status as written to invocations.csv.
    pub fn as_str(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Ok => "ok",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectError => "connect_error",
            Self::FunctionTimeout => "function_timeout",
            Self::MemoryAllocationFailed => "memory_allocation_failed",
            Self::Grpc(code) => code_name(code),
            Self::Http(status) => return Cow::Owned(format!("http_{status}")),
            Self::Cancelled => "cancelled",
            Self::Unfinished => "unfinished",
            Self::NotSent => "not_sent",
        })
    }

    /// The status that is written so; absent where there is none.
    pub fn named(name: &str) -> Option<Self> {
        const PLAIN: [Status; 8] = [
            Status::Ok,
            Status::ConnectTimeout,
            Status::ConnectError,
            Status::FunctionTimeout,
            Status::MemoryAllocationFailed,
            Status::Cancelled,
            Status::Unfinished,
            Status::NotSent,
        ];
        let is_named = |status: &Self| status.as_str() == name;
        if let Some(status) = name.strip_prefix("http_") {
            return status.parse().ok().map(Self::Http).filter(is_named);
        }
        let codes = (0..=16).map(|code| Self::Grpc(Code::from_i32(code)));
        PLAIN.into_iter().chain(codes).find(is_named)
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "grpc_OK",
        Code::Cancelled => "grpc_CANCELLED",
        Code::Unknown => "grpc_UNKNOWN",
        Code::InvalidArgument => "grpc_INVALID_ARGUMENT",
        Code::DeadlineExceeded => "grpc_DEADLINE_EXCEEDED",
        Code::NotFound => "grpc_NOT_FOUND",
        Code::AlreadyExists => "grpc_ALREADY_EXISTS",
        Code::PermissionDenied => "grpc_PERMISSION_DENIED",
        Code::ResourceExhausted => "grpc_RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "grpc_FAILED_PRECONDITION",
        Code::Aborted => "grpc_ABORTED",
        Code::OutOfRange => "grpc_OUT_OF_RANGE",
        Code::Unimplemented => "grpc_UNIMPLEMENTED",
        Code::Internal => "grpc_INTERNAL",
        Code::Unavailable => "grpc_UNAVAILABLE",
        Code::DataLoss => "grpc_DATA_LOSS",
        Code::Unauthenticated => "grpc_UNAUTHENTICATED",
    }
}

/// The outcome of one invocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How the invocation ended.
    pub status: Status,
    /// The error message; empty without an error.
    pub error: String,
    /// When the request was written, with leave of the peer's limit of streams and flow control.
    pub sent: Option<Instant>,
    /// How long this call waited for a connection to be made; absent when one was open.
    pub connect: Option<Duration>,
    /// How long this call waited for a free stream or for flow control; absent when it did not wait.
    pub stream_wait: Option<Duration>,
    /// The peer's limit of concurrent streams on a connection, if this call waited for it.
    pub stream_limit: Option<u32>,
    /// From the send until the end of the answer arrived; absent when there was none.
    pub response: Option<Duration>,
    /// From the arrival of the answer until this process had read it; absent when there was none.
    pub receive_lag: Option<Duration>,
    /// Bytes of the answer's body, as far as it was read; absent when there was none.
    pub response_bytes: Option<u64>,
    /// Run time that the function measured, in microseconds.
    pub runtime_us: Option<u32>,
    /// Whether the function was asked for the exact run time, as its answer says: `false` where it answered and did not say
    /// that it follows exact run times; absent where no answer of the function says so.
    pub exact_runtime: Option<bool>,
    /// Memory that the function held, in KiB.
    pub memory_kib: Option<u32>,
    /// The instance that answered; empty when it did not report its name.
    pub instance: String,
    /// Whether this was the instance's first invocation; absent when it did not report that.
    pub cold_start: Option<bool>,
    /// When the instance started; absent when it did not report that.
    pub instance_started: Option<UnixMicros>,
}

/// What a function reported in its reply.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Reply {
    pub(super) runtime_us: Option<u32>,
    pub(super) memory_kib: Option<u32>,
    pub(super) origin: Origin,
}

/// The instance that answered, as reported in the response's metadata.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Origin {
    /// Whether it says that it followed the exact run time.
    pub(super) exact_runtime: bool,
    pub(super) instance: String,
    pub(super) cold_start: Option<bool>,
    pub(super) started: Option<UnixMicros>,
}

/// Why there was no reply.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) status: Status,
    pub(super) error: String,
    pub(super) origin: Origin,
}

impl Failure {
    pub(super) fn new(status: Status, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), origin: Origin::default() }
    }

    /// An answer that violates its protocol.
    pub(super) fn internal(error: impl Into<String>) -> Self {
        Self::new(Status::Grpc(Code::Internal), error)
    }
}

impl Outcome {
    /// The outcome of an invocation without measurements.
    pub fn bare(status: Status, error: impl Into<String>) -> Self {
        Self {
            status,
            error: error.into(),
            sent: None,
            connect: None,
            stream_wait: None,
            stream_limit: None,
            response: None,
            receive_lag: None,
            response_bytes: None,
            runtime_us: None,
            exact_runtime: None,
            memory_kib: None,
            instance: String::new(),
            cold_start: None,
            instance_started: None,
        }
    }

    /// The columns of invocations.csv that were observed. The others, of when and for what the invocation was made, are at
    /// their defaults.
    pub fn record(&self) -> InvocationRecord<'_> {
        let Self {
            status,
            error,
            sent: _,
            connect,
            stream_wait,
            stream_limit: _,
            response,
            receive_lag,
            response_bytes,
            runtime_us,
            exact_runtime: _,
            memory_kib,
            instance,
            cold_start,
            instance_started,
        } = self;
        let micros = |duration: Duration| units::micros(duration);
        InvocationRecord {
            connect_us: connect.map(micros),
            response_us: response.map(micros),
            actual_runtime_us: runtime_us.map(u64::from),
            actual_memory_kib: memory_kib.map(u64::from),
            status: status.as_str(),
            error: error.into(),
            instance: instance.into(),
            cold_start: *cold_start,
            instance_started_unix_us: instance_started.map(|UnixMicros(at)| at),
            response_bytes: *response_bytes,
            stream_wait_us: stream_wait.map(micros),
            receive_lag_us: receive_lag.map(micros),
            ..InvocationRecord::default()
        }
    }

    pub(super) fn unsent(failure: Failure) -> Self {
        Self::bare(failure.status, failure.error)
    }

    pub(super) fn timed_out(timeout: Duration) -> Self {
        Self::bare(Status::FunctionTimeout, format!("no answer within {}", humantime::format_duration(timeout)))
    }

    /// The outcome of an invocation that waited so before it was sent, or was not.
    pub(super) fn after(self, waited: Waited) -> Self {
        let Waited { connect, stream, stream_limit } = waited;
        Self { connect, stream_wait: stream, stream_limit, ..self }
    }

    /// The outcome of an invocation with this reply, without its measurements.
    pub(super) fn replied(reply: Result<Reply, Failure>) -> Self {
        let (outcome, origin) = match reply {
            Ok(Reply { runtime_us, memory_kib, origin }) => {
                (Self { runtime_us, exact_runtime: Some(false), memory_kib, ..Self::bare(Status::Ok, "") }, origin)
            }
            Err(Failure { status, error, origin }) => (Self::bare(status, error), origin),
        };
        outcome.reported_by(origin)
    }

    fn reported_by(self, origin: Origin) -> Self {
        let Origin { exact_runtime, instance, cold_start, started } = origin;
        // A failure that says nothing may be a gateway's.
        let exact_runtime = if exact_runtime { Some(true) } else { self.exact_runtime };
        Self { exact_runtime, instance, cold_start, instance_started: started, ..self }
    }
}
