//! One row of invocations.csv.

use std::time::Duration;

use loader_proto::schema::InvocationRecord;
use tokio::time::Instant;

use crate::{
    clock::Anchor,
    dispatch::{InvocationId, SlotHead},
    id::FunctionIndex,
    invoke::{Outcome, Status},
    plan::{Mark, Offset, Phase},
};

/// What was planned for an invocation, with its function known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planned {
    /// Its id.
    pub id: InvocationId,
    /// Its slot.
    pub slot: SlotHead,
    /// What is special about it.
    pub mark: Mark,
    /// Its function.
    pub function: FunctionIndex,
    /// When it was due.
    pub due: Offset,
    /// Run time to ask for, in microseconds.
    pub runtime_us: u32,
    /// Memory to ask for, in MiB.
    pub memory_mib: u32,
}

impl Planned {
    /// Whether it counts in the statistics of its slot.
    pub fn counts(&self) -> bool {
        self.mark != Mark::StepWarmup
    }

    /// Whether it counts in the distributions of the run.
    pub fn is_measured(&self) -> bool {
        self.counts() && self.slot.phase == Phase::Measure
    }
}

/// What was planned, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was planned.
    pub planned: Planned,
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

    /// The row of invocations.csv.
    pub(super) fn record<'a>(
        &'a self,
        run_id: &'a str,
        function: &'a str,
        t0: &Anchor,
        saturated: bool,
    ) -> InvocationRecord<'a> {
        let Self { planned, outcome } = self;
        let Planned { id, slot, mark, function: _, due, runtime_us, memory_mib } = planned;
        let due = t0.unix.plus(due.as_duration());
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
            dispatch_lag_us: lag.map(|lag| i64::try_from(lag.as_micros()).unwrap_or(i64::MAX)),
            requested_runtime_us: (*runtime_us).into(),
            requested_memory_kib: u64::from(*memory_mib) * 1024,
            saturated,
            ..outcome.record()
        }
    }
}
