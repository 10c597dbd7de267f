//! What the pacer does with what comes due: picks the function and a worker, and hands the invocation over.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::mpsc::{self, error::TrySendError};

use super::{
    counters::Counters,
    exact_runtimes::ExactRuntimes,
    memory_gauge::MemoryGauge,
    pacer::Sink,
    scale_state::ScaleState,
    slot_end::SlotEnds,
    worker::{Calls, Job},
};
use crate::{
    id::FunctionIndex,
    invoke::{Outcome, Status},
    plan::{ColdPool, Invocation, InvocationId, Mark, PlannedInvocation, Rounding, SlotHead, SlotOutcome, Target},
    record::{Event, Flight, Row},
};

/// Where invocations and events go, and by which rules.
pub(super) struct Routing {
    /// The queue of each worker.
    pub(super) workers: Vec<mpsc::Sender<Job>>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) counters: Arc<Counters>,
    pub(super) scales: Arc<ScaleState>,
    pub(super) exact: Arc<ExactRuntimes>,
    pub(super) rounding: Rounding,
    /// The functions from which a cold one is picked.
    pub(super) cold_pool: ColdPool,
    pub(super) max_in_flight: u64,
    pub(super) memory: MemoryGauge,
    /// Whether a function's invocations all go to one worker; otherwise workers take turns.
    pub(super) by_function: bool,
    /// Judges the slots of a plan that asks for it.
    pub(super) slot_ends: Option<SlotEnds>,
    /// To the planner of a plan that decides by outcomes.
    pub(super) outcomes: Option<mpsc::Sender<SlotOutcome>>,
}

/// Events that may wait for room in the recorder's channel. Only an overloaded loader gets here, by rows of what it could
/// not send; then the pacer waits, so that memory stays bounded and what follows is late instead of lost.
const MOST_WAITING: usize = 1 << 16;

/// Hands invocations to workers and events to the recorder. Nothing in it blocks, unless the recorder is hopelessly behind.
pub(super) struct Handoff {
    routing: Routing,
    /// Makes calls on this thread; absent where workers have threads of their own.
    here: Option<Calls>,
    backlog: VecDeque<Event>,
    turn: usize,
    dispatched: u64,
    shortfall: u64,
}

impl Handoff {
    pub(super) fn new(routing: Routing, here: Option<Calls>) -> Self {
        Self { routing, here, backlog: VecDeque::new(), turn: 0, dispatched: 0, shortfall: 0 }
    }

    /// Sends the events that are left; the load is over, so waiting delays nothing.
    pub(super) async fn finish(self) {
        for event in self.backlog {
            if self.routing.events.send(event).await.is_err() {
                return;
            }
        }
    }

    /// Sends an event to the recorder without waiting for room: what does not fit now is sent later.
    async fn report(&mut self, event: Event) {
        self.backlog.push_back(event);
        while let Some(event) = self.backlog.pop_front() {
            match self.routing.events.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) if self.backlog.len() < MOST_WAITING => {
                    return self.backlog.push_front(event);
                }
                Err(TrySendError::Full(event)) => {
                    if self.routing.events.send(event).await.is_err() {
                        return;
                    }
                }
                Err(TrySendError::Closed(_)) => return,
            }
        }
    }

    /// Chooses the function of the invocation. One that found no cold function goes to the hot one, unmarked.
    fn resolve(&mut self, id: InvocationId, slot: SlotHead, invocation: Invocation) -> PlannedInvocation {
        let Invocation { due, target, runtime_us, memory_mib, clamped, mark, place } = invocation;
        let (function, mark) = match target {
            Target::Function(function) => (function, mark),
            Target::Cold { otherwise } => match self.routing.scales.claim(&self.routing.cold_pool) {
                Some(function) => (function, mark),
                None => {
                    self.shortfall += 1;
                    (otherwise, Mark::None)
                }
            },
        };
        let rounded = place.and_then(|place| place.runtime_ms);
        let runtime_ms = rounded.unwrap_or_else(|| self.routing.rounding.millis(function, runtime_us));
        let ordinal = place.map(|place| place.ordinal);
        PlannedInvocation { id, ordinal, slot, mark, function, due, runtime_us, runtime_ms, memory_mib, clamped }
    }

    fn worker(&mut self, function: FunctionIndex) -> usize {
        let workers = self.routing.workers.len();
        if self.routing.by_function {
            return function.as_usize() % workers;
        }
        self.turn = (self.turn + 1) % workers;
        self.turn
    }

    async fn not_sent(&mut self, planned: PlannedInvocation, flight: Flight, reason: String) {
        let outcome = self.routing.exact.settle(&planned, Outcome::bare(Status::NotSent, reason));
        if let Some(tally) = self.routing.slot_ends.as_ref().and_then(|ends| ends.tally.as_ref()) {
            tally.not_sent(&planned);
        }
        let row = Row { planned, outcome, flight, worker: None };
        self.report(Event::Row(Box::new(row))).await;
    }
}

impl Sink for Handoff {
    async fn open(&mut self, head: SlotHead) {
        self.dispatched = 0;
        self.shortfall = 0;
        if let Some(ends) = &mut self.routing.slot_ends {
            ends.open(head);
        }
        let memory = self.routing.memory.open(&self.routing.counters);
        self.report(Event::Opened { head, memory }).await;
    }

    async fn invoke(&mut self, id: InvocationId, slot: SlotHead, invocation: Invocation) {
        self.dispatched += 1;
        self.routing.counters.came_due(invocation.due);
        let planned = self.resolve(id, slot, invocation);
        if let Some(ends) = &mut self.routing.slot_ends {
            ends.came_due(&planned);
        }
        let limit = self.routing.max_in_flight;
        if self.routing.counters.in_flight() >= limit {
            let reason = format!("{limit} invocations are in flight already (maxInFlight)");
            return self.not_sent(planned, Flight::Never, reason).await;
        }
        if let Some(reason) = self.routing.memory.refusal(&self.routing.counters, planned.memory_mib) {
            return self.not_sent(planned, Flight::OverMemory, reason).await;
        }
        self.routing.memory.handed_out(self.routing.counters.handed_out(planned.memory_mib));
        let tally = self.routing.slot_ends.as_ref().and_then(|ends| ends.tally.clone());
        if let Some(make) = &self.here {
            return make(Job { planned, tally });
        }
        let worker = self.worker(planned.function);
        if let Err(TrySendError::Full(Job { planned, .. }) | TrySendError::Closed(Job { planned, .. })) =
            self.routing.workers[worker].try_send(Job { planned, tally })
        {
            self.routing.counters.ended(planned.memory_mib);
            self.not_sent(planned, Flight::Never, "the worker accepts no more invocations".to_owned()).await;
        }
    }

    async fn close(&mut self, head: SlotHead, complete: bool) {
        let (slot, shortfall) = (head.index, self.shortfall);
        let memory_peak_mib = self.routing.memory.peak_mib();
        let mut outcome = SlotOutcome { slot, shortfall, next_start: head.end(), evidence: None };
        if let (true, Some(ends)) = (complete, &mut self.routing.slot_ends) {
            // The planner waits for the outcome, so nothing is due before the wait is over.
            outcome = ends.close(head, &self.routing.counters, outcome).await;
        }
        let (dispatched, reported) = (self.dispatched, outcome.clone());
        self.report(Event::Closed { head, dispatched, outcome: reported, complete, memory_peak_mib }).await;
        if let (true, Some(outcomes)) = (complete, &self.routing.outcomes) {
            // The planner waits for this one, so there is room; it is closed when the run is being ended.
            let _closed = outcomes.try_send(outcome);
        }
    }
}
