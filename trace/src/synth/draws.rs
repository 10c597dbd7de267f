//! Random orders, and points of distributions in random order.

use rand::RngExt;

use crate::random::StreamRng;

/// Puts `items` into random order (Fisher and Yates).
pub(super) fn shuffle<T>(items: &mut [T], rng: &mut StreamRng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
}

/// The middles of `n` equal parts of (0, 1), in random order. Where random draws stood for a distribution, its shares and
/// median would miss by more than the tolerances.
pub(super) fn quantiles(n: usize, rng: &mut StreamRng) -> Vec<f64> {
    let mut quantiles: Vec<f64> = (0..n).map(|part| (part as f64 + 0.5) / n as f64).collect();
    shuffle(&mut quantiles, rng);
    quantiles
}

/// The standard normal deviate that a share `q` (0 to 1, both excluded) does not exceed.
pub(super) fn normal(q: f64) -> f64 {
    // The distribution function is erfc(−x/√2)/2; 60 halvings of 20 leave nothing of a double's precision.
    let (mut low, mut high) = (-10.0, 10.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        let share = 0.5 * libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2);
        if share < q { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, StreamKey};

    #[test]
    fn deviates_are_those_of_the_tables() {
        for (q, deviate) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.01, -2.326_347_874), (0.999_9, 3.719_016_485)] {
            assert!((normal(q) - deviate).abs() < 1e-8, "at {q}");
        }
    }

    #[test]
    fn shuffling_keeps_all() {
        let mut items: Vec<u32> = (0..100).collect();
        shuffle(&mut items, &mut StreamKey::new(1, "order", Purpose::Synthesis).unit(0));
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
