//! How the load of a made-up app changes over time, and how a function's invocations fall into the minutes.

use std::f64::consts::TAU;

use rand::RngExt;
use rand_distr::{Binomial, Distribution};

use crate::random::StreamRng;

const DAY: u32 = 1440;
/// Load on the last two days of a week, relative to the others.
const WEEKEND: f64 = 0.6;
/// Share of apps whose inter-arrival times vary more than a Poisson process's (coefficient of variation above 1).
/// Source: Shahrad et al. 2020, figure 6.
const BURSTY_SHARE: f64 = 0.4;
/// A bursty app is invoked in this share of its ten-minute blocks.
const BURSTY_ACTIVE: f64 = 0.2;
const BURSTY_BLOCK: usize = 10;

/// Relative load in each minute of an app, constant or with the hours of the day and the days of the week, and in bursts
/// or not. Never all zero.
pub(super) fn weights(minutes: u32, constant: bool, rng: &mut StreamRng) -> Vec<f64> {
    let amplitude = rng.random_range(0.5..1.0);
    // Office hours: the peaks of the apps lie around two in the afternoon.
    let peak = f64::from(DAY) * rng.random_range(0.45..0.70);
    let at = |minute: u32| {
        if constant {
            return 1.0;
        }
        let weekly = if minute / DAY % 7 >= 5 { WEEKEND } else { 1.0 };
        weekly * (1.0 + amplitude * (TAU * (f64::from(minute) - peak) / f64::from(DAY)).cos())
    };
    let mut weights: Vec<f64> = (0..minutes).map(at).collect();
    if rng.random_bool(BURSTY_SHARE) {
        let active = rng.random_range(0..weights.len().div_ceil(BURSTY_BLOCK));
        for (number, block) in weights.chunks_mut(BURSTY_BLOCK).enumerate() {
            if number != active && !rng.random_bool(BURSTY_ACTIVE) {
                block.fill(0.0);
            }
        }
    }
    weights
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

#[cfg(test)]
mod tests;
