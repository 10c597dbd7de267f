//! Run times and memory of a made-up function.

use rand::RngExt;
use rand_distr::StandardNormal;

use crate::random::StreamRng;
use crate::sizes::{MemoryProfile, RuntimeProfile};

/// Mean and standard deviation of the logarithm of a function's average run time in seconds.
/// Source: Shahrad et al. 2020, figure 7.
const RUNTIME_LN: (f64, f64) = (-0.38, 2.36);
/// Burr XII distribution of an app's average memory in MB: shapes c and k, scale. Source: ibid., figure 8.
const MEMORY_BURR: (f64, f64, f64) = (11.652, 0.221, 107.083);
/// How far the logarithms of one function's run times, and of one app's memory, spread around the average. Not
/// published; from a timer's that are all alike to those that differ by an order of magnitude.
const RUNTIME_SPREAD: (f64, f64) = (0.05, 1.0);
const MEMORY_SPREAD: (f64, f64) = (0.02, 0.15);

/// An average and the percentiles around it, log-normal with that mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profile<const N: usize> {
    pub(super) average: f64,
    pub(super) percentiles: [f64; N],
}

impl<const N: usize> Profile<N> {
    fn around(average: f64, spread: f64, at: [u8; N]) -> Self {
        let percentiles = at.map(|percentile| average * (spread * deviate(percentile) - spread * spread / 2.0).exp());
        Self { average, percentiles }
    }
}

/// Run times in milliseconds.
pub(super) fn runtime(rng: &mut StreamRng) -> Profile<7> {
    let (mean, deviation) = RUNTIME_LN;
    let standard: f64 = rng.sample(StandardNormal);
    let average = (mean + deviation * standard).exp() * 1000.0;
    Profile::around(average, rng.random_range(RUNTIME_SPREAD.0..RUNTIME_SPREAD.1), RuntimeProfile::PERCENTILES)
}

/// Memory in MB.
pub(super) fn memory(rng: &mut StreamRng) -> Profile<8> {
    let (c, k, scale) = MEMORY_BURR;
    // Inverse of F(x) = 1 − (1 + (x/scale)^c)^−k; the draw stands for 1 − F.
    let average = scale * (rng.open01().powf(-1.0 / k) - 1.0).powf(1.0 / c);
    Profile::around(average, rng.random_range(MEMORY_SPREAD.0..MEMORY_SPREAD.1), MemoryProfile::PERCENTILES)
}

/// The standard normal deviate at a percentile; the ends, infinite in theory, at one in five thousand.
fn deviate(percentile: u8) -> f64 {
    match percentile {
        0 => -3.54,
        1 => -2.326,
        5 => -1.645,
        25 => -0.674,
        75 => 0.674,
        95 => 1.645,
        99 => 2.326,
        100 => 3.54,
        _ => 0.0,
    }
}
