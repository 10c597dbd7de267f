//! A distribution as the API has it.

use loader_proto::v1;

use crate::histogram::{Distribution, Interval};

/// The message of a distribution.
pub(crate) fn distribution(distribution: &Distribution) -> v1::Distribution {
    let &Distribution { count, mean, percentiles: [p50, p90, p95, p99, p999], intervals, max } = distribution;
    let known = intervals.iter().any(Option::is_some);
    let [of50, of90, of95, of99, of999] = intervals.map(|it| it.map(interval));
    let intervals = v1::Intervals { p50: of50, p90: of90, p95: of95, p99: of99, p999: of999 };
    v1::Distribution { count, mean, p50, p90, p95, p99, p999, max, intervals: known.then_some(intervals) }
}

fn interval(interval: Interval) -> v1::Interval {
    let Interval { low, high } = interval;
    v1::Interval { low, high }
}
