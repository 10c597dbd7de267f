//! How much inter-arrival times vary, as far as it can be computed from counts per minute.

/// Fewer inter-arrival times than this are not significant: of two, the coefficient of variation is never above 1.
const LEAST: f64 = 3.0;

/// The coefficient of variation (standard deviation over mean, of the whole population) of the inter-arrival times of
/// invocations that are counted per minute; none of fewer than three times, or of times that are all 0.
///
/// The *n* invocations of a minute are taken to lie at its (k + ½)/n, k = 0 … n − 1: at equal distances. So times within
/// a minute add no variation of their own, and a steady load gives less than 1 at any rate. Taken as a Poisson process
/// within each minute instead, every steady and frequent load would give 1, and chance would decide whether it is above.
pub(super) fn variation(counts: impl IntoIterator<Item = u64>) -> Option<f64> {
    let mut gaps = Gaps::default();
    let active = counts.into_iter().enumerate().filter(|&(_, count)| count > 0);
    active.for_each(|(minute, count)| gaps.add(minute as f64, count as f64));
    gaps.variation()
}

/// The inter-arrival times up to now.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    times: f64,
    sum: f64,
    squares: f64,
    last: Option<f64>,
}

impl Gaps {
    /// Adds the invocations of the unit that begins at `begin`; units are in order, and have some.
    pub(super) fn add(&mut self, begin: f64, count: f64) {
        let distance = 1.0 / count;
        if let Some(last) = self.last {
            self.gap(begin + distance / 2.0 - last, 1.0);
        }
        self.gap(distance, count - 1.0);
        self.last = Some(begin + 1.0 - distance / 2.0);
    }

    /// Adds an invocation at `at`; they are in order.
    pub(super) fn add_at(&mut self, at: f64) {
        if let Some(last) = self.last {
            self.gap(at - last, 1.0);
        }
        self.last = Some(at);
    }

    fn gap(&mut self, length: f64, times: f64) {
        self.times += times;
        self.sum += times * length;
        self.squares += times * length * length;
    }

    /// Of these, as [`variation`].
    pub(super) fn variation(&self) -> Option<f64> {
        let mean = self.sum / self.times;
        let variance = self.squares / self.times - mean * mean;
        (self.times >= LEAST && mean > 0.0).then(|| variance.max(0.0).sqrt() / mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_inter_arrival_times_tell_nothing() {
        assert_eq!(variation([]), None);
        assert_eq!(variation([0, 1, 0, 1, 1]), None);
        assert!(variation([0, 1, 0, 1, 1, 1]).is_some());
    }

    #[test]
    fn equal_distances_do_not_vary() {
        for counts in [vec![1; 9], vec![5; 3], vec![4], vec![0, 0, 1, 0, 1, 0, 1, 0, 1, 0]] {
            assert!(variation(counts.clone()).unwrap() < 1e-6, "{counts:?}");
        }
    }

    /// Inter-arrival times of 1, 2 and 3 minutes: mean 2, variance 2/3.
    #[test]
    fn distances_between_minutes_count() {
        let found = variation([1, 1, 0, 1, 0, 0, 1]).unwrap();
        assert!((found - (2.0_f64 / 3.0).sqrt() / 2.0).abs() < 1e-12, "{found}");
    }

    /// Two at 0.25 and 0.75, two at 10.25 and 10.75: 0.5, 9.5, 0.5, with mean 3.5 and variance 18.
    #[test]
    fn distances_within_minutes_count() {
        let mut counts = [0; 11];
        (counts[0], counts[10]) = (2, 2);
        let found = variation(counts).unwrap();
        assert!((found - 18.0_f64.sqrt() / 3.5).abs() < 1e-12, "{found}");
    }
}
