//! One row of invocations.csv.

use std::{borrow::Cow, time::Duration};

use tokio::time::Instant;

use crate::{
    clock::Anchor,
    invoke::{Outcome, Status},
    plan::{Observed, PlannedInvocation},
};

/// The columns of invocations.csv.
pub(super) const COLUMNS: [&str; 21] = [
    "run_id",
    "invocation_id",
    "function",
    "phase",
    "slot",
    "mark",
    "due_unix_us",
    "sent_unix_us",
    "dispatch_lag_us",
    "connect_us",
    "response_us",
    "requested_runtime_us",
    "actual_runtime_us",
    "requested_memory_kib",
    "actual_memory_kib",
    "status",
    "error",
    "instance",
    "cold_start",
    "instance_started_unix_us",
    "saturated",
];

/// What was planned, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was planned.
    pub planned: PlannedInvocation,
    /// What came of it.
    pub outcome: Outcome,
}

impl Row {
    /// Sent minus due; the time that a connection took is in it. Nothing is sent before it is due.
    pub fn lag(&self, t0: Instant) -> Option<Duration> {
        let due = t0 + self.planned.due.as_duration();
        self.outcome.sent.map(|sent| sent.saturating_duration_since(due))
    }

    /// The part of the lag that is the loader's own: without the time that a connection took.
    pub fn own_lag(&self, t0: Instant) -> Option<Duration> {
        self.lag(t0).map(|lag| lag.saturating_sub(self.outcome.connect.unwrap_or_default()))
    }

    /// Response minus execution.
    pub fn scheduling_latency(&self) -> Option<Duration> {
        let execution = Duration::from_micros(self.outcome.runtime_us?.into());
        self.outcome.response.map(|response| response.saturating_sub(execution))
    }

    /// Response over requested run time; absent where none was requested.
    pub fn slowdown(&self) -> Option<f64> {
        let requested = Duration::from_micros(self.planned.runtime_us.into());
        let response = self.outcome.response?;
        (!requested.is_zero()).then(|| response.as_secs_f64() / requested.as_secs_f64())
    }

    /// Whether the function did what was asked.
    pub fn succeeded(&self) -> bool {
        self.outcome.status == Status::Ok
    }

    /// Whether the loader was too slow for it: late by more than `bound`, or not sent at all.
    pub fn is_saturated(&self, t0: Instant, bound: Duration) -> bool {
        self.outcome.status == Status::NotSent || self.own_lag(t0).is_some_and(|lag| lag > bound)
    }

    /// The row as the collector of a mode sees it.
    pub(super) fn observed(&self, t0: Instant) -> Observed<'_> {
        Observed {
            planned: &self.planned,
            succeeded: self.succeeded(),
            lag: self.lag(t0),
            response: self.outcome.response,
            cold_start: self.outcome.cold_start,
        }
    }

    /// The fields in the order of [`COLUMNS`].
    pub(super) fn fields<'a>(
        &'a self,
        run_id: &'a str,
        function: &'a str,
        t0: &Anchor,
        saturated: bool,
    ) -> [Cow<'a, str>; COLUMNS.len()] {
        let Self { planned, outcome } = self;
        let due = t0.unix.plus(planned.due.as_duration());
        let lag = self.lag(t0.instant);
        let micros = |duration: Option<Duration>| optional(duration.map(|duration| duration.as_micros()));
        [
            run_id.into(),
            planned.id.to_string().into(),
            function.into(),
            planned.slot.phase.as_str().into(),
            planned.slot.index.to_string().into(),
            planned.mark.as_str().into(),
            due.0.to_string().into(),
            optional(lag.map(|lag| due.plus(lag).0)),
            micros(lag),
            micros(outcome.connect),
            micros(outcome.response),
            planned.runtime_us.to_string().into(),
            optional(outcome.runtime_us),
            (u64::from(planned.memory_mib) * 1024).to_string().into(),
            optional(outcome.memory_kib),
            outcome.status.as_str(),
            outcome.error.as_str().into(),
            outcome.instance.as_str().into(),
            optional(outcome.cold_start),
            optional(outcome.instance_started.map(|started| started.0)),
            boolean(saturated).into(),
        ]
    }
}

/// The value as text; empty when it is absent.
pub(super) fn optional<T: ToString>(value: Option<T>) -> Cow<'static, str> {
    value.map_or(Cow::Borrowed(""), |value| value.to_string().into())
}

/// `true` or `false`.
pub(super) const fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
