//! How an invocation spends its run time and its memory.

use std::{fmt, str::FromStr};

/// The clock by which a run time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RuntimeClock {
    /// The invocation is busy until the time since its receipt has passed: its duration is exact, and a neighbour takes CPU
    /// from it.
    #[default]
    Wall,
    /// The invocation is busy until its thread has consumed the time: its work is exact, and a neighbour or a CPU limit
    /// stretches its duration.
    Cpu,
}

impl RuntimeClock {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Wall, Self::Cpu];

    /// As in flags, variables and metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Cpu => "cpu",
        }
    }
}

/// A name that is no clock's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no clock; there are: wall, cpu")]
pub struct UnknownClock(String);

impl FromStr for RuntimeClock {
    type Err = UnknownClock;

    fn from_str(name: &str) -> Result<Self, UnknownClock> {
        Self::ALL.into_iter().find(|clock| clock.as_str() == name).ok_or_else(|| UnknownClock(name.to_owned()))
    }
}

impl fmt::Display for RuntimeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What fills the run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labour {
    /// Floating-point work, by the clock.
    Compute,
    /// So many steps of it for each millisecond asked for, as old manifests have it.
    Steps(u64),
    /// Nothing but looking at the wall clock.
    Watch,
    /// Sleep: a pitfall to show, for it takes no CPU.
    Sleep,
}

/// What becomes of the memory that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryUse {
    /// All of it is written to.
    Touched,
    /// Half of it is.
    HalfTouched,
    /// It is mapped and not touched: a pitfall to show, for it takes no memory.
    Untouched,
}

/// How invocations spend what they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// What fills the run time.
    pub labour: Labour,
    /// What becomes of the memory.
    pub memory: MemoryUse,
    /// The clock, where the request names none.
    pub clock: RuntimeClock,
    /// The share of the run time that is waited instead, in percent, up to 100.
    pub io_percentage: u8,
}

impl Default for Habits {
    fn default() -> Self {
        Self { labour: Labour::Compute, memory: MemoryUse::Touched, clock: RuntimeClock::Wall, io_percentage: 0 }
    }
}
