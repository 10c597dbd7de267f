//! Why workers are not coordinated, or not ready.

use std::time::Duration;

use super::certificate::CertificateError;
use crate::listener::ListenError;

/// Workers that a message names; of the others it gives the number.
const NAMED: usize = 8;

/// There is no listener for the workers of a run.
#[derive(Debug, thiserror::Error)]
pub enum NoListener {
    /// Its address can't be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// It has no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The address that workers are given is none.
    #[error("workers can't reach the coordinator at {0:?}: give host:port")]
    Address(String),
}

/// Why the workers of a run are not ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// One of them can't be.
    #[error("{0}")]
    Failed(String),
    /// Some of them are not in time.
    #[error("workers are not ready within {}: {}", humantime::format_duration(*.within), named(.missing))]
    TimedOut {
        /// How long all together had.
        within: Duration,
        /// The index of each that is not ready, with what is known of it.
        missing: Vec<(u16, String)>,
    },
    /// The coordinator has ended.
    #[error("the coordinator of workers has ended; this is a bug in loaderd, see its log")]
    Ended,
}

fn named(missing: &[(u16, String)]) -> String {
    let mut names: Vec<_> = missing.iter().take(NAMED).map(|(index, why)| format!("worker {index} ({why})")).collect();
    let more = missing.len().saturating_sub(NAMED);
    names.extend((more > 0).then(|| format!("and {more} more")));
    names.join(", ")
}
