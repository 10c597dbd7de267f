//! What a slot's own invocations show, counted by pacer and workers as it happens: a few atomic additions for each.
//!
//! Each invocation carries the tally of its slot, so that what ends late is counted where it belongs.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    invoke::{Outcome, Sending, Status},
    plan::{Backlog, Judging, Late, PlannedInvocation, SlotEvidence, SlotHead},
    units,
};

/// Into how many parts the measured part of a slot is cut, to see how the number in flight grows.
const PARTS: u8 = 60;

/// Before the measured part, its parts, and after it.
const STRETCHES: usize = PARTS as usize + 2;

/// No limit of streams was met.
const NO_LIMIT: u64 = u64::MAX;

/// What invocations wait for that were handed out, and were not sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitsFor {
    /// A free stream.
    Streams,
    /// A connection.
    Connections,
}

/// The tally of one slot.
#[derive(Debug)]
pub(super) struct SlotTally {
    head: SlotHead,
    judging: Judging,
    t0: Instant,
    /// When the measured part begins.
    measured_from: Instant,
    in_time: AtomicU64,
    late_loader: AtomicU64,
    late_streams: AtomicU64,
    late_connections: AtomicU64,
    stream_limit: AtomicU64,
    succeeded: AtomicU64,
    within_slo: AtomicU64,
    answered: AtomicU64,
    /// What was sent, and what ended: before the measured part, in each part of it, and after it.
    sent: [AtomicU32; STRETCHES],
    ended: [AtomicU32; STRETCHES],
}

impl SlotTally {
    /// A tally of nothing.
    pub(super) fn new(head: SlotHead, judging: Judging, t0: Instant) -> Self {
        let zeros = || std::array::from_fn(|_| AtomicU32::new(0));
        Self {
            head,
            judging,
            t0,
            measured_from: t0 + head.start.as_duration() + judging.warmup,
            in_time: AtomicU64::new(0),
            late_loader: AtomicU64::new(0),
            late_streams: AtomicU64::new(0),
            late_connections: AtomicU64::new(0),
            stream_limit: AtomicU64::new(NO_LIMIT),
            succeeded: AtomicU64::new(0),
            within_slo: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            sent: zeros(),
            ended: zeros(),
        }
    }

    /// An invocation was sent.
    pub(super) fn sent(&self, planned: &PlannedInvocation, sending: &Sending) {
        add(&self.sent[self.part(sending.at)]);
        if !planned.counts() {
            return;
        }
        let late = sending.at.saturating_duration_since(self.due(planned));
        if late <= self.judging.lag {
            self.in_time.fetch_add(1, Ordering::Relaxed);
        } else {
            self.late(late, sending.connect, sending.stream_wait, sending.stream_limit);
        }
    }

    /// The loader did not send an invocation.
    pub(super) fn not_sent(&self, planned: &PlannedInvocation) {
        if planned.counts() {
            self.late_loader.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// An invocation has ended, now, in whatever way.
    pub(super) fn ended(&self, planned: &PlannedInvocation, outcome: &Outcome, now: Instant) {
        let Outcome { status, sent, connect, stream_wait, stream_limit, response, .. } = outcome;
        let Some(sent) = *sent else {
            let refused = matches!(status, Status::ConnectError | Status::ConnectTimeout);
            match (planned.counts(), refused) {
                (false, _) => {}
                // The platform took no connection: it was offered the load, and failed.
                (true, true) => drop(self.in_time.fetch_add(1, Ordering::Relaxed)),
                (true, false) => self.late(Duration::ZERO, *connect, *stream_wait, *stream_limit),
            }
            return;
        };
        let end = response.map_or(now, |response| sent + response);
        let part = self.part(end);
        add(&self.ended[part]);
        if response.is_some() && (1..=PARTS.into()).contains(&part) {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
        let in_time = response.is_some_and(|response| response <= self.judging.verdict);
        if planned.counts() && *status == Status::Ok && in_time {
            self.succeeded.fetch_add(1, Ordering::Relaxed);
            let from_due = end.saturating_duration_since(self.due(planned));
            if self.judging.slo.is_some_and(|slo| from_due <= slo) {
                self.within_slo.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What the slot shows so far, after a wait in which each of its invocations had its time: `due` of them, of those that count;
    /// `inherited` of earlier slots were in flight when it began. What was neither sent nor ended still waits for `what`.
    pub(super) fn evidence(&self, due: u64, inherited: u64, what: WaitsFor) -> SlotEvidence {
        let load = |count: &AtomicU64| count.load(Ordering::Acquire);
        let in_time = load(&self.in_time);
        let mut late = Late {
            loader: load(&self.late_loader),
            streams: load(&self.late_streams),
            connections: load(&self.late_connections),
            stream_limit: u32::try_from(load(&self.stream_limit)).ok(),
        };
        let waiting = due.saturating_sub(in_time + late.loader + late.streams + late.connections);
        match what {
            WaitsFor::Streams => late.streams += waiting,
            WaitsFor::Connections => late.connections += waiting,
        }
        SlotEvidence {
            slot: self.head.index,
            rate: self.head.rate,
            planned: self.head.measured,
            in_time,
            late,
            succeeded: load(&self.succeeded),
            within_slo: self.judging.slo.map(|_| load(&self.within_slo)),
            backlog: self.backlog(inherited),
        }
    }

    fn backlog(&self, inherited: u64) -> Backlog {
        let of =
            |counts: &[AtomicU32]| counts.iter().map(|count| u64::from(count.load(Ordering::Acquire))).sum::<u64>();
        // In flight at the end of each part: what was sent by then less what had ended.
        let at = |part: usize| of(&self.sent[..=part]).saturating_sub(of(&self.ended[..=part]));
        Backlog {
            inherited,
            sent: of(&self.sent[1..STRETCHES - 1]),
            answered: self.answered.load(Ordering::Acquire),
            in_flight: (0..STRETCHES - 1).map(at).collect(),
            every: self.measured() / u32::from(PARTS),
        }
    }

    /// An invocation was late, or not sent at all: to blame is what it waited for longest.
    fn late(&self, lag: Duration, connect: Option<Duration>, stream: Option<Duration>, limit: Option<u32>) {
        let (connect, stream) = (connect.unwrap_or_default(), stream.unwrap_or_default());
        let own = lag.saturating_sub(connect).saturating_sub(stream);
        let blamed = if own >= connect && own >= stream {
            &self.late_loader
        } else if stream >= connect {
            &self.late_streams
        } else {
            &self.late_connections
        };
        blamed.fetch_add(1, Ordering::Relaxed);
        if let Some(limit) = limit {
            self.stream_limit.store(limit.into(), Ordering::Relaxed);
        }
    }

    fn due(&self, planned: &PlannedInvocation) -> Instant {
        self.t0 + planned.due.as_duration()
    }

    /// Length of the measured part.
    fn measured(&self) -> Duration {
        self.head.duration.saturating_sub(self.judging.warmup)
    }

    /// The part in which an instant lies: 0 before the measured part, then its parts from 1, then what is after it.
    fn part(&self, at: Instant) -> usize {
        let Some(since) = at.checked_duration_since(self.measured_from) else { return 0 };
        let length = units::nanos(self.measured()).max(1);
        let part = u128::from(units::nanos(since)) * u128::from(PARTS) / u128::from(length);
        usize::try_from(part).map_or(STRETCHES - 1, |part| (part + 1).min(STRETCHES - 1))
    }
}

fn add(count: &AtomicU32) {
    count.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
