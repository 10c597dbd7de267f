//! The one place where errors become gRPC statuses.
//!
//! | status | when |
//! | --- | --- |
//! | INVALID_ARGUMENT | bad input, with `google.rpc.BadRequest`: one field violation for each fault |
//! | NOT_FOUND | the run, the study or the trace does not exist |
//! | ALREADY_EXISTS | the idempotency key belongs to another spec |
//! | FAILED_PRECONDITION | the run's or the study's state forbids it; a platform or Prometheus is not configured, or does not answer |
//! | RESOURCE_EXHAUSTED | a queue is full, an upload is too large, a client sends too many requests, too many downloads are in progress |
//! | DEADLINE_EXCEEDED | the client of a download reads nothing for a minute, that of an upload sends nothing |
//! | UNAUTHENTICATED | the caller is unknown |
//! | PERMISSION_DENIED | the caller does not have the role that the method needs, or the run or the study is another's |
//! | UNAVAILABLE | the daemon is shutting down |
//! | INTERNAL | the state directory cannot be read or written |

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{
    access::Refusal, registry::RegistryError, scrape::QueryError, spec::Violation, studies::StudiesError,
    traces::UploadError,
};

/// Most faults in a status, beside the count of the others.
const MOST_FAULTS: usize = 20;

/// Most bytes of a status in the headers of a response. Clients take 16 KiB of headers or less.
const MOST_BYTES: usize = 8 << 10;

/// Most bytes of a status's message. It is sent with up to three bytes for each.
const LONGEST_MESSAGE: usize = 1 << 10;

/// Most bytes of a fault's field.
const LONGEST_FIELD: usize = 128;

/// Most bytes of a fault's description.
const LONGEST_DESCRIPTION: usize = 256;

/// Invalid input: the first faults, by their fields, as far as a response has room for them, and how many more there are.
pub(super) fn invalid(violations: &[Violation]) -> Status {
    let named: Vec<_> = violations.iter().filter(|it| it.unnamed() == 0).map(shortened).collect();
    let unnamed: usize = violations.iter().map(Violation::unnamed).sum();
    let of_first = |count: usize| of_faults(&named[..count], named.len() - count + unnamed);
    let counts = (1..=named.len().min(MOST_FAULTS)).rev();
    counts.map(of_first).find(|status| sized(status) <= MOST_BYTES).unwrap_or_else(|| of_first(0))
}

fn of_faults(shown: &[Violation], rest: usize) -> Status {
    let more = (rest > 0).then(|| Violation::more(rest));
    let all: Vec<_> = shown.iter().chain(&more).collect();
    let mut details = ErrorDetails::new();
    for Violation { field, description, .. } in &all {
        details.add_bad_request_violation(field.as_str(), description.as_str());
    }
    let message: Vec<_> = all.iter().map(|fault| fault.to_string()).collect();
    Status::with_error_details(Code::InvalidArgument, clipped(&message.join("; "), LONGEST_MESSAGE), details)
}

/// A fault whose texts are short enough to be shown.
fn shortened(Violation { field, description, .. }: &Violation) -> Violation {
    Violation::new(clipped(field, LONGEST_FIELD), clipped(description, LONGEST_DESCRIPTION))
}

/// Upper bound of the bytes of a status in the headers of a response: its message with each byte escaped, and its details.
fn sized(status: &Status) -> usize {
    3 * status.message().len() + status.details().len() * 4 / 3
}

/// The beginning of a text, of at most `most` bytes.
fn clipped(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    const CUT: &str = "…";
    format!("{}{CUT}", &text[..text.floor_char_boundary(most - CUT.len())])
}

/// A status whose text comes from elsewhere, such as a platform's error.
pub(super) fn foreign(code: Code, text: &str) -> Status {
    Status::new(code, clipped(text, LONGEST_MESSAGE))
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
            RegistryError::NotOwner { .. } => Code::PermissionDenied,
            RegistryError::QueueFull => Code::ResourceExhausted,
            RegistryError::ShuttingDown => Code::Unavailable,
            RegistryError::Store(_) => Code::Internal,
        };
        foreign(code, &error.to_string())
    }
}

impl From<StudiesError> for Status {
    fn from(error: StudiesError) -> Self {
        let code = match &error {
            StudiesError::Empty | StudiesError::NotFound(_) => Code::NotFound,
            StudiesError::NotEnded(_) | StudiesError::NotAwaited(_) => Code::FailedPrecondition,
            StudiesError::NotOwner { .. } => Code::PermissionDenied,
            StudiesError::QueueFull => Code::ResourceExhausted,
            StudiesError::ShuttingDown => Code::Unavailable,
            StudiesError::Store(_) => Code::Internal,
        };
        foreign(code, &error.to_string())
    }
}

impl From<QueryError> for Status {
    fn from(error: QueryError) -> Self {
        match &error {
            QueryError::Refused(reason) => fault("expression", reason.clone()),
            // Not UNAVAILABLE, which means the daemon itself.
            QueryError::Url { .. } | QueryError::Unreachable { .. } => {
                foreign(Code::FailedPrecondition, &error.to_string())
            }
        }
    }
}

impl From<UploadError> for Status {
    fn from(error: UploadError) -> Self {
        let code = match &error {
            UploadError::Invalid(violations) => return invalid(violations),
            UploadError::TooLarge { .. }
            | UploadError::TooMany { .. }
            | UploadError::TooManyOfClient { .. }
            | UploadError::Full { .. }
            | UploadError::FullOfClient { .. } => Code::ResourceExhausted,
            UploadError::Io { .. } => Code::Internal,
        };
        foreign(code, &error.to_string())
    }
}

/// A task of the daemon that panicked.
pub(super) fn broken(error: &tokio::task::JoinError) -> Status {
    Status::internal(format!("a task of the request failed: {error}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The violations that a client sees.
    fn seen(status: &Status) -> Vec<(String, String)> {
        let violations = status.get_details_bad_request().expect("has details").field_violations;
        violations.into_iter().map(|it| (it.field, it.description)).collect()
    }

    #[test]
    fn few_faults_are_shown_as_they_are() {
        let faults = [Violation::new("seed", "is odd"), Violation::new("mode", "is missing")];
        let status = invalid(&faults);
        assert_eq!(status.message(), "seed: is odd; mode: is missing");
        assert_eq!(seen(&status), faults.map(|fault| (fault.field, fault.description)));
    }

    #[test]
    fn all_but_the_first_faults_are_counted() {
        let mut faults: Vec<_> = (0..900).map(|index| Violation::new(format!("list[{index}]"), "is odd")).collect();
        faults.push(Violation::more(100));
        let seen = seen(&invalid(&faults));
        let (more, named) = seen.split_last().expect("has some");
        assert!((1..=MOST_FAULTS).contains(&named.len()), "{named:?}");
        assert_eq!(more.1, format!("and {} more faults", 1000 - named.len()));
    }

    proptest! {
        #[test]
        fn a_status_fits_into_headers(faults in prop::collection::vec((".{0,9000}", ".{0,9000}"), 1..40)) {
            let faults: Vec<_> = faults.iter().map(|(field, text)| Violation::new(field, text)).collect();
            let status = invalid(&faults);
            let mut headers = http::HeaderMap::new();
            status.add_header(&mut headers).expect("can be sent");
            let sent: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
            prop_assert!(sent <= MOST_BYTES + 100, "{sent} bytes");
            for (field, text) in seen(&status) {
                prop_assert!(field.len() <= LONGEST_FIELD && text.len() <= LONGEST_DESCRIPTION);
            }
        }
    }
}
