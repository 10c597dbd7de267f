//! A distribution known at a few percentiles and uniform between them.

use thiserror::Error;

/// Why values make no distribution.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ProfileError {
    /// Below 0, infinite or not a number.
    #[error("percentile {percentile} is {value}; it must be 0 or more")]
    OutOfRange {
        /// Which of the values, from 0.
        index: usize,
        /// The percentile of the value, from 0 to 100.
        percentile: u8,
        /// The value that was given.
        value: f64,
    },
    /// Below the percentile before it.
    #[error(
        "percentile {percentile} is {value}, below percentile {before} with {value_before}; they must not decrease"
    )]
    Decreasing {
        /// Which of the values, from 0.
        index: usize,
        /// The percentile of the value, from 0 to 100.
        percentile: u8,
        /// The value that was given.
        value: f64,
        /// The percentile before it.
        before: u8,
        /// The value of the percentile before it.
        value_before: f64,
    },
}

impl ProfileError {
    /// Which of the values is wrong, from 0.
    pub fn index(&self) -> usize {
        match self {
            Self::OutOfRange { index, .. } | Self::Decreasing { index, .. } => *index,
        }
    }
}

/// Values at `N` percentiles, the last of which is 100.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Percentiles<const N: usize> {
    at: &'static [u8; N],
    values: [f64; N],
}

impl<const N: usize> Percentiles<N> {
    pub(super) fn new(at: &'static [u8; N], values: [f64; N]) -> Result<Self, ProfileError> {
        let mut before: Option<(u8, f64)> = None;
        for (index, (&percentile, value)) in at.iter().zip(values).enumerate() {
            if !value.is_finite() || value < 0.0 {
                return Err(ProfileError::OutOfRange { index, percentile, value });
            }
            if let Some((before, value_before)) = before.filter(|&(_, value_before)| value < value_before) {
                return Err(ProfileError::Decreasing { index, percentile, value, before, value_before });
            }
            before = Some((percentile, value));
        }
        Ok(Self { at, values })
    }

    /// The same value at each.
    pub(super) fn constant(at: &'static [u8; N], value: f64) -> Self {
        Self { at, values: [value; N] }
    }

    /// The values after `change`, which must keep their order.
    pub(super) fn mapped(self, change: impl Fn(f64) -> f64) -> Self {
        Self { values: self.values.map(change), ..self }
    }

    /// The values, in the order of their percentiles.
    pub(super) fn values(&self) -> [f64; N] {
        self.values
    }

    /// Inverse of the distribution function.
    pub(super) fn quantile(&self, q: f64) -> f64 {
        let percent = q * 100.0;
        let upper = self.at.partition_point(|&at| f64::from(at) < percent);
        if upper == 0 {
            return self.values[0];
        }
        if upper == N {
            return self.values[N - 1];
        }
        let (from, to) = (f64::from(self.at[upper - 1]), f64::from(self.at[upper]));
        let (low, high) = (self.values[upper - 1], self.values[upper]);
        // Rounding must not carry a draw out of its two percentiles.
        (low + (high - low) * ((percent - from) / (to - from))).clamp(low, high)
    }

    /// Mean of the distribution held to `[min, max]`: the sum over its pieces of weight times clamped mean.
    pub(super) fn mean(&self, min: f64, max: f64) -> f64 {
        let lowest = f64::from(self.at[0]) * self.values[0].max(min).min(max);
        let pieces = self.at.windows(2).zip(self.values.windows(2));
        let rest: f64 =
            pieces.map(|(at, values)| f64::from(at[1] - at[0]) * uniform_mean(values[0], values[1], min, max)).sum();
        (lowest + rest) / 100.0
    }
}

/// Mean of a uniform variable on `[low, high]` held to `[min, max]`.
fn uniform_mean(low: f64, high: f64, min: f64, max: f64) -> f64 {
    let (from, to) = (low.max(min).min(max), high.max(min).min(max));
    if high <= low || to <= from {
        return from;
    }
    let (inner_low, inner_high) = (low.max(min), high.min(max));
    let below = (inner_low - low) * min;
    let inside = (inner_high - inner_low) * f64::midpoint(inner_low, inner_high);
    let above = (high - inner_high) * max;
    (below + inside + above) / (high - low)
}

#[cfg(test)]
mod tests;
