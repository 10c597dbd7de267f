//! Slowdowns: ratios at full precision.

use hdrhistogram::Histogram;

/// Most ratios that are kept one by one; beyond, percentiles keep three digits.
const FEW: usize = 1 << 14;

/// By how much ratios are scaled in a histogram of whole numbers.
const SCALE: f64 = 1e6;

/// The figures of slowdowns; 1 is perfect. What too few values say nothing of is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Slowdown {
    /// Number of values.
    pub count: u64,
    /// Geometric mean of the values.
    pub geometric_mean: Option<f64>,
    /// Median (50th percentile).
    pub p50: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}

/// A distribution of slowdowns. Its mean is that of the values themselves, however many there are.
#[derive(Debug, Clone, Default)]
pub struct Slowdowns {
    count: u64,
    sum_of_logs: f64,
    few: Vec<f64>,
    many: Option<Box<Histogram<u32>>>,
}

impl Slowdowns {
    /// Takes a ratio above 0.
    pub(super) fn add(&mut self, ratio: f64) {
        self.count += 1;
        self.sum_of_logs += ratio.ln();
        if self.many.is_none() && self.few.len() < FEW {
            return self.few.push(ratio);
        }
        let few = std::mem::take(&mut self.few);
        let many = self.many.get_or_insert_with(|| Box::new(empty()));
        few.into_iter().chain([ratio]).for_each(|ratio| {
            // A histogram that grows takes any value.
            let _taken = many.record(scaled(ratio));
        });
    }

    fn percentile(&self, share: f64) -> Option<f64> {
        let rank = crate::histogram::rank(share, self.count)?;
        Some(match &self.many {
            Some(many) => many.value_at_quantile((rank as f64 - 0.5) / self.count as f64) as f64 / SCALE,
            None => {
                let mut sorted = self.few.clone();
                sorted.sort_by(f64::total_cmp);
                *sorted.get(usize::try_from(rank).ok()? - 1)?
            }
        })
    }

    /// Their figures.
    pub(super) fn figures(&self) -> Slowdown {
        Slowdown {
            count: self.count,
            geometric_mean: (self.count > 0).then(|| (self.sum_of_logs / self.count as f64).exp()),
            p50: self.percentile(0.5),
            p99: self.percentile(0.99),
        }
    }
}

fn empty() -> Histogram<u32> {
    #[expect(clippy::expect_used, reason = "digits between 0 and 5 are always taken")]
    Histogram::new(3).expect("a legal number of digits")
}

fn scaled(ratio: f64) -> u64 {
    crate::units::rounded(ratio * SCALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(ratios: impl Iterator<Item = f64>) -> Slowdown {
        let mut slowdowns = Slowdowns::default();
        ratios.for_each(|ratio| slowdowns.add(ratio));
        slowdowns.figures()
    }

    #[test]
    fn few_ratios_have_no_rounding() {
        assert_eq!(figures([].into_iter()), Slowdown::default());
        let Slowdown { count, geometric_mean, p50, p99 } = figures([1.000_000_4, 1.000_000_1, 100.0].into_iter());
        assert_eq!((count, p50, p99), (3, Some(1.000_000_4), None));
        let expected = (1.000_000_4_f64 * 1.000_000_1 * 100.0).cbrt();
        assert!((geometric_mean.expect("values") - expected).abs() < 1e-12);
    }

    #[test]
    fn many_ratios_keep_three_digits_and_their_mean() {
        let ratio = |place: usize| 1.0 + place as f64 / 1000.0;
        let Slowdown { geometric_mean, p50, p99, .. } = figures((0..40_000).map(ratio));
        let logs: f64 = (0..40_000).map(|place| ratio(place).ln()).sum();
        assert!((geometric_mean.expect("values") / (logs / 40_000.0).exp() - 1.0).abs() < 1e-12);
        for (found, exact) in [(p50, ratio(19_999)), (p99, ratio(39_599))] {
            assert!((found.expect("values") / exact - 1.0).abs() < 1e-3);
        }
    }
}
