//! One row of invocations.csv.

use std::time::Duration;

use loader_proto::schema::InvocationRecord;
use tokio::time::Instant;

use super::{Flight, Instances};
use crate::{
    clock::{Anchor, UnixMicros},
    id::WorkerIndex,
    invoke::{Outcome, Status},
    plan::{Observed, PlannedInvocation},
    units,
};

/// A planned invocation and its outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The invocation as it was planned.
    pub planned: PlannedInvocation,
    /// The outcome of the invocation.
    pub outcome: Outcome,
    /// Whether and until when it was in flight.
    pub flight: Flight,
    /// The worker whose share it was in; absent of a run without workers.
    pub worker: Option<WorkerIndex>,
}

impl Row {
    /// Dispatch lag: sent minus due, all of it. Nothing is sent before it is due.
    pub fn lag(&self, t0: Instant) -> Option<Duration> {
        let due = t0 + self.planned.due.as_duration();
        self.outcome.sent.map(|sent| sent.saturating_duration_since(due))
    }

    /// How long it waited for a connection and for a stream.
    pub fn waited(&self) -> Duration {
        let Outcome { connect, stream_wait, .. } = &self.outcome;
        connect.unwrap_or_default() + stream_wait.unwrap_or_default()
    }

    /// The part of the lag that is the loader's own: without the waits for a connection and for a stream.
    pub fn own_lag(&self, t0: Instant) -> Option<Duration> {
        self.lag(t0).map(|lag| lag.saturating_sub(self.waited()))
    }

    /// What the loader itself added: before the send, and behind the arrival of the answer.
    pub fn own_delay(&self, t0: Instant) -> Duration {
        self.own_lag(t0).unwrap_or_default() + self.outcome.receive_lag.unwrap_or_default()
    }

    /// Whether it waited for a connection or a stream for longer than `bound`, or was not sent for it.
    pub fn was_held(&self, bound: Duration) -> bool {
        let waited = self.waited();
        waited > bound || (self.outcome.status == Status::NotSent && !waited.is_zero())
    }

    /// Response time minus the execution time that the function measured; absent when either is unknown, or the function
    /// measured more than the response took.
    pub fn scheduling_latency(&self) -> Option<Duration> {
        let execution = Duration::from_micros(self.outcome.runtime_us?.into());
        self.outcome.response?.checked_sub(execution)
    }

    /// Run time that the function was asked for, in microseconds: the exact one where the function follows it, else that of
    /// the request's own field.
    pub fn requested_runtime_us(&self) -> u64 {
        let PlannedInvocation { runtime_us, runtime_ms, .. } = self.planned;
        if self.outcome.exact_runtime == Some(true) { runtime_us.into() } else { u64::from(runtime_ms) * 1000 }
    }

    /// Response over requested run time; absent where none was requested. It says something only of functions that run for
    /// as long as requested.
    pub fn slowdown(&self) -> Option<f64> {
        let requested = Duration::from_micros(self.requested_runtime_us());
        let response = self.outcome.response?;
        (!requested.is_zero()).then(|| response.as_secs_f64() / requested.as_secs_f64())
    }

    /// Whether the function did what was requested.
    pub fn succeeded(&self) -> bool {
        self.outcome.status == Status::Ok
    }

    /// Whether the loader was too slow for it: late by more than `bound`, or not sent without having waited for anyone else. What the
    /// run's own bound of the memory in flight held back was not the loader's fault.
    pub fn is_saturated(&self, t0: Instant, bound: Duration) -> bool {
        let not_sent = self.outcome.status == Status::NotSent && self.waited().is_zero();
        (not_sent && self.flight != Flight::OverMemory) || self.own_lag(t0).is_some_and(|lag| lag > bound)
    }

    /// Whether the run's own bound of the invocations in flight held it back.
    pub(super) fn is_over_limit(&self) -> bool {
        self.outcome.status == Status::NotSent && self.outcome.error.ends_with("(maxInFlight)")
    }

