//! The planner thread: generates the plan ahead of the pacer, so that preparing a slot delays no invocation.
//!
//! ```text
//! plan ──▶ planner thread ──batches──▶ pacer thread
//!               ▲                         │
//!               └───── slot outcomes ─────┘   (plans that decide by them wait here between two slots; the outcome
//!                                              says when the next one may begin)
//! ```

use tokio::sync::mpsc;

use super::{
    pacer::{Item, Schedule},
    phases::Phases,
};
use crate::plan::{Plan, Slot, SlotHead, SlotOutcome};

/// Items in one batch: enough that a hand-over between threads costs little for each.
const BATCH: usize = 256;

/// Batches that the planner may be ahead.
const AHEAD: usize = 32;

/// The pacer's end of the feed.
pub(super) struct PlanFeed {
    batches: mpsc::Receiver<Vec<Item>>,
    current: std::vec::IntoIter<Item>,
    phases: Phases,
}

impl Schedule for PlanFeed {
    async fn next(&mut self) -> Option<Item> {
        loop {
            match self.current.next() {
                // A slot is asked for when the one before it has ended. Only now is it known what it counts for.
                Some(Item::Open(head)) => {
                    return Some(Item::Open(SlotHead { phase: self.phases.of(head.start), ..head }));
                }
                Some(item) => return Some(item),
                None => {}
            }
            self.current = self.batches.recv().await?.into_iter();
        }
    }
}

/// The planner's end of the feed.
pub(super) struct Planner {
    batches: mpsc::Sender<Vec<Item>>,
    outcomes: mpsc::Receiver<SlotOutcome>,
}

/// The way of slots' outcomes from the pacer to a plan that decides by them: directly, or by way of others who have shares of the
/// same plan.
#[derive(Debug)]
pub struct OutcomeExchange {
    /// Where the pacer sends what became of a slot here.
    pub own: mpsc::Sender<SlotOutcome>,
    /// Where the planner gets what became of it. It ends when the sender is dropped.
    pub decided: mpsc::Receiver<SlotOutcome>,
}

impl OutcomeExchange {
    /// The plan gets what the pacer sends.
    pub fn direct() -> Self {
        let (own, decided) = mpsc::channel(AHEAD);
        Self { own, decided }
    }
}

/// The two ends of a feed; the planner gets outcomes from there.
pub(super) fn feed(phases: Phases, outcomes: mpsc::Receiver<SlotOutcome>) -> (Planner, PlanFeed) {
    let (batches, receive_batches) = mpsc::channel(AHEAD);
    let feed = PlanFeed { batches: receive_batches, current: Vec::new().into_iter(), phases };
    (Planner { batches, outcomes }, feed)
}

impl Planner {
    /// Generates `plan` until it ends or the pacer has ended, and returns it for its counts.
    pub(super) fn run(mut self, mut plan: Box<dyn Plan>) -> Box<dyn Plan> {
        let mut previous = None;
        while let Some(slot) = plan.next_slot(previous.as_ref()) {
            if self.give(slot).is_none() {
                break;
            }
            if plan.needs_outcomes() {
                let Some(outcome) = self.outcomes.blocking_recv() else { break };
                previous = Some(outcome);
            }
        }
        plan
    }

    /// Hands a slot on; `None` when the pacer has ended.
    fn give(&self, slot: Slot) -> Option<()> {
        let Slot { index, phase, start, duration, rate, planned, measured, invocations } = slot;
        let head = SlotHead { index, phase, start, duration, rate, planned, measured };
        let close = Item::Close { slot: index, end: head.end() };
        let mut items = std::iter::once(Item::Open(head))
            .chain(invocations.map(Item::Invoke))
            .chain(std::iter::once(close))
            .peekable();
        while items.peek().is_some() {
            let batch: Vec<_> = items.by_ref().take(BATCH).collect();
            self.batches.blocking_send(batch).ok()?;
        }
        Some(())
    }
}
