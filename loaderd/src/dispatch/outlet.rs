//! What the pacer does with what comes due: picks the function, a worker, and hands the job over.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, mpsc::SyncSender},
};

use tokio::sync::mpsc::{self, error::TrySendError};

use super::{
    Counters, ScaleBoard,
    pacer::{InvocationId, Outlet, SlotHead},
    worker::Job,
};
use crate::{
    id::FunctionIndex,
    invoke::{Outcome, Status},
    plan::{Invocation, Mark, SlotOutcome, Target},
    record::{Event, Planned, Row},
};

/// What an outlet works with.
pub(super) struct Parts {
    pub(super) jobs: Vec<mpsc::Sender<Job>>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) counters: Arc<Counters>,
    pub(super) board: Arc<ScaleBoard>,
    pub(super) pool: Range<u32>,
    pub(super) max_in_flight: u64,
    /// Whether a function's invocations all go to one worker; otherwise workers take turns.
    pub(super) by_function: bool,
    pub(super) outcomes: Option<SyncSender<SlotOutcome>>,
}

/// Events that may wait for room in the recorder's channel. Only an overloaded loader gets here, by rows of what it could
/// not send; then the pacer waits, so that memory stays bounded and what follows is late instead of lost.
const MOST_WAITING: usize = 1 << 16;

/// The pacer's way into the rest of the run. Nothing in it blocks, unless the recorder is hopelessly behind.
pub(super) struct RunOutlet {
    parts: Parts,
    backlog: VecDeque<Event>,
    turn: usize,
    dispatched: u64,
    shortfall: u64,
}

impl RunOutlet {
    pub(super) fn new(parts: Parts) -> Self {
        Self { parts, backlog: VecDeque::new(), turn: 0, dispatched: 0, shortfall: 0 }
    }

    /// Tells what is left to tell; the load is over, so waiting does no harm any more.
    pub(super) async fn finish(self) {
        for event in self.backlog {
            if self.parts.events.send(event).await.is_err() {
                return;
            }
        }
    }

    /// Tells the recorder, without waiting for room: what does not fit now is told later.
    async fn tell(&mut self, event: Event) {
        self.backlog.push_back(event);
        while let Some(event) = self.backlog.pop_front() {
            match self.parts.events.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) if self.backlog.len() < MOST_WAITING => {
                    return self.backlog.push_front(event);
                }
                Err(TrySendError::Full(event)) => {
                    if self.parts.events.send(event).await.is_err() {
                        return;
                    }
                }
                Err(TrySendError::Closed(_)) => return,
            }
        }
    }

    /// Settles whom the invocation is for. One that found no cold function goes to the hot one, unmarked.
    fn resolve(&mut self, id: InvocationId, slot: SlotHead, invocation: Invocation) -> Planned {
        let Invocation { due, target, runtime_us, memory_mib, mark } = invocation;
        let (function, mark) = match target {
            Target::Function(function) => (function, mark),
            Target::Cold { otherwise } => match self.parts.board.claim(&self.parts.pool) {
                Some(function) => (function, mark),
                None => {
                    self.shortfall += 1;
                    (otherwise, Mark::None)
                }
            },
        };
        Planned { id, slot, mark, function, due, runtime_us, memory_mib }
    }

    fn worker(&mut self, function: FunctionIndex) -> usize {
        let workers = self.parts.jobs.len();
        if self.parts.by_function {
            return function.as_usize() % workers;
        }
        self.turn = (self.turn + 1) % workers;
        self.turn
    }

    async fn not_sent(&mut self, planned: Planned, why: String) {
        let row = Row { planned, outcome: Outcome::bare(Status::NotSent, why) };
        self.tell(Event::Row(Box::new(row))).await;
    }
}

impl Outlet for RunOutlet {
    async fn open(&mut self, head: SlotHead) {
        self.dispatched = 0;
        self.shortfall = 0;
        self.tell(Event::Opened(head)).await;
    }

    async fn invoke(&mut self, id: InvocationId, slot: SlotHead, invocation: Invocation) {
        self.dispatched += 1;
        self.parts.counters.came_due();
        let planned = self.resolve(id, slot, invocation);
        let limit = self.parts.max_in_flight;
        if self.parts.counters.in_flight() >= limit {
            return self.not_sent(planned, format!("{limit} invocations are out already (maxInFlight)")).await;
        }
        self.parts.counters.handed_out();
        let worker = self.worker(planned.function);
        if let Err(TrySendError::Full(job) | TrySendError::Closed(job)) =
            self.parts.jobs[worker].try_send(Job { planned })
        {
            self.parts.counters.ended(false, false);
            self.not_sent(job.planned, "the worker takes no more invocations".to_owned()).await;
        }
    }

    async fn close(&mut self, head: SlotHead, complete: bool) {
        let (dispatched, shortfall) = (self.dispatched, self.shortfall);
        self.tell(Event::Closed { head, dispatched, shortfall, complete }).await;
        let outcome = self.parts.counters.close(head.index, shortfall);
        if let (true, Some(outcomes)) = (complete, &self.parts.outcomes) {
            // The planner waits for this one, so there is room; it is gone when the run is being ended.
            let _gone = outcomes.try_send(outcome);
        }
    }
}
