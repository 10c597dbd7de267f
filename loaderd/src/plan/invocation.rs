//! One invocation of a plan, and what it is once it has come due.

use std::time::Duration;

use super::SlotHead;
use crate::id::FunctionIndex;
use crate::units;

/// Whole nanoseconds since the start of the load (t0), rounded once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(u64);

impl Offset {
    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time since the start.
    pub const fn as_duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// The instant that lies `by` later.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(units::nanos(by)))
    }
}

/// What a row counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Load that brings the platform into a steady state; not measured.
    Warmup,
    /// The measured part.
    Measure,
}

impl Phase {
    /// As in invocations.csv.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::Measure => "measure",
        }
    }
}

/// What is special about an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mark {
    /// Nothing.
    #[default]
    None,
    /// It falls into the warm-up of its step and does not count in the slot's statistics.
    StepWarmup,
    /// Its mode sends it on top of the slot's arrivals, of which it is no part; with the mode's name for it.
    Extra(&'static str),
    /// It was meant to find a cold function.
    Cold,
}

impl Mark {
    /// As in invocations.csv.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::StepWarmup => "step_warmup",
            Self::Extra(name) => name,
            Self::Cold => "cold",
        }
    }
}

/// Whom an invocation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// This function.
    Function(FunctionIndex),
    /// Any function of [`super::Plan::cold_pool`] that stands at scale zero when the invocation is due.
    Cold {
        /// The function to call when none is.
        otherwise: FunctionIndex,
    },
}

/// One invocation of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Invocation {
    /// When it is due.
    pub due: Offset,
    /// Whom it is for.
    pub target: Target,
    /// Run time to ask for, in microseconds. On the wire it is rounded to whole milliseconds.
    pub runtime_us: u32,
    /// Memory to ask for, in MiB.
    pub memory_mib: u32,
    /// What is special about it.
    pub mark: Mark,
}

/// The unit of time in which invocations are numbered: the i-th invocation due in second u is `sec<u>.inv<i>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Minutes.
    Minute,
    /// Seconds.
    Second,
}

impl Unit {
    /// Its length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        match self {
            Self::Minute => 60_000_000_000,
            Self::Second => 1_000_000_000,
        }
    }

    /// As in an invocation id.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "min",
            Self::Second => "sec",
        }
    }
}

/// Names an invocation: the `number`-th that came due in the `unit`-th unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvocationId {
    /// What is counted: minutes or seconds.
    pub of: Unit,
    /// Which minute or second since the start of the load.
    pub unit: u64,
    /// Which invocation in it.
    pub number: u64,
}

impl std::fmt::Display for InvocationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}.inv{}", self.of.as_str(), self.unit, self.number)
    }
}

/// What was planned for an invocation that has come due, with its function known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedInvocation {
    /// Its id.
    pub id: InvocationId,
    /// Its slot.
    pub slot: SlotHead,
    /// What is special about it.
    pub mark: Mark,
    /// Its function.
    pub function: FunctionIndex,
    /// When it was due.
    pub due: Offset,
    /// Run time to ask for, in microseconds.
    pub runtime_us: u32,
    /// Memory to ask for, in MiB.
    pub memory_mib: u32,
}

impl PlannedInvocation {
    /// Whether it counts in the statistics of its slot.
    pub fn counts(&self) -> bool {
        self.mark != Mark::StepWarmup
    }

    /// Whether it counts in the distributions of the run.
    pub fn is_measured(&self) -> bool {
        self.counts() && self.slot.phase == Phase::Measure
    }
}
