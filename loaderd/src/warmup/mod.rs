//! Warm-up: what brings a platform into a steady state, and when it is there. Pure.
//!
//! ```text
//! deploy, scales by need ──hold──▶ autoscaler released ──settle──▶ stationary, or out of time ──▶ measure
//! └───────────── the load goes on all the time; slots that begin before `measure` count as warm-up ─────┘
//! ```

mod profile;

pub use crate::steady::{Adf, adf};
pub use profile::{Fit, fit, needed};

/// Fewest latencies by which anything is decided.
pub const FEWEST_POINTS: usize = 20;

/// Most latencies that are tested: more are thinned. It keeps a test below half a second.
pub const MOST_POINTS: usize = 5000;

/// Whether latencies have become stationary: the test's answer, where there are enough of them and they are not all the same.
pub fn judge(latencies: &[f64]) -> Option<Adf> {
    if latencies.len() < FEWEST_POINTS { None } else { adf(latencies) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_decided_by_a_few() {
        let noise: Vec<f64> = (0..200).map(|at: u32| f64::from(at.wrapping_mul(2_654_435_761) >> 8)).collect();
        assert!(judge(&noise).unwrap().is_stationary());
        assert!(judge(&noise[..FEWEST_POINTS]).is_some());
        assert_eq!(judge(&noise[..FEWEST_POINTS - 1]), None);
    }
}
