//! Rows as the metrics have them: the figures of the summary, by population.

use tokio::time::Instant;

use super::{Row, stalls::Stalls};
use crate::{
    metrics::{Completed, Metrics, Population, Sent, Side},
    plan::{Mark, Phase},
};

/// Exports a row.
pub(super) fn row(metrics: &Metrics, row: &Row, t0: Instant) {
    let population = population(row);
    let outcome = &row.outcome;
    if let (Some(lag), Some(own_lag)) = (row.lag(t0), row.own_lag(t0)) {
        let (connect, stream_wait) = (outcome.connect, outcome.stream_wait);
        metrics.sent(&Sent { population, lag, own_lag, connect, stream_wait });
    }
    let succeeded = row.succeeded();
    metrics.completed(&Completed {
        population,
        status: &outcome.status.as_str(),
        cold_start: outcome.cold_start,
        response: outcome.response.filter(|_| succeeded),
        receive_lag: outcome.receive_lag,
        scheduling_latency: row.scheduling_latency().filter(|_| succeeded),
        slowdown: row.slowdown().filter(|_| succeeded),
    });
}

/// How many stalls of each side were exported. A counter never falls, so stalls that turn out to be one stay counted.
#[derive(Debug, Default)]
pub(super) struct ExportedStalls([u64; 2]);

impl ExportedStalls {
    /// Exports the stalls that came since.
    pub(super) fn update(&mut self, metrics: &Metrics, stalls: &Stalls) {
        let sides = [Side::Send, Side::Receive].into_iter().zip(stalls.counts());
        for ((side, count), exported) in sides.zip(&mut self.0) {
            metrics.stalls(side, count.saturating_sub(*exported));
            *exported = count.max(*exported);
        }
    }
}

const fn population(row: &Row) -> Population {
    match (row.planned.slot.phase, row.planned.mark) {
        (Phase::Warmup, _) => Population::Warmup,
        (Phase::Measure, Mark::StepWarmup) => Population::StepWarmup,
        (Phase::Measure, _) => Population::Measure,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        invoke::{Outcome, Status},
        record::testkit::{self, head, t0, unsent},
    };

    /// The counts of the histograms of `metrics`, of those that have any.
    fn counts(metrics: &Metrics) -> Vec<String> {
        let text = metrics.encode();
        let counts = text.lines().filter(|line| line.contains("_seconds_count") && !line.ends_with(" 0"));
        let mut counts: Vec<_> = counts.map(str::to_owned).collect();
        counts.sort();
        counts
    }

    #[test]
    fn a_row_belongs_to_the_population_of_the_summary() {
        let t0 = t0();
        for (phase, mark, label) in [
            (Phase::Warmup, Mark::None, "warmup"),
            (Phase::Warmup, Mark::StepWarmup, "warmup"),
            (Phase::Measure, Mark::StepWarmup, "step_warmup"),
            (Phase::Measure, Mark::Cold, "measure"),
        ] {
            let metrics = Metrics::new();
            let mut of = testkit::row(&t0, head(0, 1), 2, 30);
            (of.planned.slot.phase, of.planned.mark) = (phase, mark);
            row(&metrics, &of, t0.instant);
            let expected = format!(r#"loader_dispatch_lag_seconds_count{{phase="{label}"}} 1"#);
            assert_eq!(counts(&metrics).first(), Some(&expected));
        }
    }

    #[test]
    fn stalls_are_counted_once_each() {
        let (metrics, mut stalls, mut exported) = (Metrics::new(), Stalls::default(), ExportedStalls::default());
        let at = Duration::from_millis;
        let count = || {
            let text = metrics.encode();
            let counts = text.lines().filter_map(|line| line.strip_prefix("loader_stalls_total{side="));
            let mut counts: Vec<_> = counts.map(str::to_owned).collect();
            counts.sort();
            counts
        };
        stalls.add(None, crate::record::stalls::Side::Send, at(10), at(30));
        exported.update(&metrics, &stalls);
        exported.update(&metrics, &stalls);
        assert_eq!(count(), [r#""receive"} 0"#, r#""send"} 1"#]);
        stalls.add(None, crate::record::stalls::Side::Send, at(50), at(70));
        stalls.add(None, crate::record::stalls::Side::Receive, at(10), at(30));
        exported.update(&metrics, &stalls);
        assert_eq!(count(), [r#""receive"} 1"#, r#""send"} 2"#]);
        // What was between the two: they were one.
        stalls.add(None, crate::record::stalls::Side::Send, at(20), at(60));
        exported.update(&metrics, &stalls);
        assert_eq!(count(), [r#""receive"} 1"#, r#""send"} 2"#]);
    }

    #[test]
    fn a_failed_invocation_has_its_lags_and_no_response() {
        let (t0, metrics) = (t0(), Metrics::new());
        let mut failed = testkit::row(&t0, head(0, 1), 2, 30);
        failed.outcome = Outcome {
            status: Status::Http(503),
            receive_lag: Some(Duration::from_micros(5)),
            stream_wait: Some(Duration::from_millis(1)),
            ..failed.outcome
        };
        row(&metrics, &failed, t0.instant);
        row(&metrics, &unsent(head(0, 1), Status::NotSent), t0.instant);
        assert_eq!(
            counts(&metrics),
            [
                r#"loader_dispatch_lag_seconds_count{phase="measure"} 1"#,
                r#"loader_own_lag_seconds_count{phase="measure"} 1"#,
                r#"loader_receive_lag_seconds_count{phase="measure"} 1"#,
                r#"loader_stream_wait_seconds_count{phase="measure"} 1"#,
            ]
        );
    }
}
