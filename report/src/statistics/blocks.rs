//! How certain a figure of one run is, though what happens in it depends on what happened before: the moving-block bootstrap
//! (Künsch, 1989). The run is a series of equal stretches of time; blocks of neighbours are drawn with replacement.

use super::{ALPHA, Interval, Random, bootstrap::quantile, median::sorted};

/// How often blocks are drawn.
const DRAWS: usize = 2000;

/// The seed of the draws.
const SEED: u64 = 0x626C_6F63_6B73;

/// A block has this many times the lag at which values no longer depend on each other.
const LAGS: usize = 10;

/// Autocorrelation below which they do not.
const INDEPENDENT: f64 = 0.05;

/// Fewest blocks that a series must have room for.
const FEWEST: usize = 5;

/// Most blocks of a series.
const MOST: usize = 60;

/// A stretch of a series: where it begins, and where the next would.
pub type Span = (usize, usize);

/// How many neighbours a block has, by the values of a series; absent of a series that has no room for five blocks.
pub fn block_length(values: &[f64]) -> Option<usize> {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let product =
        |lag: usize| values.iter().zip(&values[lag..]).map(|(one, other)| (one - mean) * (other - mean)).sum::<f64>();
    let longest = values.len() / FEWEST;
    let lag = (1..=longest / LAGS).find(|lag| product(*lag) <= INDEPENDENT * product(0))?;
    Some((lag * LAGS).max(values.len().div_ceil(MOST)))
}

/// The 95 % interval of a statistic over a series of that many stretches, from blocks of that length. The statistic is computed over
/// spans that together are as long as the series; where it is absent, the draw is not counted.
pub fn moving_blocks(stretches: usize, length: usize, statistic: impl Fn(&[Span]) -> Option<f64>) -> Option<Interval> {
    let starts = (stretches + 1).checked_sub(length).filter(|starts| *starts > 0 && length > 0)?;
    let mut random = Random::new(SEED);
    let mut draw = || {
        let blocks = (0..stretches.div_ceil(length)).map(|block| {
            let start = random.below(starts);
            (start, start + length.min(stretches - block * length))
        });
        statistic(&blocks.collect::<Vec<_>>())
    };
    let drawn = sorted(&(0..DRAWS).filter_map(|_| draw()).collect::<Vec<_>>());
    let is_known = drawn.len() * 10 >= DRAWS * 9;
    let [low, high] = [ALPHA / 2.0, 1.0 - ALPHA / 2.0].map(|share| quantile(&drawn, share).filter(|_| is_known));
    Some(Interval { low: low?, high: high? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of a series over spans.
    fn mean(series: &[f64]) -> impl Fn(&[Span]) -> Option<f64> {
        |spans| {
            let parts = spans.iter().flat_map(|(from, to)| &series[*from..*to]);
            Some(parts.sum::<f64>() / spans.iter().map(|(from, to)| to - from).sum::<usize>() as f64)
        }
    }

    #[test]
    fn what_depends_on_what_was_before_has_longer_blocks_and_a_wider_interval() {
        let mut random = Random::new(3);
        let noise: Vec<f64> = (0..600).map(|_| random.below(1000) as f64).collect();
        let mut level = 500.0;
        let slow: Vec<f64> = noise
            .iter()
            .map(|value| {
                level += (value - level) / 4.0;
                level
            })
            .collect();
        let (short, long) = (block_length(&noise).expect("long enough"), block_length(&slow).expect("long enough"));
        assert!(short >= LAGS && long > short, "{short} {long}");
        let width = |it: Interval| it.high - it.low;
        let blocks = moving_blocks(600, long, mean(&slow)).expect("an interval");
        let single = moving_blocks(600, 1, mean(&slow)).expect("an interval");
        assert!(width(blocks) > 1.5 * width(single), "{blocks:?} {single:?}");
        assert!(blocks.holds(slow.iter().sum::<f64>() / 600.0));
        assert_eq!(moving_blocks(600, long, mean(&slow)), Some(blocks));
    }

    #[test]
    fn a_short_series_has_no_blocks() {
        assert_eq!((block_length(&[1.0; 49]), block_length(&[])), (None, None));
        assert_eq!((moving_blocks(3, 4, |_| Some(1.0)), moving_blocks(3, 0, |_| Some(1.0))), (None, None));
        assert_eq!(moving_blocks(100, 10, |_| None), None);
    }
}
