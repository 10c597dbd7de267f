//! The one place where errors become gRPC statuses.
//!
//! | status | when |
//! | --- | --- |
//! | INVALID_ARGUMENT | bad input, with `google.rpc.BadRequest`: one field violation for each fault |
//! | NOT_FOUND | the run does not exist |
//! | ALREADY_EXISTS | the idempotency key belongs to another spec |
//! | FAILED_PRECONDITION | the run's state forbids it; a platform or Prometheus is not configured, or does not answer |
//! | RESOURCE_EXHAUSTED | the queue is full, an upload is too large, a client sends too many requests, too many downloads are in progress |
//! | DEADLINE_EXCEEDED | the client of a download reads nothing for a minute |
//! | ABORTED | another client uploads the same trace |
//! | UNAUTHENTICATED | the caller is unknown |
//! | PERMISSION_DENIED | the caller does not have the role that the method needs |
//! | UNAVAILABLE | the daemon is shutting down |
//! | INTERNAL | the state directory cannot be read or written |

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{access::Refusal, registry::RegistryError, scrape::QueryError, spec::Violation, traces::UploadError};

/// Invalid input: every fault, by its field.
pub(super) fn invalid(violations: &[Violation]) -> Status {
    let mut details = ErrorDetails::new();
    for Violation { field, description } in violations {
        details.add_bad_request_violation(field.as_str(), description.as_str());
    }
    let message: Vec<_> = violations.iter().map(ToString::to_string).collect();
    Status::with_error_details(Code::InvalidArgument, message.join("; "), details)
}

/// A request that the gate refused.
pub(super) fn refused(refusal: &Refusal) -> Status {
    let code = match refusal {
        Refusal::Unknown(_) => Code::Unauthenticated,
        Refusal::NotEnough { .. } => Code::PermissionDenied,
        Refusal::TooMany { .. } => Code::ResourceExhausted,
    };
    Status::new(code, refusal.to_string())
}

/// Invalid input: one fault.
pub(super) fn fault(field: &str, description: impl Into<String>) -> Status {
    invalid(&[Violation::new(field, description)])
}

impl From<RegistryError> for Status {
    fn from(error: RegistryError) -> Self {
        let code = match &error {
            RegistryError::Empty | RegistryError::NotFound(_) => Code::NotFound,
            RegistryError::KeyTaken(_) => Code::AlreadyExists,
            RegistryError::NotEnded { .. } | RegistryError::Pinned(_) => Code::FailedPrecondition,
            RegistryError::QueueFull => Code::ResourceExhausted,
            RegistryError::ShuttingDown => Code::Unavailable,
            RegistryError::Store(_) => Code::Internal,
        };
        Self::new(code, error.to_string())
    }
}

impl From<QueryError> for Status {
    fn from(error: QueryError) -> Self {
        match &error {
            QueryError::Refused(reason) => fault("expression", reason.clone()),
            // Not UNAVAILABLE, which means the daemon itself.
            QueryError::Url { .. } | QueryError::Unreachable { .. } => Self::failed_precondition(error.to_string()),
        }
    }
}

impl From<UploadError> for Status {
    fn from(error: UploadError) -> Self {
        let code = match &error {
            UploadError::Invalid(violations) => return invalid(violations),
            UploadError::TooLarge { .. } | UploadError::TooMany { .. } | UploadError::TooManyOfClient { .. } => {
                Code::ResourceExhausted
            }
            UploadError::UnderWay => Code::Aborted,
            UploadError::Io { .. } => Code::Internal,
        };
        Self::new(code, error.to_string())
    }
}

/// A task of the daemon that panicked.
pub(super) fn broken(error: &tokio::task::JoinError) -> Status {
    Status::internal(format!("a task of the request failed: {error}"))
}
