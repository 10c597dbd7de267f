//! The distributions of a run, in microseconds.

use tokio::time::Instant;

use super::Row;
use crate::{
    histogram::{Histogram, PERCENTILES},
    units::micros,
};

/// A percentile in which the loader's own delays show.
#[derive(Debug, Clone, PartialEq)]
pub struct TouchedPercentile {
    /// The figure, by its name in the summary.
    pub figure: &'static str,
    /// The name of the percentile.
    pub percentile: &'static str,
    /// Its value, in microseconds.
    pub value: u64,
    /// Its value without the touched invocations; absent when too few are left.
    pub untouched: Option<u64>,
}

/// By how much a percentile may change, as a share of it, when touched invocations are left out.
const CHANGE: f64 = 0.05;

/// The distributions of some rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Distributions {
    /// Rows, where they are counted.
    pub(super) rows: u64,
    pub(super) dispatch_lag: Histogram,
    pub(super) own_lag: Histogram,
    pub(super) connect: Histogram,
    pub(super) stream_wait: Histogram,
    pub(super) receive_lag: Histogram,
    pub(super) response: Histogram,
    pub(super) response_from_due: Histogram,
    pub(super) scheduling_latency: Histogram,
}

impl Distributions {
    /// Takes a row: lags of what was sent, responses of what succeeded.
    pub(super) fn add(&mut self, row: &Row, t0: Instant) {
        let outcome = &row.outcome;
        let lag = row.lag(t0);
        if let (Some(lag), Some(own)) = (lag, row.own_lag(t0)) {
            self.dispatch_lag.add(micros(lag));
            self.own_lag.add(micros(own));
            outcome.connect.into_iter().for_each(|wait| self.connect.add(micros(wait)));
            outcome.stream_wait.into_iter().for_each(|wait| self.stream_wait.add(micros(wait)));
        }
        outcome.receive_lag.into_iter().for_each(|lag| self.receive_lag.add(micros(lag)));
        if let (Some(response), Some(lag), true) = (outcome.response, lag, row.succeeded()) {
            self.response.add(micros(response));
            self.response_from_due.add(micros(response + lag));
            row.scheduling_latency().into_iter().for_each(|latency| self.scheduling_latency.add(micros(latency)));
        }
    }

    /// All of them, by their names in the summary.
    fn named(&self) -> [(&'static str, &Histogram); 8] {
        [
            ("dispatchLagUs", &self.dispatch_lag),
            ("ownLagUs", &self.own_lag),
            ("connectUs", &self.connect),
            ("streamWaitUs", &self.stream_wait),
            ("receiveLagUs", &self.receive_lag),
            ("responseFromDueUs", &self.response_from_due),
            ("responseUs", &self.response),
            ("schedulingLatencyUs", &self.scheduling_latency),
        ]
    }

    /// The percentiles that change when `touched`, which are some of the same rows, are left out.
    pub(super) fn marked(&self, touched: &Self) -> Vec<TouchedPercentile> {
        let pairs = self.named().into_iter().zip(touched.named());
        pairs
            .filter(|(_, (_, touched))| touched.count() > 0)
            .flat_map(|((figure, all), (_, touched))| {
                let untouched = all.without(touched);
                PERCENTILES.into_iter().filter_map(move |(percentile, share)| {
                    let (value, untouched) = (all.percentile(share)?, untouched.percentile(share));
                    let change = untouched.map_or(f64::INFINITY, |untouched| value.abs_diff(untouched) as f64);
                    (change > CHANGE * value as f64).then_some(TouchedPercentile {
                        figure,
                        percentile,
                        value,
                        untouched,
                    })
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testkit::{head, row, t0};

    #[test]
    fn a_percentile_that_only_touched_rows_make_is_marked_with_both_values() {
        let (t0, slot) = (t0(), head(0, 1));
        let (mut all, mut touched) = (Distributions::default(), Distributions::default());
        for place in 0..200 {
            let late = place >= 195;
            let row = row(&t0, slot, if late { 500 } else { 1 }, 50);
            all.add(&row, t0.instant);
            if late {
                touched.add(&row, t0.instant);
            }
        }
        let marked = all.marked(&touched);
        let named: Vec<_> = marked.iter().map(|it| (it.figure, it.percentile, it.value, it.untouched)).collect();
        assert_eq!(
            named,
            [
                ("dispatchLagUs", "p99", 500_000, Some(1000)),
                ("ownLagUs", "p99", 500_000, Some(1000)),
                ("responseFromDueUs", "p99", 550_000, Some(51_000)),
            ]
        );
        assert_eq!(all.marked(&Distributions::default()), []);
    }

    #[test]
    fn where_too_few_are_left_the_percentile_is_marked_without_another_value() {
        let (t0, slot) = (t0(), head(0, 1));
        let (mut all, mut touched) = (Distributions::default(), Distributions::default());
        for place in 0..100 {
            let row = row(&t0, slot, if place == 0 { 500 } else { 1 }, 50);
            all.add(&row, t0.instant);
            if place == 0 {
                touched.add(&row, t0.instant);
            }
        }
        let marked = all.marked(&touched);
        assert!(marked.iter().all(|it| it.percentile == "p99" && it.untouched.is_none()), "{marked:?}");
        assert!(marked.iter().any(|it| it.figure == "responseUs"), "{marked:?}");
    }
}
