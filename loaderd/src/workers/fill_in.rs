//! The share of a lost worker, generated again: each of its invocations that has no row gets one, so that nothing is missing.
//!
//! ```text
//! due:   ──────────────┬──────────── unknown until ─────────────▶
//! row:   has one, or   │  unfinished: not known whether sent   │  not sent
//! ```
//!
//! The fill-in continues the worker's stream where it stopped: it opens and closes slots, so that the merge needs no other rule. It is
//! pure and goes step by step, as the outcomes of slots are known later than it would ask for them. A plan that needs outcomes gets
//! those that it had, from the first slot on.

use crate::{
    clock::Anchor,
    id::FunctionIndex,
    invoke::{Outcome, Status},
    plan::{
        Invocation, InvocationId, Mark, Offset, Plan, PlannedInvocation, Slot, SlotHead, SlotOutcome, Target,
        whole_millis,
    },
    record::{Event, Flight, MemoryLevel, Row},
};

use super::merge::Standing;

/// Why there are rows to fill in.
#[derive(Debug, Clone)]
pub(super) struct Loss {
    /// Such as `worker 3 was lost: killed by signal 9`.
    pub(super) reason: String,
    /// Of what was due before this, it is not known whether it was sent.
    pub(super) unknown_until: Offset,
}

/// What a step of a fill-in has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// There is more.
    More,
    /// It needs the outcome of this slot to go on.
    Outcome(u32),
    /// The share is complete.
    Ended,
}

/// The slot that is being filled in.
struct Current {
    head: SlotHead,
    invocations: Box<dyn Iterator<Item = Invocation> + Send>,
    /// Invocations of the share so far.
    due: u64,
}

/// Fills in the rest of a share.
pub(super) struct FillIn {
    plan: Box<dyn Plan>,
    standing: Standing,
    loss: Loss,
    t0: Anchor,
    current: Option<Current>,
    previous: Option<SlotOutcome>,
    /// The slot whose outcome is needed next.
    needs: Option<u32>,
    ended: bool,
}

impl FillIn {
    /// The rest of the share that `plan` is, from its first slot on; `standing` is how far the worker's stream came.
    pub(super) fn new(plan: Box<dyn Plan>, standing: Standing, loss: Loss, t0: Anchor) -> Self {
        Self { plan, standing, loss, t0, current: None, previous: None, needs: None, ended: false }
    }

    /// The outcome that [`Then::Outcome`] asked for.
    pub(super) fn outcome(&mut self, outcome: SlotOutcome) {
        if self.needs == Some(outcome.slot) {
            self.needs = None;
            self.previous = Some(outcome);
        }
    }

    /// Appends up to about `most` events, each with the instant from which it is due.
    pub(super) fn step(&mut self, most: usize, events: &mut Vec<(Offset, Event)>) -> Then {
        // What has a row already costs time as well.
        for _ in 0..most {
            if let Some(slot) = self.needs {
                return Then::Outcome(slot);
            }
            if self.ended {
                return Then::Ended;
            }
            match self.current.take() {
                Some(current) => self.advance(current, events),
                None => self.open(events),
            }
        }
        Then::More
    }

    fn open(&mut self, events: &mut Vec<(Offset, Event)>) {
        let Some(slot) = self.plan.next_slot(self.previous.as_ref()) else {
            self.ended = true;
            return;
        };
        let Slot { index, phase, start, duration, rate, planned, measured, invocations } = slot;
        let head = SlotHead { index, phase, start, duration, rate, planned, measured };
        if index >= self.standing.next {
            let memory = MemoryLevel { at: self.t0.instant + start.as_duration(), mib: 0 };
            events.push((start, Event::Opened { head, memory }));
        }
        self.current = Some(Current { head, invocations, due: 0 });
    }

    fn advance(&mut self, mut current: Current, events: &mut Vec<(Offset, Event)>) {
        let Some(invocation) = current.invocations.next() else { return self.close(&current, events) };
        current.due += 1;
        let ordinal = invocation.place.map(|place| place.ordinal);
        if ordinal.is_some_and(|ordinal| !self.standing.seen.has(current.head.index, ordinal)) {
            events.push((invocation.due, Event::Row(Box::new(self.row(current.head, invocation)))));
        }
        self.current = Some(current);
    }

    fn close(&mut self, current: &Current, events: &mut Vec<(Offset, Event)>) {
        let Current { head, due, .. } = *current;
        let slot = head.index;
        if slot >= self.standing.next || self.standing.open == Some(slot) {
            let outcome = SlotOutcome { slot, next_start: head.end(), ..SlotOutcome::default() };
            let closed = Event::Closed { head, dispatched: due, outcome, complete: true, memory_peak_mib: 0 };
            events.push((head.end(), closed));
        }
        if self.plan.needs_outcomes() {
            self.needs = Some(slot);
        }
    }

    fn row(&self, slot: SlotHead, invocation: Invocation) -> Row {
        let Invocation { due, target, runtime_us, memory_mib, clamped, mark, place } = invocation;
        // Whether a cold function would have been found is not known.
        let (function, mark) = match target {
            Target::Function(function) => (function, mark),
            Target::Cold { otherwise } => (otherwise, Mark::None),
        };
        let number = place.map_or(0, |place| place.number);
        let runtime_ms = place.and_then(|place| place.runtime_ms).unwrap_or_else(|| whole_millis(runtime_us, 0.5));
        let planned = PlannedInvocation {
            id: InvocationId::due(self.plan.unit(), due, number),
            ordinal: place.map(|place| place.ordinal),
            slot,
            mark,
            function,
            due,
            runtime_us,
            runtime_ms,
            memory_mib,
            clamped,
        };
        Row { planned, outcome: self.outcome_of(due, function), flight: Flight::Never, worker: None }
    }

    fn outcome_of(&self, due: Offset, function: FunctionIndex) -> Outcome {
        let Loss { reason, unknown_until } = &self.loss;
        let outcome = if due < *unknown_until {
            Outcome::bare(Status::Unfinished, format!("{reason}; whether it was sent is not known"))
        } else {
            Outcome::bare(Status::NotSent, reason.clone())
        };
        let exact_runtime = self.standing.exact.get(function.as_usize()).copied().flatten();
        Outcome { exact_runtime, ..outcome }
    }
}