    /// The row as passed to the collector of a mode.
    pub(super) fn observed(&self, t0: Instant) -> Observed<'_> {
        Observed {
            planned: &self.planned,
            succeeded: self.succeeded(),
            lag: self.lag(t0),
            response: self.outcome.response,
            cold_start: self.outcome.cold_start,
        }
    }

    /// When it was due.
    pub(super) fn due(&self, t0: &Anchor) -> UnixMicros {
        t0.unix.plus(self.planned.due.as_duration())
    }

    /// The row of invocations.csv; `instances` are those of its function when it was due.
    pub(super) fn record<'a>(
        &'a self,
        run_id: &'a str,
        function: &'a str,
        t0: &Anchor,
        saturated: bool,
        instances: Option<Instances>,
    ) -> InvocationRecord<'a> {
        let Self { planned, outcome, flight: _, worker } = self;
        let PlannedInvocation {
            id,
            ordinal: _,
            slot,
            mark,
            function: _,
            due: _,
            runtime_us: _,
            runtime_ms: _,
            memory_mib,
            clamped: _,
        } = planned;
        let due = self.due(t0);
        let lag = self.lag(t0.instant);
        InvocationRecord {
            run_id: run_id.into(),
            invocation_id: id.to_string().into(),
            function: function.into(),
            phase: slot.phase.as_str().into(),
            slot: slot.index,
            mark: mark.as_str().into(),
            due_unix_us: due.0,
            sent_unix_us: lag.map(|lag| due.plus(lag).0),
            dispatch_lag_us: lag.map(|lag| units::to_i64(lag.as_micros())),
            requested_runtime_us: self.requested_runtime_us(),
            requested_memory_kib: u64::from(*memory_mib) * 1024,
            saturated,
            instances: instances.map(|it| it.ready),
            instances_desired: instances.map(|it| it.desired),
            worker: worker.map(|worker| worker.0.into()),
            ..outcome.record()
        }
    }
}

#[cfg(test)]
mod tests {
    use loader_proto::schema::{Invocations, Row as _, Table as _};

    use super::*;
    use crate::{
        plan::Mark,
        platform::{Scale, ScaleSample},
        record::{
            ScaleHistory,
            testkit::{head, row, t0},
        },
    };

    #[test]
    fn the_requested_run_time_is_what_the_function_was_asked() {
        let t0 = t0();
        for (runtime_us, runtime_ms, exact, requested, slowdown) in [
            (12_345, 13, Some(true), 12_345, Some(0.024_69 / 0.012_345)),
            (12_345, 13, Some(false), 13_000, Some(0.024_69 / 0.013)),
            (12_345, 12, None, 12_000, Some(0.024_69 / 0.012)),
            (300, 0, Some(false), 0, None),
            (300, 0, Some(true), 300, Some(0.024_69 / 0.000_3)),
            (12_000, 12, None, 12_000, Some(0.024_69 / 0.012)),
        ] {
            let mut row = row(&t0, head(1, 1), 3, 5);
            row.planned = PlannedInvocation { runtime_us, runtime_ms, ..row.planned };
            row.outcome =
                Outcome { exact_runtime: exact, response: Some(Duration::from_micros(24_690)), ..row.outcome };
            let record = row.record("run", "f", &t0, false, None);
            assert_eq!(record.requested_runtime_us, requested, "{runtime_us} µs, {exact:?}");
            assert_eq!(row.slowdown(), slowdown, "{runtime_us} µs, {exact:?}");
        }
    }

    #[test]
    fn every_declared_column_is_set() {
        let t0 = t0();
        let mut full = row(&t0, head(1, 1), 3, 5);
        full.planned.mark = Mark::Cold;
        full.worker = Some(WorkerIndex(3));
        full.outcome = Outcome {
            error: "why".to_owned(),
            connect: Some(Duration::from_millis(1)),
            response_bytes: Some(9),
            stream_wait: Some(Duration::from_millis(2)),
            receive_lag: Some(Duration::from_micros(3)),
            instance_started: Some(UnixMicros(7)),
            cold_start: Some(true),
            ..full.outcome
        };
        let history = ScaleHistory::new(1, Duration::ZERO);
        let scale = Scale { running: 2, desired: 3, ..Scale::default() };
        history.add(&ScaleSample { at: UnixMicros(1), function: full.planned.function, scale, source: None });
        let instances = history.at(full.planned.function, full.due(&t0));
        let record = full.record("run", "f", &t0, true, instances);
        let (set, unset) = (record.fields(), InvocationRecord::default().fields());
        for ((column, set), unset) in Invocations::SCHEMA.header().zip(set).zip(unset) {
            assert_ne!(
                set, unset,
                "column {column} is declared, but neither `Outcome::record` nor `Row::record` sets it"
            );
        }
    }
}
