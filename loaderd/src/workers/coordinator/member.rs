//! A worker, as the coordinator knows it.

use std::{collections::VecDeque, time::Duration};

use loader_proto::worker::{ClockEstimate, WorkResponse, WorkerReport, work_response};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    id::WorkerIndex,
    plan::Offset,
    record::{ClockBound, Event, WorkerClock, WorkerFacts, WorkerStanding, WorkerState},
    workers::{
        fill_in::{FillIn, Then},
        messages::{Busy, Session},
    },
};

/// What a worker is told, while its stream stands.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) session: Session,
    pub(super) to: mpsc::Sender<WorkResponse>,
    pub(super) busy: Busy,
}

/// How the rest of a lost worker's share is filled in.
#[derive(Default)]
pub(super) struct Filling {
    /// Events that are not due yet.
    pub(super) events: VecDeque<(Offset, Event)>,
    /// What comes next; absent while a step is being made.
    pub(super) next: Option<(Box<FillIn>, Then)>,
}

/// A fill-in after a step, what it has come to, and the events of the step.
pub(super) type Made = (Box<FillIn>, Then, Vec<(Offset, Event)>);

/// A step of the fill-in of a worker's share.
pub(super) struct Stepped {
    /// The worker's place.
    pub(super) place: usize,
    pub(super) made: Result<Made, String>,
}

/// A worker.
#[derive(Default)]
pub(super) struct Member {
    pub(super) index: WorkerIndex,
    /// What the process has drawn; empty before it came.
    pub(super) process: String,
    pub(super) node: String,
    pub(super) pod: String,
    pub(super) line: Option<Line>,
    /// Sessions of which batches may still come.
    pub(super) sessions: u32,
    pub(super) state: WorkerState,
    pub(super) reason: String,
    pub(super) heard: Option<Instant>,
    pub(super) next_batch: u64,
    pub(super) bytes: u64,
    pub(super) clock: Option<WorkerClock>,
    /// The longest exchange with it.
    pub(super) round_trip: Duration,
    pub(super) due: u64,
    pub(super) issued: u64,
    pub(super) report: WorkerReport,
    /// Batches in all, once it has said that the last one was sent.
    pub(super) done: Option<u64>,
    /// Why it is told to end, as the platform has it; empty: it is not, or that is not known.
    pub(super) ending: String,
    /// Its process has ended, or can't go on.
    pub(super) gone: bool,
    /// It was lost, and came back.
    pub(super) resumed: bool,
    pub(super) lost_at: Option<Instant>,
    /// When the rest of its share is filled in at the latest.
    pub(super) final_at: Option<Instant>,
    /// Of what was due before this, it is not known whether it was sent.
    pub(super) unknown_until: Offset,
    pub(super) filling: Option<Filling>,
    /// All of its share has its rows.
    pub(super) over: bool,
}

impl Member {
    pub(super) fn new(index: WorkerIndex) -> Self {
        Self { index, ..Self::default() }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost_at.is_some()
    }

    /// Why it ends that says so itself: what the platform knows of that comes first.
    pub(super) fn ends_because(&self, own: &str) -> String {
        if self.ending.is_empty() { own.to_owned() } else { format!("{}; {own}", self.ending) }
    }

    /// Whether its stream is this one.
    pub(super) fn is_on(&self, session: &Session) -> bool {
        self.line.as_ref().is_some_and(|line| line.session.number == session.number)
    }

    /// Tells it something; one that reads nothing is cut off, and is told again when it comes back.
    pub(super) fn tell(&mut self, message: work_response::Message) {
        let Some(line) = &self.line else { return };
        if line.to.try_send(WorkResponse { message: Some(message) }).is_err() {
            self.hang_up();
        }
    }

    /// Ends its stream. What arrived on it is still taken.
    pub(super) fn hang_up(&mut self) {
        if let Some(line) = self.line.take() {
            line.session.end.cancel();
        }
    }

    /// How long nothing was heard of it; what it has sent and the coordinator has not taken yet counts as heard.
    pub(super) fn silence(&mut self, now: Instant) -> Duration {
        if self.line.as_ref().is_some_and(|line| line.busy.is_busy()) {
            self.heard = Some(now);
        }
        self.heard.map_or(Duration::ZERO, |heard| now.saturating_duration_since(heard))
    }

    /// Takes a comparison of its clock.
    pub(super) fn compared(&mut self, estimate: &ClockEstimate) {
        let ClockEstimate { offset_ns, bound_ns, exchanges, at_clock_ns: _, round_trip_ns } = *estimate;
        self.round_trip = self.round_trip.max(Duration::from_nanos(round_trip_ns));
        let last = ClockBound { offset_ns, bound: Duration::from_nanos(bound_ns) };
        let exchanges = u64::from(exchanges);
        self.clock = Some(match self.clock {
            None => WorkerClock { first: last, last, worst: last.bound, exchanges },
            Some(known) => WorkerClock {
                first: known.first,
                last,
                worst: known.worst.max(last.bound),
                exchanges: known.exchanges.max(exchanges),
            },
        });
    }

    /// How it stands, for the progress.
    pub(super) fn standing(&self) -> WorkerStanding {
        WorkerStanding {
            index: self.index,
            node: self.node.clone(),
            state: self.state,
            reason: self.reason.clone(),
            due: self.due,
            issued: self.issued,
            in_flight: if self.over { 0 } else { self.report.in_flight },
            batches_kept: if self.over { 0 } else { self.report.batches_kept },
            clock: self.clock.map(|clock| clock.last),
        }
    }

    /// What is known of it at the end.
    pub(super) fn facts(&self) -> WorkerFacts {
        WorkerFacts {
            index: self.index,
            node: self.node.clone(),
            pod: self.pod.clone(),
            clock: self.clock,
            state: self.state,
            reason: self.reason.clone(),
            batches: self.next_batch,
            bytes: self.bytes,
        }
    }
}
