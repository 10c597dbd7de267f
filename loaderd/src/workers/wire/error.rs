use crate::spec::LONGEST;

/// A message that is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// A batch that can't be unpacked.
    #[error("a batch of events cannot be decompressed: {0}")]
    Compression(#[source] std::io::Error),
    /// What is no message.
    #[error("an event cannot be decoded: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// What is no batch of events.
    #[error("a batch of events has something else in it")]
    NoEvents,
    /// Too much of something.
    #[error("{what}: {found}; at most {most}")]
    TooMuch {
        /// Of what, with its unit.
        what: &'static str,
        /// How much it is.
        found: u64,
        /// How much it may be.
        most: u64,
    },
    /// A part that must be there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A name, a number or an index of nothing.
    #[error("there is no {what} {value:?}")]
    Unknown {
        /// What it should name.
        what: &'static str,
        /// As given.
        value: String,
    },
    /// An invocation of a plan that is not shared.
    #[error("an invocation has no place in a plan that is shared")]
    NotShared,
}

/// The longest time that a message may have, nanoseconds: that of a run, and as much again for its end.
const MOST_NANOS: u64 = 2 * LONGEST.as_secs() * 1_000_000_000;

/// A time, unless it is too long.
pub(super) fn bounded(nanos: u64) -> Result<u64, WireError> {
    within("nanoseconds", nanos, MOST_NANOS)
}

/// A number, unless it is too large.
pub(super) fn within(what: &'static str, found: u64, most: u64) -> Result<u64, WireError> {
    if found > most { Err(WireError::TooMuch { what, found, most }) } else { Ok(found) }
}

/// What a name, a number or an index stands for.
pub(super) fn known<T>(found: Option<T>, what: &'static str, value: impl ToString) -> Result<T, WireError> {
    found.ok_or_else(|| WireError::Unknown { what, value: value.to_string() })
}
