//! One invocation of a plan.

use std::time::Duration;

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
    /// Load that is measured.
    Measure,
}

impl Phase {
    /// The phase as written to invocations.csv.
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
    /// Nothing is special about it.
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
    /// The mark as written to invocations.csv; empty for none.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::StepWarmup => "step_warmup",
            Self::Extra(name) => name,
            Self::Cold => "cold",
        }
    }

    /// The mark that is written so, of a mode that has these names for extra invocations; absent where there is none.
    pub fn named(name: &str, extra: &'static [&'static str]) -> Option<Self> {
        let plain = [Self::None, Self::StepWarmup, Self::Cold].into_iter();
        plain.chain(extra.iter().copied().map(Self::Extra)).find(|mark| mark.as_str() == name)
    }
}

/// The function that an invocation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The function with this index.
    Function(FunctionIndex),
    /// Any function of [`super::Plan::cold_pool`] that is at scale zero when the invocation is due.
    Cold {
        /// The function to call when none is.
        otherwise: FunctionIndex,
    },
}

/// Where an invocation stands in the whole plan, of which only a share is sent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Its number in the plan, from 0, in the order of due times.
    pub ordinal: u64,
    /// Its number in its unit of time, from 0: that of its id.
    pub number: u64,
    /// Run time to ask for, rounded to milliseconds as in the whole plan; absent where its function is known only when it is due.
    pub runtime_ms: Option<u32>,
}

/// One invocation of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Invocation {
    /// When it is due.
    pub due: Offset,
    /// The function that it is for.
    pub target: Target,
    /// Run time to ask for, in microseconds.
    pub runtime_us: u32,
    /// Memory to ask for, in MiB.
    pub memory_mib: u32,
    /// Whether its run time or memory was clamped.
    pub clamped: bool,
    /// What is special about it.
    pub mark: Mark,
    /// Its place in the whole plan; absent where the whole plan is sent here.
    pub place: Option<Place>,
}

/// The unit of time in which invocations are numbered: the i-th invocation due in second u is `sec<u>.inv<i>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// The i-th invocation of a minute: `min<u>.inv<i>`.
    Minute,
    /// The i-th invocation of a second: `sec<u>.inv<i>`.
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
