//! The end of a slot that is judged: waits until what it left has drained, and gives the plan what it showed.
//!
//! ```text
//! close ──nothing in flight──▶ the next slot begins where this one ended
//!   └─────in flight──▶ wait: drained, or the longest wait is over ──▶ the next slot begins shortly after that
//! ```

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{
    counters::Counters,
    sleeper::Stop,
    tally::{SlotTally, WaitsFor},
};
use crate::{
    clock::Clock,
    invoke::ConnectionCount,
    plan::{Judging, Offset, PlannedInvocation, SlotHead, SlotOutcome},
    units,
};

/// From the end of a wait to the begin of the next slot: enough for the planner to prepare it.
const LEAD: Duration = Duration::from_millis(10);

/// Judges the slots of a plan, one after the other.
#[derive(Debug)]
pub(super) struct SlotEnds {
    pub(super) judging: Judging,
    pub(super) t0: Instant,
    pub(super) clock: Clock,
    pub(super) stop: Stop,
    pub(super) connections: ConnectionCount,
    /// Of the slot under way.
    pub(super) tally: Option<Arc<SlotTally>>,
    /// How many invocations came due in it that count: all of them, or those of this worker's share.
    pub(super) due: u64,
    /// The same two of the slot before, in a plan that does not wait.
    pub(super) before: Option<(Arc<SlotTally>, u64)>,
    /// In flight of earlier slots when the slot under way began.
    pub(super) inherited: u64,
}

impl SlotEnds {
    pub(super) fn new(judging: Judging, t0: Instant, clock: Clock, stop: Stop, connections: ConnectionCount) -> Self {
        Self { judging, t0, clock, stop, connections, tally: None, due: 0, before: None, inherited: 0 }
    }

    /// A slot begins.
    pub(super) fn open(&mut self, head: SlotHead) {
        self.tally = Some(Arc::new(SlotTally::new(head, self.judging, self.t0)));
        self.due = 0;
    }

    /// An invocation of the slot under way came due.
    pub(super) fn came_due(&mut self, planned: &PlannedInvocation) {
        self.due += u64::from(planned.counts());
    }

    /// A slot was carried out to its end: completes its outcome, after the wait that the plan asks for.
    pub(super) async fn close(&mut self, head: SlotHead, counters: &Counters, outcome: SlotOutcome) -> SlotOutcome {
        let Some(tally) = self.tally.take() else { return outcome };
        let Some(longest) = self.judging.longest_wait() else {
            // Each invocation of the slot before has had its time by now.
            let before = self.before.replace((tally, self.due));
            let evidence = before.map(|(before, due)| Box::new(before.evidence(due, 0, self.waits_for())));
            return SlotOutcome { evidence, next_start: head.end(), ..outcome };
        };
        let begun = counters.in_flight() == 0;
        if !begun && !self.waited(counters, longest).await {
            return SlotOutcome { next_start: head.end(), ..outcome };
        }
        let evidence = Some(Box::new(tally.evidence(self.due, self.inherited, self.waits_for())));
        self.inherited = counters.in_flight();
        let next_start = if begun { head.end() } else { self.soon() };
        SlotOutcome { evidence, next_start, ..outcome }
    }

    /// What invocations wait for that are not sent yet: where connections stand and none is being made, for streams.
    fn waits_for(&self) -> WaitsFor {
        let Self { connections, .. } = self;
        if connections.open() > 0 && connections.connecting() == 0 { WaitsFor::Streams } else { WaitsFor::Connections }
    }

    /// Waits until nothing is in flight, at most so long; false when the run was stopped meanwhile.
    async fn waited(&self, counters: &Counters, longest: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.stop.stopped() => false,
            _drained_or_not = timeout(longest, counters.idle()) => true,
        }
    }

    /// The earliest begin of a slot that is asked for now.
    fn soon(&self) -> Offset {
        let now = self.clock.now().saturating_duration_since(self.t0);
        Offset::from_nanos(units::nanos(now + LEAD))
    }
}

#[cfg(test)]
mod tests;
