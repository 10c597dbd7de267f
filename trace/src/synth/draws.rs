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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, StreamKey};

    #[test]
    fn shuffling_keeps_all() {
        let mut items: Vec<u32> = (0..100).collect();
        shuffle(&mut items, &mut StreamKey::new(1, "order", Purpose::Synthesis).unit(0));
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
