//! One figure of two groups.

use super::{
    group::Group,
    measure::Measure,
    verdict::{Evidence, Verdict},
    within::{Within, within},
};
use crate::statistics::{
    FEWEST_FOR_INTERVAL, Interval, cliffs_delta, hodges_lehmann, median, median_interval, p_value, range_of_ratios,
    ratio_of_medians, shift_interval,
};

/// The figure of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Its value in each run that has one, with the place of the run in the group.
    pub values: Vec<(usize, f64)>,
    /// Their median; absent without any.
    pub median: Option<f64>,
    /// Its 95 % interval; absent of fewer than 6 runs.
    pub interval: Option<Interval>,
    /// In a group of one run: the interval within it.
    pub within: Option<Within>,
}

/// The median of B over that of A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// Its value.
    pub value: f64,
    /// Its 95 % interval; absent of fewer than 5 runs a group.
    pub interval: Option<Interval>,
    /// Of fewer runs: the least and the greatest ratio of two runs. It is no interval.
    pub range: Option<Interval>,
}

/// A figure of two groups. All but the sides is absent where a group has one run, or none with this figure.
#[derive(Debug, Clone)]
pub struct Row {
    /// The figure.
    pub measure: &'static Measure,
    /// Of A.
    pub a: Side,
    /// Of B.
    pub b: Side,
    /// The ratio; absent unless all values are above zero, too.
    pub ratio: Option<Ratio>,
    /// By how much runs of B are above those of A, in the unit of the figure.
    pub shift: Option<f64>,
    /// Its 95 % interval; absent of too few runs.
    pub shift_interval: Option<Interval>,
    /// The two-sided p of no difference; absent, too, where all runs have the same value, of which nothing is to be tested.
    pub p: Option<f64>,
    /// The same, after Holm over all figures that were tested.
    pub p_holm: Option<f64>,
    /// Cliff's δ.
    pub delta: Option<f64>,
    /// What is said of it.
    pub verdict: Verdict,
}

fn side(group: &Group, measure: &Measure) -> Side {
    let of_run = |(place, sample): (usize, &super::Sample)| Some((place, (measure.value)(&sample.summary)?));
    let values: Vec<(usize, f64)> =
        group.samples.iter().enumerate().filter_map(of_run).filter(|(_, value)| value.is_finite()).collect();
    let plain: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    let within = group.only.as_ref().filter(|_| !values.is_empty()).and_then(|run| within(run, measure));
    Side { median: median(&plain), interval: median_interval(&plain), within, values }
}

impl Row {
    /// The figure of both groups, not judged yet.
    pub(super) fn of(measure: &'static Measure, a: &Group, b: &Group) -> Self {
        let (a, b) = (side(a, measure), side(b, measure));
        let mut row = Self {
            measure,
            a,
            b,
            ratio: None,
            shift: None,
            shift_interval: None,
            p: None,
            p_holm: None,
            delta: None,
            verdict: Verdict::NotShown,
        };
        let (x, y) = row.values();
        if x.len() < 2 || y.len() < 2 {
            return row;
        }
        row.ratio = ratio_of_medians(&x, &y).map(|(value, interval)| {
            let range = if interval.is_none() { range_of_ratios(&x, &y) } else { None };
            Ratio { value, interval, range }
        });
        (row.shift, row.shift_interval) = (hodges_lehmann(&x, &y), shift_interval(&x, &y));
        row.p = p_value(&x, &y).filter(|_| !row.is_constant());
        row.delta = cliffs_delta(&x, &y);
        row
    }

    /// The values of A and of B.
    fn values(&self) -> (Vec<f64>, Vec<f64>) {
        let of = |side: &Side| side.values.iter().map(|(_, value)| *value).collect();
        (of(&self.a), of(&self.b))
    }

    /// Whether both groups have the figure.
    pub fn is_common(&self) -> bool {
        !self.a.values.is_empty() && !self.b.values.is_empty()
    }

    /// Whether all runs have the same value.
    pub(super) fn is_constant(&self) -> bool {
        let (x, y) = self.values();
        let mut all = x.iter().chain(&y);
        all.next().is_some_and(|first| all.all(|value| value.total_cmp(first).is_eq()))
    }

    /// Whether so many runs have the figure that there are intervals.
    fn has_enough(&self) -> bool {
        self.a.values.len().min(self.b.values.len()) >= FEWEST_FOR_INTERVAL
    }

    /// Judges it, with its p among those of other figures.
    pub(super) fn judge(&mut self, p_holm: Option<f64>, margin: f64) {
        self.p_holm = p_holm;
        self.verdict = Verdict::of(&Evidence {
            interval: self.ratio.and_then(|ratio| ratio.interval),
            is_equal: self.has_enough() && self.is_constant(),
            p_holm,
            delta: self.delta,
            margin,
            more_is_better: self.measure.more_is_better,
        });
    }
}
