//! What a mode may need before its plan can be made or its load can be measured: a trace, a warm-up.

use std::{path::PathBuf, time::Duration};

use loader_trace::Options;

/// The trace that a mode replays.
#[derive(Debug, Clone)]
pub struct TraceInput {
    /// Where the trace is read from.
    pub source: TraceSource,
    /// How it is read.
    pub options: Options,
}

/// Where a trace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraceSource {
    /// A directory on the daemon's machine.
    Path(PathBuf),
    /// The id of an uploaded trace.
    Upload(String),
}

/// The part of a trace that is not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warmup {
    /// The first part, from which each function's need is taken.
    pub profile: Duration,
    /// How long the autoscaler is held.
    pub hold: Duration,
    /// Maximum settling time, after the autoscaler was released.
    pub settle: Duration,
}

impl Warmup {
    /// Maximum length of the warm-up.
    pub fn longest(&self) -> Duration {
        self.hold + self.settle
    }
}
