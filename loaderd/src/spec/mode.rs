//! What the modes are asked for, every default filled in.

use std::{path::PathBuf, time::Duration};

use loader_trace::{Clamp, Format};

use super::Ramp;

/// The plan that a spec asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// Replay a production trace.
    Trace(TraceSpec),
    /// Find how much a platform holds by raising the rate.
    Rps(RpsSpec),
    /// Show how a burst on one function hurts another.
    Burst(BurstSpec),
    /// Hold a rate while a given number of cold starts happens in each slot.
    ColdStart(ColdStartSpec),
}

impl Mode {
    /// As in a spec.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Trace(_) => "trace",
            Self::Rps(_) => "rps",
            Self::Burst(_) => "burst",
            Self::ColdStart(_) => "coldstart",
        }
    }
}

/// What each invocation asks for, in the modes where all ask for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Run time; at most an hour.
    pub runtime: Duration,
    /// Memory, in MiB.
    pub memory_mib: u32,
}

/// Replays per-function invocation counts of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSpec {
    /// What to replay.
    pub source: TraceSource,
    /// Its format; `None`: told by its files.
    pub format: Option<Format>,
    /// Which day, where there are several.
    pub day: Option<u32>,
    /// How many units of granularity are replayed; `None`: all.
    pub units: Option<usize>,
    /// What one column of the trace lasts.
    pub granularity: Granularity,
    /// Whether functions without durations or memory are left out instead of refused.
    pub skip_incomplete: bool,
    /// What drawn run times are held to.
    pub runtime: Clamp<Duration>,
    /// What drawn memory is held to, in MiB.
    pub memory_mib: Clamp<u32>,
    /// What of it comes before the measured part.
    pub warmup: Option<Warmup>,
}

/// The part of a trace that is not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warmup {
    /// The first part, from which each function's need is taken.
    pub profile: Duration,
    /// How long the autoscaler is held.
    pub hold: Duration,
    /// Most time that it then gets to settle.
    pub settle: Duration,
}

impl Warmup {
    /// The longest that it takes.
    pub fn longest(&self) -> Duration {
        self.hold + self.settle
    }
}

/// Where a trace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraceSource {
    /// A directory on the daemon's machine.
    Path(PathBuf),
    /// The id of an uploaded trace.
    Upload(String),
}

/// What one column of a trace lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// A minute.
    Minute,
    /// A second.
    Second,
}

impl Granularity {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Minute, Self::Second];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }

    /// How long it is, in seconds.
    pub const fn as_secs(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::Second => 1,
        }
    }
}

/// Raises the rate step by step until the platform no longer holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct RpsSpec {
    /// The rates.
    pub ramp: Ramp,
    /// Length of a slot.
    pub slot: Duration,
    /// Functions that are called in turn, at least 1.
    pub functions: u32,
    /// What each invocation asks for.
    pub size: Size,
    /// The share of cold functions, if there is any.
    pub cold: Option<ColdShare>,
}

/// The share of a rate that goes to functions that are cold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColdShare {
    /// Above 0, up to 1.
    pub ratio: f64,
    /// The time that a function needs to scale to zero.
    pub cooldown: Duration,
}

impl ColdShare {
    /// How many functions must take turns at a total rate of `rate` invocations per second, so that each is called at
    /// most once in its cooldown.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
    pub fn functions(&self, rate: f64) -> u32 {
        (rate * self.ratio * self.cooldown.as_secs_f64()).ceil().max(1.0) as u32
    }
}

/// Three functions: a climbing rate, a hold, and in its middle a burst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BurstSpec {
    /// The rate climbs 1, 2, … to this, invocations per second.
    pub target_rps: u32,
    /// Extra invocations within one second.
    pub burst: u32,
    /// How long the rate holds at `target_rps`, at least 2 s.
    pub hold: Duration,
    /// How long each rate of the climb lasts.
    pub step_duration: Duration,
    /// What each invocation asks for.
    pub size: Size,
}

impl BurstSpec {
    /// How long the burst lasts.
    pub const BURST: Duration = Duration::from_secs(1);

    /// When the hold begins, and when the burst in its middle begins and ends, from the start of the load.
    pub fn burst_window(&self) -> (Duration, Duration, Duration) {
        let hold = self.step_duration.saturating_mul(self.target_rps);
        let begin = hold + (self.hold.saturating_sub(Self::BURST)) / 2;
        (hold, begin, begin + Self::BURST)
    }
}

/// Holds a rate while a given number of cold starts happens in each slot.
#[derive(Debug, Clone, PartialEq)]
pub struct ColdStartSpec {
    /// Rate of the first slot, invocations per second.
    pub start: f64,
    /// By how much the rate rises from slot to slot.
    pub step: f64,
    /// Cold starts for each slot; starts over when there are more slots. Not empty.
    pub cold_starts: Vec<u32>,
    /// Functions: one hot, the others cold; at least 2.
    pub functions: u32,
    /// Length of a slot.
    pub slot: Duration,
    /// How many slots, at least 1.
    pub slots: u32,
    /// What each invocation asks for.
    pub size: Size,
}

impl ColdStartSpec {
    /// The rate of a slot, in invocations per second.
    pub fn rate(&self, slot: u32) -> f64 {
        self.start + f64::from(slot) * self.step
    }

    /// The cold starts of a slot.
    pub fn cold_starts(&self, slot: u32) -> u32 {
        // The remainder is in bounds because validation refuses an empty list; for none there is nothing to ask for.
        let place = (slot as usize).checked_rem(self.cold_starts.len());
        place.map_or(0, |place| self.cold_starts[place])
    }
}

/// Invocations of a slot at a constant rate: the nearest whole number to `rate` (per second) × `duration`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
pub fn invocations(rate: f64, duration: Duration) -> u32 {
    (rate * duration.as_secs_f64()).round() as u32
}
