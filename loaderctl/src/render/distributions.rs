//! Tables of distributions: percentiles, and their intervals.

use loader_proto::v1::{Distribution, Interval, Intervals, ResponseInclFailures, RunSummary};

use super::{
    table::{self, Rows},
    units::{known, micros, part, percent, span},
};

/// Where the intervals of percentiles are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum IntervalsShown {
    /// Nowhere.
    #[default]
    No,
    /// In two rows below each distribution, for narrow terminals.
    Below,
    /// Behind each percentile.
    Beside,
}

/// The heading of every table of distributions.
const HEADING: [&str; 7] = ["", "values", "p50", "p90", "p99", "p99.9", "max"];

/// The percentiles of the table, as the summary calls them.
const SHOWN: [&str; 4] = ["p50", "p90", "p99", "p999"];

/// What people call a figure of the summary.
pub(super) fn label(field: &str) -> &str {
    match field {
        "dispatchLagUs" => "dispatch lag",
        "ownLagUs" => "the loader's own lag",
        "connectUs" => "wait for a connection",
        "streamWaitUs" => "wait for a stream",
        "receiveLagUs" => "receive lag",
        "responseFromDueUs" => "response from due",
        "responseUs" => "response from send",
        "schedulingLatencyUs" => "scheduling latency",
        "responseInclFailures" => "response incl. failures",
        other => other,
    }
}

/// What people call a percentile of the summary.
pub(super) fn percentile(field: &str) -> &str {
    if field == "p999" { "p99.9" } else { field }
}

/// Lag and its parts, response times and scheduling latency.
pub(super) fn distributions(summary: &RunSummary, intervals: IntervalsShown) -> String {
    let figures = [
        ("dispatchLagUs", "dispatch lag", &summary.dispatch_lag_us),
        ("ownLagUs", "  the loader's own", &summary.own_lag_us),
        ("connectUs", "  wait for a connection", &summary.connect_us),
        ("streamWaitUs", "  wait for a stream", &summary.stream_wait_us),
        ("receiveLagUs", "receive lag", &summary.receive_lag_us),
        ("responseFromDueUs", "response from due", &summary.response_from_due_us),
        ("responseUs", "response from send", &summary.response_us),
        ("schedulingLatencyUs", "scheduling latency", &summary.scheduling_latency_us),
    ];
    let mut rows = Rows::new();
    for (field, name, distribution) in figures {
        let is_marked = |percentile: &str| {
            let marked = summary.stalls.iter().flat_map(|stalls| &stalls.marked);
            marked.into_iter().any(|it| it.figure == field && it.percentile == percentile)
        };
        rows.extend(of_one(name, distribution.as_ref(), intervals, is_marked));
        if let ("responseUs", Some(all)) = (field, &summary.response_incl_failures) {
            rows.push(incl_failures(all));
        }
    }
    let failed = failed_share(summary);
    let heading = format!("Responses are of what succeeded; {failed} of what was sent failed");
    format!("{heading}\n{}", table::figures(&HEADING, rows))
}

/// A table of response times, beside the share of invocations that are not in it.
pub(super) fn responses(title: &str, summary: &RunSummary, figures: &[(&str, &Option<Distribution>)]) -> String {
    let rows = figures.iter().flat_map(|(name, of)| of_one(name, of.as_ref(), IntervalsShown::No, |_| false));
    let failed = failed_share(summary);
    format!("{title} of what succeeded; {failed} of the run failed\n{}", table::figures(&HEADING, rows.collect()))
}

/// The rows of one distribution.
fn of_one(
    name: &str,
    distribution: Option<&Distribution>,
    shown: IntervalsShown,
    is_marked: impl Fn(&str) -> bool,
) -> Rows {
    let distribution = distribution.cloned().unwrap_or_default();
    let Distribution { count, mean: _, p50, p90, p95: _, p99, p999, max, intervals } = distribution;
    let bounds = bounds(intervals.unwrap_or_default());
    let cells = [p50, p90, p99, p999].into_iter().zip(SHOWN).zip(&bounds).map(|((value, percentile), bounds)| {
        let mark = if is_marked(percentile) { " *" } else { "" };
        let value = format!("{}{mark}", known(value, micros));
        match bounds {
            Some(Interval { low, high }) if shown == IntervalsShown::Beside => {
                format!("{value} [{}]", span(*low, *high))
            }
            _ => value,
        }
    });
    let named = [name.to_owned(), count.to_string()];
    let mut rows = vec![named.into_iter().chain(cells).chain([known(max, micros)]).collect()];
    if shown == IntervalsShown::Below && bounds.iter().any(Option::is_some) {
        let bound = |name: &str, of: fn(&Interval) -> u64| -> Vec<String> {
            let cells = bounds.iter().map(|bounds| known(bounds.as_ref().map(of), micros));
            [format!("    95 % {name}"), String::new()].into_iter().chain(cells).chain([String::new()]).collect()
        };
        rows.push(bound("from", |interval| interval.low));
        rows.push(bound("to", |interval| interval.high));
    }
    rows
}

/// The intervals of the percentiles of the table.
fn bounds(intervals: Intervals) -> [Option<Interval>; 4] {
    let Intervals { p50, p90, p95: _, p99, p999 } = intervals;
    [p50, p90, p99, p999]
}

/// The response of all that was sent, failures as endless.
fn incl_failures(all: &ResponseInclFailures) -> Vec<String> {
    let ResponseInclFailures { count, failed: _, failed_ratio: _, p50, p90, p95: _, p99, p999, endless } = all;
    let cells = [p50, p90, p99, p999].into_iter().zip(SHOWN).map(|(value, percentile)| {
        if endless.iter().any(|name| name == percentile) { "failed".to_owned() } else { known(*value, micros) }
    });
    // The greatest of what failed has no end.
    let max = if all.failed > 0 { "failed".to_owned() } else { String::new() };
    ["  incl. failures".to_owned(), count.to_string()].into_iter().chain(cells).chain([max]).collect()
}

/// The share of what was sent that failed; of what was requested where no more is known.
fn failed_share(summary: &RunSummary) -> String {
    match &summary.response_incl_failures {
        Some(all) => known(all.failed_ratio, percent),
        None => part(summary.failed, summary.requested),
    }
}
