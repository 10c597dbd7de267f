//! Why a stream or a connection has ended before its time.

use std::fmt;

use tonic::Code as GrpcCode;

use crate::invoke::outcome::{Failure, Status};

/// An error code of HTTP/2 (RFC 9113, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) u32);

impl Code {
    pub(super) const NO_ERROR: Self = Self(0);
    pub(super) const PROTOCOL_ERROR: Self = Self(1);
    pub(super) const FLOW_CONTROL_ERROR: Self = Self(3);
    pub(super) const FRAME_SIZE_ERROR: Self = Self(6);
    pub(super) const REFUSED_STREAM: Self = Self(7);
    pub(super) const CANCEL: Self = Self(8);
    pub(super) const COMPRESSION_ERROR: Self = Self(9);
    pub(super) const ENHANCE_YOUR_CALM: Self = Self(11);
    pub(super) const INADEQUATE_SECURITY: Self = Self(12);

    const NAMES: [&'static str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.get(self.0 as usize) {
            Some(name) => f.write_str(name),
            None => write!(f, "error {}", self.0),
        }
    }
}

/// Why a stream or a connection has ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ended {
    /// Reading or writing failed.
    #[error("{0}")]
    Broken(String),
    #[error("the peer closed the connection")]
    Closed,
    /// GOAWAY, with what the peer added to it.
    #[error("the peer winds the connection up (GOAWAY {code}{more})")]
    WoundUp { code: Code, more: String },
    #[error("the peer reset the stream ({0})")]
    Reset(Code),
    #[error("the peer violates HTTP/2: {0}")]
    Violation(String),
    #[error("the connection has no stream numbers left")]
    UsedUp,
}

impl Ended {
    /// The failure of a call that ended so: a broken stream as the gRPC specification maps codes of HTTP/2, a broken
    /// connection as UNAVAILABLE.
    pub(super) fn failure(&self) -> Failure {
        let code = match *self {
            Self::Broken(_) | Self::Closed | Self::WoundUp { .. } | Self::UsedUp => GrpcCode::Unavailable,
            Self::Reset(Code::REFUSED_STREAM) => GrpcCode::Unavailable,
            Self::Reset(Code::CANCEL) => GrpcCode::Cancelled,
            Self::Reset(Code::ENHANCE_YOUR_CALM) => GrpcCode::ResourceExhausted,
            Self::Reset(Code::INADEQUATE_SECURITY) => GrpcCode::PermissionDenied,
            Self::Reset(_) | Self::Violation(_) => GrpcCode::Internal,
        };
        Failure::new(Status::Grpc(code), self.to_string())
    }
}

/// What ends a connection for good: a violation by the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) code: Code,
    pub(super) what: String,
}

impl Violation {
    pub(super) fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into() }
    }

    pub(super) fn protocol(what: &'static str) -> Self {
        Self::new(Code::PROTOCOL_ERROR, what)
    }
}
