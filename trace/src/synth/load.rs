//! Into which minutes the invocations of a made-up app and of its functions fall.

use std::f64::consts::TAU;

use rand::RngExt;
use rand_distr::{Binomial, Distribution};

use super::draws;
use super::rhythm::Rhythm;
use crate::random::StreamRng;

const DAY: u32 = 1440;
/// Load on the last two days of a week, relative to the others.
const WEEKEND: f64 = 0.6;
/// Load in the middle of the night of an app that follows the day, relative to its peak.
const NIGHT: f64 = 1e-3;
/// An app with bursts has this many invocations in each, on average. At least 3: then the variance of inter-arrival times
/// is above that of a Poisson process even when the bursts are at equal distances.
const BURST: (f64, f64) = (4.0, 12.0);

/// Relative load in each minute. Never 0.
pub(super) fn weights(minutes: u32, rhythm: Rhythm, rng: &mut StreamRng) -> Vec<f64> {
    let amplitude = rng.random_range(0.1..0.6);
    // Office hours: the peaks of the apps lie around two in the afternoon.
    let peak = f64::from(DAY) * rng.random_range(0.52..0.64);
    let at = |minute: u32| {
        let wave = (TAU * (f64::from(minute) - peak) / f64::from(DAY)).cos();
        let weekly = if minute / DAY % 7 >= 5 { WEEKEND } else { 1.0 };
        match rhythm {
            Rhythm::Constant | Rhythm::Bursts => 1.0,
            Rhythm::Steady => weekly * (1.0 + amplitude * wave),
            // Squared, so that the night is long and about the same for apps of different peaks.
            Rhythm::Daily => weekly * (NIGHT + (0.5 + 0.5 * wave).powi(2)),
        }
    };
    (0..minutes).map(at).collect()
}

/// `invocations` dropped at random into minutes of these weights.
pub(super) fn scattered(invocations: u64, weights: &[f64], rng: &mut StreamRng) -> Vec<u32> {
    let mut counts = vec![0; weights.len()];
    // The weight that is left is summed from the end, so that in the last minute of any weight it is that minute's
    // exactly, and whatever is left falls there.
    let mut ahead: Vec<f64> = weights.to_vec();
    for minute in (0..ahead.len().saturating_sub(1)).rev() {
        ahead[minute] += ahead[minute + 1];
    }
    let mut left = invocations;
    for ((count, weight), ahead) in counts.iter_mut().zip(weights).zip(ahead) {
        if left == 0 {
            break;
        }
        let here = match Binomial::new(left, weight / ahead) {
            Ok(binomial) => binomial.sample(rng),
            // Not a share: the weights ahead are all zero, and so nothing is left.
            Err(_) => 0,
        };
        *count = u32::try_from(here).unwrap_or(u32::MAX);
        left -= here;
    }
    counts
}

/// `invocations` at equal distances, as a timer fires, from a random start.
pub(super) fn regular(invocations: u64, minutes: u32, rng: &mut StreamRng) -> Vec<u32> {
    let minutes = u64::from(minutes);
    let start = rng.random_range(0..minutes);
    let before = |minute: u64| (minute * invocations + start) / minutes;
    (0..minutes).map(|minute| u32::try_from(before(minute + 1) - before(minute)).unwrap_or(u32::MAX)).collect()
}

/// The minutes of `invocations` at about equal distances by weight: one in each of as many equal parts of it.
pub(super) fn spread(invocations: u64, weights: &[f64], rng: &mut StreamRng) -> Vec<usize> {
    let all: f64 = weights.iter().sum();
    let (mut minute, mut upto) = (0, weights.first().copied().unwrap_or(0.0));
    let parts = (0..invocations).map(|part| (part as f64 + rng.open01()) / invocations as f64 * all);
    parts
        .map(|point| {
            while upto < point && minute + 1 < weights.len() {
                minute += 1;
                upto += weights[minute];
            }
            minute
        })
        .collect()
}

/// The minutes of `invocations` in bursts, each within a minute, at random.
pub(super) fn bursts(invocations: u64, minutes: u32, rng: &mut StreamRng) -> Vec<usize> {
    let mean = rng.random_range(BURST.0..BURST.1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the number of invocations")]
    let bursts = ((invocations as f64 / mean) as u64).max(2).min(invocations);
    let at: Vec<usize> = (0..bursts).map(|_| rng.random_range(0..minutes as usize)).collect();
    // Each has one; then whichever.
    let more = (bursts..invocations).map(|_| at[rng.random_range(0..at.len())]);
    let mut all: Vec<usize> = more.collect();
    all.extend(&at);
    all
}

/// Shares `pool`, the minutes of an app's invocations, out among its functions at random, so that each has its number.
pub(super) fn dealt(mut pool: Vec<usize>, numbers: &[u64], minutes: u32, rng: &mut StreamRng) -> Vec<Vec<u32>> {
    draws::shuffle(&mut pool, rng);
    let mut left = pool.into_iter();
    let mut hand = |number: u64| {
        let mut counts = vec![0; minutes as usize];
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        left.by_ref().take(number).for_each(|minute| counts[minute] += 1);
        counts
    };
    numbers.iter().map(|&number| hand(number)).collect()
}

#[cfg(test)]
mod tests;
