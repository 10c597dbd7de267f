//! What is expected of the runs of B, alone and against those of A.

use super::{comparison::Comparison, group::Group};
use crate::{
    expectation::{Bound, Expectation, Judged, Relation},
    indicator::Figures,
    statistics::{Interval, median, ratio_of_medians},
};

impl Comparison {
    /// Judges expectations. A bound in a unit is that of the median over the runs of B. One that is relative to A is judged by the 95 %
    /// interval of the ratio of the medians: it is met where all of that is within the bound, and missed where all of it is beyond.
    pub fn expected(&self, expectations: &[Expectation]) -> Vec<Judged> {
        let [a, b] = [&self.a, &self.b].map(figures);
        let judge = |it: &Expectation| match it.bound {
            Bound::Relative(by) => against(it, 1.0 + by, &a, &b),
            Bound::Value(_) | Bound::Count(_) => alone(it, &b),
        };
        expectations.iter().map(judge).collect()
    }
}

fn figures(group: &Group) -> Vec<Figures> {
    group.samples.iter().map(|sample| Figures::of(&sample.summary)).collect()
}

/// By the median of the runs.
fn alone(expectation: &Expectation, runs: &[Figures]) -> Judged {
    let of_run = |run: &Figures| expectation.judge(run).value;
    let values: Vec<f64> = runs.iter().filter_map(of_run).collect();
    let mut judged = expectation.judge_value(median(&values));
    if values.len() > 1 {
        judged.shown.push_str(&format!(", median of {} runs", values.len()));
    }
    judged
}

/// By the ratio of the medians and its interval.
fn against(expectation: &Expectation, bound: f64, a: &[Figures], b: &[Figures]) -> Judged {
    let values =
        |runs: &[Figures]| runs.iter().filter_map(|run| run.get(&expectation.indicator.name)).collect::<Vec<_>>();
    let (x, y) = (values(a), values(b));
    let found = if x.is_empty() || y.is_empty() { None } else { ratio_of_medians(&x, &y) };
    let interval = found.and_then(|(_, interval)| interval);
    let shown = match (found, interval) {
        (None, _) => "not known".to_owned(),
        (Some((ratio, _)), None) => format!("× {ratio:.3}; fewer than 5 runs a group have no interval"),
        (Some((ratio, _)), Some(it)) => format!("× {ratio:.3}, 95 % interval {:.3} – {:.3}", it.low, it.high),
    };
    Judged {
        expectation: expectation.text.clone(),
        value: found.map(|(ratio, _)| ratio),
        is_met: interval.and_then(|interval| certain(expectation.relation, interval, bound)),
        shown,
        aborted: false,
    }
}

/// Whether a relation holds in all of an interval, or in none of it.
fn certain(relation: Relation, interval: Interval, bound: f64) -> Option<bool> {
    let (low, high) = (relation.holds(interval.low, bound), relation.holds(interval.high, bound));
    (low == high).then_some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relation_is_certain_where_all_of_the_interval_says_so() {
        let interval = |low, high| Interval { low, high };
        for (relation, low, high, expected) in [
            (Relation::Less, 0.95, 1.05, Some(true)),
            (Relation::Less, 1.05, 1.15, None),
            (Relation::Less, 1.12, 1.2, Some(false)),
            (Relation::AtLeast, 1.12, 1.2, Some(true)),
            (Relation::AtLeast, 0.9, 1.2, None),
        ] {
            assert_eq!(certain(relation, interval(low, high), 1.1), expected, "{relation:?} {low} {high}");
        }
    }
}
