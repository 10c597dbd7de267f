//! The ratio of two medians, and how certain it is: the bootstrap over runs, by percentiles (Efron, 1979).
//!
//! Not bias-corrected and accelerated (BCa): the acceleration comes from medians with one value left out, which take two or three values
//! only. In simulations of 5 to 30 runs a group, 2000 of each, percentiles cover the truth in 95.7 to 97.2 %, BCa in 93.9 to 96.3 %, and
//! where a stopping rule says how many runs there are 96.0 and 93.9 %; their widths differ by 3 % at most.

use super::{
    ALPHA, Interval, Random,
    median::{median, middle, sorted},
};

/// Fewest values of a group for which there is an interval.
pub const FEWEST: usize = 5;

/// How often values are drawn.
pub const DRAWS: usize = 10_000;

/// The seed of the draws.
const SEED: u64 = 0x6C6F_6164_6572;

fn ratio(x: &[f64], y: &[f64]) -> Option<f64> {
    Some(median(y)? / median(x)?)
}

/// The median of `y` over that of `x`, with its 95 % interval, which is absent where a group has fewer than 5 values. There is no
/// ratio unless all values are above zero.
pub fn ratio_of_medians(x: &[f64], y: &[f64]) -> Option<(f64, Option<Interval>)> {
    ratio_of_medians_drawn(x, y, DRAWS)
}

/// The same from that many draws.
pub fn ratio_of_medians_drawn(x: &[f64], y: &[f64], draws: usize) -> Option<(f64, Option<Interval>)> {
    if !x.iter().chain(y).all(|value| *value > 0.0) {
        return None;
    }
    let found = ratio(x, y)?;
    if x.len().min(y.len()) < FEWEST {
        return Some((found, None));
    }
    let mut random = Random::new(SEED);
    let drawn = (0..draws).filter_map(|_| Some(redraw(y, &mut random)? / redraw(x, &mut random)?));
    let drawn = sorted(&drawn.collect::<Vec<_>>());
    let [low, high] = [ALPHA / 2.0, 1.0 - ALPHA / 2.0].map(|share| quantile(&drawn, share));
    Some((found, Some(Interval { low: low?, high: high? })))
}

/// The geometric mean of the ratios of several pairs of groups, with its 95 % interval: values are drawn within each group, percentiles
/// of the draws. It is absent where a group has fewer than 5 values; there is no ratio without pairs, and unless all values are above zero.
pub fn mean_ratio(pairs: &[(&[f64], &[f64])], draws: usize) -> Option<(f64, Option<Interval>)> {
    let is_positive = |(x, y): &(&[f64], &[f64])| x.iter().chain(*y).all(|value| *value > 0.0);
    if pairs.is_empty() || !pairs.iter().all(is_positive) {
        return None;
    }
    let mean = |ratios: &mut dyn Iterator<Item = Option<f64>>| {
        let logs: Option<Vec<f64>> = ratios.map(|ratio| ratio.map(f64::ln)).collect();
        logs.map(|logs| (logs.iter().sum::<f64>() / pairs.len() as f64).exp())
    };
    let found = mean(&mut pairs.iter().map(|(x, y)| ratio(x, y)))?;
    if pairs.iter().any(|(x, y)| x.len().min(y.len()) < FEWEST) {
        return Some((found, None));
    }
    let mut random = Random::new(SEED);
    let mut draw = || mean(&mut pairs.iter().map(|(x, y)| Some(redraw(y, &mut random)? / redraw(x, &mut random)?)));
    let drawn = sorted(&(0..draws).filter_map(|_| draw()).collect::<Vec<_>>());
    let [low, high] = [ALPHA / 2.0, 1.0 - ALPHA / 2.0].map(|share| quantile(&drawn, share));
    Some((found, Some(Interval { low: low?, high: high? })))
}

/// The least and the greatest ratio of a value of `y` to one of `x`; absent unless all are above zero.
pub fn range_of_ratios(x: &[f64], y: &[f64]) -> Option<Interval> {
    let (x, y) = (sorted(x), sorted(y));
    let is_positive = *x.first()? > 0.0 && *y.first()? > 0.0;
    is_positive.then_some(Interval { low: y.first()? / x.last()?, high: y.last()? / x.first()? })
}

/// The median of as many values drawn with replacement.
fn redraw(values: &[f64], random: &mut Random) -> Option<f64> {
    let mut drawn: Vec<f64> = values.iter().map(|_| values[random.below(values.len())]).collect();
    drawn.sort_unstable_by(f64::total_cmp);
    middle(&drawn)
}

/// The value at that share of sorted ones, between two of them by proportion.
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let low = crate::number::place(at.floor());
    let (below, above) = (*sorted.get(low)?, *sorted.get(low + 1).or(sorted.last())?);
    Some(below + (above - below) * (at - at.floor()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_values_have_the_same_interval_each_time() {
        let x: Vec<f64> = (0..12).map(|at| 100.0 + f64::from(at)).collect();
        let y: Vec<f64> = x.iter().map(|value| value * 1.2).collect();
        let (ratio, interval) = ratio_of_medians(&x, &y).expect("a ratio");
        assert!((ratio - 1.2).abs() < 1e-12);
        let interval = interval.expect("an interval");
        assert!(interval.low > 1.1 && interval.low < 1.2 && interval.high > 1.2 && interval.high < 1.3, "{interval:?}");
        assert_eq!(ratio_of_medians(&x, &y), Some((ratio, Some(interval))));
    }

    #[test]
    fn few_values_have_a_range_and_zeros_have_no_ratio() {
        let (x, y) = ([10.0, 11.0, 12.0, 10.0], [20.0, 22.0, 24.0, 20.0]);
        assert_eq!(ratio_of_medians(&x, &y), Some((2.0, None)));
        assert_eq!(range_of_ratios(&x, &y), Some(Interval { low: 20.0 / 12.0, high: 2.4 }));
        assert_eq!((ratio_of_medians(&[0.0, 1.0], &y), range_of_ratios(&[0.0, 1.0], &y)), (None, None));
        assert_eq!((ratio_of_medians(&[], &y), range_of_ratios(&[], &y)), (None, None));
    }

    #[test]
    fn the_mean_of_ratios_is_the_geometric_one() {
        let x = [10.0, 11.0, 12.0, 10.5, 11.5];
        let (twice, half) = (x.map(|it| it * 2.0), x.map(|it| it / 2.0));
        let (one, interval) = mean_ratio(&[(&x, &twice), (&x, &half)], 500).expect("a ratio");
        assert!((one - 1.0).abs() < 1e-12 && interval.is_some_and(|it| it.holds(1.0)), "{one} {interval:?}");
        let (two, interval) = mean_ratio(&[(&x, &twice)], 500).expect("a ratio");
        assert!(
            (two - 2.0).abs() < 1e-12 && interval.is_some_and(|it| it.holds(2.0) && !it.holds(1.0)),
            "{interval:?}"
        );
        assert_eq!(mean_ratio(&[(&x[..4], &twice)], 500).map(|(_, interval)| interval), Some(None));
        assert_eq!((mean_ratio(&[], 500), mean_ratio(&[(&x, &[0.0; 5])], 500)), (None, None));
    }

    #[test]
    fn quantiles_lie_between_values() {
        assert_eq!(
            [0.0, 0.5, 1.0].map(|share| quantile(&[1.0, 2.0, 4.0, 8.0], share)),
            [Some(1.0), Some(3.0), Some(8.0)]
        );
        assert_eq!(quantile(&[], 0.5), None);
    }
}
