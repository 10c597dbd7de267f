//! How an invocation uses its run time and its memory.

use std::{fmt, str::FromStr};

/// The clock by which a run time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RuntimeClock {
    /// The invocation is busy until the time since its receipt has passed: its duration is exact, and co-located load takes
    /// CPU from it.
    #[default]
    Wall,
    /// The invocation is busy until its thread has consumed the time: its work is exact, and co-located load or a CPU
    /// limit stretches its duration.
    Cpu,
}

impl RuntimeClock {
    /// All clocks.
    pub const ALL: [Self; 2] = [Self::Wall, Self::Cpu];

    /// The name in flags, variables and metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Cpu => "cpu",
        }
    }
}

/// The name of a clock that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown clock {0:?}: expected wall or cpu")]
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
pub enum RuntimeUse {
    /// Floating-point work, by the clock.
    Compute,
    /// That number of InVitro's iterations, each a hundred square roots, for each requested millisecond; for old manifests.
    Iterations(u32),
    /// Reading the wall clock, and nothing else.
    Watch,
    /// Sleep, which uses no CPU: the pitfall of a function that only pretends to work.
    Sleep,
}

/// What is done with the requested memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryUse {
    /// Every page is written to.
    Touched,
    /// Half of the pages are written to.
    HalfTouched,
    /// It is mapped and not touched, which uses no memory: the pitfall of a function that only pretends to work.
    Untouched,
}

/// How invocations use what they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// What fills the run time.
    pub runtime: RuntimeUse,
    /// What is done with the memory.
    pub memory: MemoryUse,
    /// The clock by which the run time counts, where the request names none.
    pub clock: RuntimeClock,
    /// The share of the run time that is spent waiting instead, in percent, 0 to 100.
    pub io_percentage: u8,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { runtime: RuntimeUse::Compute, memory: MemoryUse::Touched, clock: RuntimeClock::Wall, io_percentage: 0 }
    }
}
