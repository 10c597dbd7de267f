//! Run times and memory of a made-up function.

use rand::RngExt;

use super::draws;
use crate::azure2019::{RUNTIME_LN, memory_quantile};
use crate::random::StreamRng;
use crate::sizes::{MemoryProfile, RuntimeProfile};

/// How far the logarithms of one function's run times spread around the average: from a timer's that are all alike to those
/// that differ severalfold. Chosen so that the longest run time of three functions in four is below 10 s. Source of that:
/// Shahrad et al. 2020, on figure 7.
const RUNTIME_SPREAD: (f64, f64) = (0.02, 0.65);
/// The same for one app's memory. Not published.
const MEMORY_SPREAD: (f64, f64) = (0.02, 0.15);

/// An average and the percentiles around it, log-normal. The average is that of the run times that are drawn from these
/// percentiles in a replay, where all values between two percentiles are equally likely.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profile<const N: usize> {
    pub(super) average: f64,
    pub(super) percentiles: [f64; N],
}

impl<const N: usize> Profile<N> {
    pub(super) fn around(average: f64, spread: f64, at: [u8; N]) -> Self {
        let shape = at.map(|percentile| (spread * deviate(percentile)).exp());
        let pieces = at.windows(2).zip(shape.windows(2));
        let lowest = f64::from(at[0]) * shape[0];
        let mean: f64 = pieces.map(|(at, shape)| f64::from(at[1] - at[0]) * f64::midpoint(shape[0], shape[1])).sum();
        let mean = (lowest + mean) / 100.0;
        Self { average, percentiles: shape.map(|value| average * value / mean) }
    }
}

/// Run times in milliseconds of the function whose average a share `q` of functions does not exceed.
pub(super) fn runtime(q: f64, rng: &mut StreamRng) -> Profile<7> {
    let (mean, deviation) = RUNTIME_LN;
    let average = (mean + deviation * draws::normal(q)).exp() * 1000.0;
    Profile::around(average, rng.random_range(RUNTIME_SPREAD.0..RUNTIME_SPREAD.1), RuntimeProfile::PERCENTILES)
}

/// Memory in MB of the app whose average a share `q` of apps does not exceed.
pub(super) fn memory(q: f64, rng: &mut StreamRng) -> Profile<8> {
    let spread = rng.random_range(MEMORY_SPREAD.0..MEMORY_SPREAD.1);
    Profile::around(memory_quantile(q), spread, MemoryProfile::PERCENTILES)
}

/// The standard normal deviate at a percentile; the ends, infinite in theory, at one in five thousand.
fn deviate(percentile: u8) -> f64 {
    match percentile {
        0 => -3.54,
        100 => 3.54,
        percentile => draws::normal(f64::from(percentile) / 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, StreamKey};
    use crate::sizes::Clamp;
    use std::time::Duration;

    #[test]
    fn the_average_is_that_of_the_draws() {
        let mut rng = StreamKey::new(1, "function", Purpose::Synthesis).unit(0);
        for q in [0.1, 0.5, 0.9] {
            let profile = runtime(q, &mut rng);
            let read = RuntimeProfile::from_millis(profile.percentiles).unwrap();
            let mean = read.mean(Clamp { min: Duration::ZERO, max: Duration::MAX }).as_secs_f64() * 1000.0;
            assert!((mean / profile.average - 1.0).abs() < 1e-3, "{mean} {}", profile.average);
        }
    }
}
