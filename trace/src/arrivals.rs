//! When, inside a unit of time, its invocations are due.
//!
//! Every distribution is a sequence of gaps: each gap's share of the unit is its draw over the sum of all draws. Two
//! passes over the same counter-based stream (one sums, the other emits) give sorted offsets without keeping or sorting
//! any, so a stream takes the same few hundred bytes for one invocation and for a billion.

mod gaps;

use std::fmt;
use std::str::FromStr;

use gaps::{Draw, Gaps, Rotated};

use crate::random::StreamRng;

/// How invocations lie inside a unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Arrivals {
    /// N invocations at i·U/N.
    Equidistant,
    /// N exponential gaps scaled to sum to U, the first invocation at the start of the unit. As InVitro does: every
    /// function fires at the start of every unit, an artificial burst.
    Exponential,
    /// As `Exponential`, rotated by a random offset inside the unit.
    ExponentialShift,
    /// As `Exponential`, with uniform gaps.
    Uniform,
    /// As `Uniform`, rotated by a random offset inside the unit.
    UniformShift,
    /// N independent uniform instants: a Poisson process given its count.
    #[default]
    Poisson,
}

/// A name that is none of [`Arrivals::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no arrivals are named {0:?}; there are {names}", names = Arrivals::ALL.map(Arrivals::name).join(", "))]
pub struct UnknownArrivals(String);

impl Arrivals {
    /// All arrival processes.
    pub const ALL: [Self; 6] = [
        Self::Equidistant,
        Self::Exponential,
        Self::ExponentialShift,
        Self::Uniform,
        Self::UniformShift,
        Self::Poisson,
    ];

    /// As in a run's spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Equidistant => "equidistant",
            Self::Exponential => "exponential",
            Self::ExponentialShift => "exponential_shift",
            Self::Uniform => "uniform",
            Self::UniformShift => "uniform_shift",
            Self::Poisson => "poisson",
        }
    }

    /// Due offsets of `n` invocations from the start of a unit of `unit_ns` nanoseconds: exactly `n`, ascending, each in
    /// `[0, unit_ns)` and rounded down once to whole nanoseconds.
    ///
    /// The random ones sum `n` draws before this returns (some 10 ns each) and draw them again as the stream is read; the
    /// memory they take does not depend on `n`. A unit of 0 ns puts all at 0.
    pub fn stream(self, n: u32, unit_ns: u64, rng: StreamRng) -> ArrivalStream {
        let due = match self {
            Self::Equidistant => Due::Even { at: 0, n, unit_ns },
            Self::Exponential => Due::Gaps(Gaps::from_start(Draw::Exponential, n, unit_ns, rng).into()),
            Self::Uniform => Due::Gaps(Gaps::from_start(Draw::Uniform, n, unit_ns, rng).into()),
            // Of n + 1 exponential gaps scaled to sum to U, the n inner borders are n sorted uniform instants.
            // Source: Devroye, "Non-Uniform Random Variate Generation" (1986), theorem V.2.2.
            Self::Poisson => Due::Gaps(Gaps::between(Draw::Exponential, n, unit_ns, rng).into()),
            Self::ExponentialShift => Due::Rotated(Rotated::new(Draw::Exponential, n, unit_ns, rng).into()),
            Self::UniformShift => Due::Rotated(Rotated::new(Draw::Uniform, n, unit_ns, rng).into()),
        };
        ArrivalStream { left: n, due }
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Arrivals {
    type Err = UnknownArrivals;

    fn from_str(name: &str) -> Result<Self, UnknownArrivals> {
        Self::ALL.into_iter().find(|arrivals| arrivals.name() == name).ok_or_else(|| UnknownArrivals(name.to_owned()))
    }
}

/// Due offsets inside one unit, in nanoseconds, ascending. See [`Arrivals::stream`].
#[derive(Debug, Clone)]
pub struct ArrivalStream {
    left: u32,
    due: Due,
}

/// The generators are boxed because they hold their random state: a stream is moved about in the plan's merge.
#[derive(Debug, Clone)]
enum Due {
    Even { at: u32, n: u32, unit_ns: u64 },
    Gaps(Box<Gaps>),
    Rotated(Box<Rotated>),
}

impl Iterator for ArrivalStream {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        Some(match &mut self.due {
            Due::Even { at, n, unit_ns } => {
                let offset = even(*at, *n, *unit_ns);
                *at += 1;
                offset
            }
            Due::Gaps(gaps) => gaps.advance(),
            Due::Rotated(rotated) => rotated.advance(),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.left as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for ArrivalStream {}

/// ⌊i·U/N⌋ in 64 bits: i and U mod N are both below 2^32, so that their product fits.
fn even(i: u32, n: u32, unit_ns: u64) -> u64 {
    let (i, n) = (u64::from(i), u64::from(n));
    i * (unit_ns / n) + i * (unit_ns % n) / n
}

#[cfg(test)]
mod tests;
