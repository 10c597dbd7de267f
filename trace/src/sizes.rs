//! How big one invocation is: run time and memory, drawn from a function's percentiles.
//!
//! A trace gives a few percentiles of each function's distribution. Between two of them every value is taken to be
//! equally likely (the inverse of the distribution function is linear there); below the lowest one given, that value
//! is used for all. So no draw lies outside the percentiles.

mod percentiles;

use std::time::Duration;

use percentiles::Percentiles;
pub use percentiles::ProfileError;

use crate::random::StreamRng;

/// The distribution of a function's run time.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeProfile {
    /// In microseconds, the resolution of a draw.
    percentiles: Percentiles<7>,
    /// The average that the trace states, in milliseconds.
    stated_ms: Option<f64>,
}

impl RuntimeProfile {
    /// The percentiles that make a profile.
    pub const PERCENTILES: [u8; 7] = [0, 1, 25, 50, 75, 99, 100];

    /// From the values at [`Self::PERCENTILES`], in milliseconds.
    ///
    /// # Errors
    /// When a value is negative or not finite, or is below the one before it.
    pub fn from_millis(values: [f64; 7]) -> Result<Self, ProfileError> {
        let percentiles = Percentiles::new(&Self::PERCENTILES, values)?;
        Ok(Self { percentiles: percentiles.mapped(|ms| ms * 1000.0), stated_ms: None })
    }

    /// The same with the average that the trace states beside the percentiles, in milliseconds; one that is negative or not
    /// finite is none. Draws do not depend on it.
    pub fn with_average(self, millis: f64) -> Self {
        Self { stated_ms: stated(millis), ..self }
    }

    /// That of invocations that all run equally long.
    pub fn constant(runtime: Duration) -> Self {
        let percentiles = Percentiles::constant(&Self::PERCENTILES, runtime.as_secs_f64() * 1e6);
        Self { percentiles, stated_ms: None }
    }

    /// The average run time in milliseconds: the one that the trace states, or else that of its percentiles.
    pub fn average_ms(&self) -> f64 {
        self.stated_ms.unwrap_or_else(|| self.percentiles.mean(0.0, f64::MAX) / 1000.0)
    }

    /// The values at [`Self::PERCENTILES`], in milliseconds.
    pub fn millis(&self) -> [f64; 7] {
        self.percentiles.values().map(|us| us / 1000.0)
    }

    /// The run time that a share `q` (0 to 1) of invocations does not exceed, to the microsecond.
    pub fn quantile(&self, q: f64) -> Duration {
        micros(self.percentiles.quantile(q))
    }

    /// One invocation's run time. Takes one draw.
    pub fn sample(&self, rng: &mut StreamRng) -> Duration {
        self.quantile(rng.open01())
    }

    /// The mean of the run times that [`Self::sample`] gives after `clamp`.
    pub fn mean(&self, clamp: Clamp<Duration>) -> Duration {
        micros(self.percentiles.mean(clamp.min.as_secs_f64() * 1e6, clamp.max.as_secs_f64() * 1e6))
    }
}

/// The distribution of a function's memory.
///
/// In MiB: traces say MB and mean what the platform calls so; the numbers are taken as they stand, as InVitro does.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryProfile {
    percentiles: Percentiles<8>,
    /// The average that the trace states, in MiB.
    stated_mib: Option<f64>,
}

impl MemoryProfile {
    /// The percentiles that make a profile.
    pub const PERCENTILES: [u8; 8] = [1, 5, 25, 50, 75, 95, 99, 100];

    /// From the values at [`Self::PERCENTILES`], in MiB.
    ///
    /// # Errors
    /// When a value is negative or not finite, or is below the one before it.
    pub fn from_mib(values: [f64; 8]) -> Result<Self, ProfileError> {
        let percentiles = Percentiles::new(&Self::PERCENTILES, values)?;
        Ok(Self { percentiles, stated_mib: None })
    }

    /// The same with the average that the trace states beside the percentiles, in MiB; one that is negative or not finite is
    /// none. Draws do not depend on it.
    pub fn with_average(self, mib: f64) -> Self {
        Self { stated_mib: stated(mib), ..self }
    }

    /// That of invocations that all take as much.
    pub fn constant(mib: u32) -> Self {
        Self { percentiles: Percentiles::constant(&Self::PERCENTILES, mib.into()), stated_mib: None }
    }

    /// The average in MiB: the one that the trace states, or else that of its percentiles.
    pub fn average_mib(&self) -> f64 {
        self.stated_mib.unwrap_or_else(|| self.percentiles.mean(0.0, f64::MAX))
    }

    /// The values at [`Self::PERCENTILES`], in MiB.
    pub fn mib(&self) -> [f64; 8] {
        self.percentiles.values()
    }

    /// One of `parts` equal parts of it, of at least 1 MiB: a function's of its app's. None or one is all of it.
    pub fn part(&self, parts: u32) -> Self {
        let of = |mib: f64| (mib / f64::from(parts.max(1))).max(1.0);
        Self { percentiles: self.percentiles.clone().mapped(of), stated_mib: self.stated_mib.map(of) }
    }

    /// The memory in MiB that a share `q` (0 to 1) of invocations does not exceed, to the nearest MiB.
    pub fn quantile(&self, q: f64) -> u32 {
        whole_mib(self.percentiles.quantile(q))
    }

    /// One invocation's memory in MiB. Takes one draw.
    pub fn sample(&self, rng: &mut StreamRng) -> u32 {
        self.quantile(rng.open01())
    }

    /// The mean, in MiB, of what [`Self::sample`] gives after `clamp`.
    pub fn mean(&self, clamp: Clamp<u32>) -> f64 {
        self.percentiles.mean(clamp.min.into(), clamp.max.into())
    }
}

/// Bounds that a drawn size is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clamp<T> {
    /// The least that is let through.
    pub min: T,
    /// The most that is let through; not below `min`.
    pub max: T,
}

/// A size after a [`Clamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clamped<T> {
    /// The value within the bounds.
    pub value: T,
    /// Whether the drawn size was another.
    pub touched: bool,
}

impl Clamp<Duration> {
    /// Bounds of run time when the spec gives none: 1 ms to 60 s.
    pub const RUNTIME: Self = Self { min: Duration::from_millis(1), max: Duration::from_mins(1) };
}

impl Clamp<u32> {
    /// Bounds of memory when the spec gives none: 1 to 10240 MiB.
    pub const MEMORY_MIB: Self = Self { min: 1, max: 10_240 };
}

impl<T: Ord + Copy> Clamp<T> {
    /// Holds `size` to the bounds.
    pub fn apply(&self, size: T) -> Clamped<T> {
        let value = size.max(self.min).min(self.max);
        Clamped { value, touched: value != size }
    }
}

/// An average that can be one.
fn stated(average: f64) -> Option<f64> {
    Some(average).filter(|average| average.is_finite() && *average >= 0.0)
}

/// Rounded to the nearest microsecond.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
fn micros(us: f64) -> Duration {
    Duration::from_micros(us.round() as u64)
}

/// Rounded to the nearest MiB.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
fn whole_mib(mib: f64) -> u32 {
    mib.round() as u32
}

#[cfg(test)]
mod tests;
