//! The one place where errors become gRPC statuses.
//!
//! | status | when |
//! | --- | --- |
//! | INVALID_ARGUMENT | bad input, with `google.rpc.BadRequest`: one field violation for each fault |
//! | NOT_FOUND | there is no such run |
//! | ALREADY_EXISTS | the idempotency key belongs to another spec |
//! | FAILED_PRECONDITION | the run's state forbids it; what the daemon would ask (a platform, a Prometheus) is not configured, or does not answer |
//! | RESOURCE_EXHAUSTED | the queue is full, an upload is too large, a client asks too often, too many downloads are under way |
//! | DEADLINE_EXCEEDED | a client that downloads takes nothing for a minute |
//! | ABORTED | another client uploads the same trace |
//! | UNAUTHENTICATED | it is not known who asks |
//! | PERMISSION_DENIED | who asks has not the role that the method needs |
//! | UNAVAILABLE | the daemon is shutting down |
//! | INTERNAL | the state directory can't be read or written |

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{access::Refusal, registry::RegistryError, scrape::QueryError, spec::Violation, traces::UploadError};

/// Bad input, every fault by its field.
pub(super) fn invalid(violations: &[Violation]) -> Status {
    let mut details = ErrorDetails::new();
    for Violation { field, description } in violations {
        details.add_bad_request_violation(field.as_str(), description.as_str());
    }
    let words: Vec<_> = violations.iter().map(ToString::to_string).collect();
    Status::with_error_details(Code::InvalidArgument, words.join("; "), details)
}

/// Somebody who may not.
pub(super) fn refused(refusal: &Refusal) -> Status {
    let code = match refusal {
        Refusal::Unknown(_) => Code::Unauthenticated,
        Refusal::NotEnough { .. } => Code::PermissionDenied,
        Refusal::TooMany { .. } => Code::ResourceExhausted,
    };
    Status::new(code, refusal.to_string())
}

/// One fault.
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
            // UNAVAILABLE would say that the daemon itself is away.
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

/// A task of the daemon that broke.
pub(super) fn broken(error: &tokio::task::JoinError) -> Status {
    Status::internal(format!("the request broke: {error}"))
}
