use std::{
    fs::OpenOptions,
    io::{self, Write as _},
};

/// Where Kubernetes reads why a container ended.
const TERMINATION_LOG: &str = "/dev/termination-log";

/// Leaves the reason of an end where whoever started the process finds it: as the last line of stderr, and in a pod in its termination
/// log.
pub fn leave(reason: &str) {
    // There is nobody left to tell.
    let _closed = writeln!(io::stderr().lock(), "loaderd worker: {reason}");
    // Only a container has it.
    if let Ok(mut log) = OpenOptions::new().write(true).open(TERMINATION_LOG) {
        let _full = log.write_all(reason.as_bytes());
    }
}

/// How a worker's process ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All of its share was taken.
    Dismissed,
    /// The coordinator does not want it, for this reason.
    NotWanted(String),
    /// It has had no coordinator for too long.
    Orphaned(String),
    /// Anything else.
    Failed(String),
}

impl Ending {
    /// The exit code: 0 when all was taken, 3 when it was not wanted, 4 without a coordinator, else 1.
    pub fn code(&self) -> u8 {
        match self {
            Self::Dismissed => 0,
            Self::Failed(_) => 1,
            Self::NotWanted(_) => 3,
            Self::Orphaned(_) => 4,
        }
    }

    /// Why; absent when all is well.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Dismissed => None,
            Self::NotWanted(reason) | Self::Orphaned(reason) | Self::Failed(reason) => Some(reason),
        }
    }
}
