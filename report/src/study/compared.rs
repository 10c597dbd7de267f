//! Cells against their baselines.

use super::{baseline::baselines, figures, input::Study};
use crate::{
    compare::{Evidence, Verdict},
    indicator::{Better, Indicator},
    statistics::{
        DRAWS, FEWEST_FOR_INTERVAL, Interval, cliffs_delta, holm, median, median_interval, p_value,
        ratio_of_medians_drawn,
    },
};

/// How many values all draws of a study's bootstrap may take together, so that its results are there within seconds.
const MOST_DRAWN: usize = 200_000_000;

/// Fewest draws.
const FEWEST_DRAWS: usize = 1000;

/// A figure of a cell, against the same of its baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The number of the cell.
    pub cell: usize,
    /// The number of its baseline.
    pub baseline: usize,
    /// The figure.
    pub indicator: &'static Indicator,
    /// Which values of it are better.
    pub better: Better,
    /// Number of samples of the cell, and of the baseline, that have it.
    pub n: (usize, usize),
    /// The median of the cell over that of the baseline; absent unless all values are above zero.
    pub ratio: Option<f64>,
    /// Its 95 % interval by the bootstrap; absent of fewer than 5 samples.
    pub interval: Option<Interval>,
    /// The two-sided p of no difference; absent of fewer than 2 samples, and where all have the same value.
    pub p: Option<f64>,
    /// The same, after Holm over all tests of the study.
    pub p_holm: Option<f64>,
    /// Cliff's δ.
    pub delta: Option<f64>,
    /// Whether the intervals of the two medians overlap; absent where one of them is.
    pub overlaps: Option<bool>,
    /// What is said of it.
    pub verdict: Verdict,
}

/// A pair that is to be compared.
struct Pair {
    figure: (&'static Indicator, Better),
    cells: (usize, usize),
    x: Vec<f64>,
    y: Vec<f64>,
}

/// Every cell against its baseline, in each figure that both have.
pub(super) fn compared(study: &Study) -> Vec<Compared> {
    judged(study, DRAWS)
}

/// The same from at most that many draws.
pub(super) fn judged(study: &Study, most_draws: usize) -> Vec<Compared> {
    let baselines = baselines(study);
    let of = |figure: (&'static Indicator, Better)| {
        let cells = baselines.iter().enumerate().filter_map(|(cell, baseline)| Some((cell, (*baseline)?)));
        cells.map(move |(cell, baseline)| {
            let values = |cell| study.values(cell, &figure.0.name);
            Pair { figure, cells: (cell, baseline), x: values(baseline), y: values(cell) }
        })
    };
    let pairs: Vec<Pair> = figures::compared(study).into_iter().flat_map(of).collect();
    let pairs: Vec<Pair> = pairs.into_iter().filter(|pair| !pair.x.is_empty() && !pair.y.is_empty()).collect();
    let values: usize = pairs.iter().map(|pair| pair.x.len() + pair.y.len()).sum();
    let draws = (MOST_DRAWN / values.max(1)).clamp(FEWEST_DRAWS, DRAWS).min(most_draws);
    let mut compared: Vec<Compared> = pairs.iter().map(|pair| pair.compared(draws)).collect();
    let tested: Vec<f64> = compared.iter().filter_map(|it| it.p).collect();
    let mut adjusted = holm(&tested).into_iter();
    for (one, pair) in compared.iter_mut().zip(&pairs) {
        one.p_holm = one.p.and_then(|_| adjusted.next());
        one.verdict = pair.verdict(one, study.margin);
    }
    compared
}

impl Pair {
    fn compared(&self, draws: usize) -> Compared {
        let (x, y) = (self.x.as_slice(), self.y.as_slice());
        let has_enough = x.len() > 1 && y.len() > 1;
        let ratio = ratio_of_medians_drawn(x, y, draws).filter(|_| has_enough);
        let overlaps = median_interval(x).zip(median_interval(y)).map(|(a, b)| a.low <= b.high && b.low <= a.high);
        Compared {
            cell: self.cells.0,
            baseline: self.cells.1,
            indicator: self.figure.0,
            better: self.figure.1,
            n: (y.len(), x.len()),
            ratio: ratio.map(|(value, _)| value),
            interval: ratio.and_then(|(_, interval)| interval),
            p: p_value(x, y).filter(|_| has_enough && !self.is_constant()),
            p_holm: None,
            delta: cliffs_delta(x, y).filter(|_| has_enough),
            overlaps,
            verdict: Verdict::NotShown,
        }
    }

    fn is_constant(&self) -> bool {
        let first = self.x.first();
        self.x.iter().chain(&self.y).all(|value| first.is_some_and(|first| first.total_cmp(value).is_eq()))
    }

    fn verdict(&self, compared: &Compared, margin: f64) -> Verdict {
        let has_enough = self.x.len().min(self.y.len()) >= FEWEST_FOR_INTERVAL;
        Verdict::of(&Evidence {
            interval: compared.interval,
            is_equal: has_enough && self.is_constant() && median(&self.x).is_some(),
            p_holm: compared.p_holm,
            delta: compared.delta,
            margin,
            more_is_better: compared.better == Better::More,
        })
    }
}
