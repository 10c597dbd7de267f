//! A slot of the merged stream.

use crate::{
    plan::{SlotHead, SlotOutcome},
    record::Event,
    workers::outcomes,
};

/// How a slot's time ended for one worker.
#[derive(Debug)]
pub(super) struct Closing {
    /// How many invocations of its share came due.
    pub(super) dispatched: u64,
    pub(super) outcome: SlotOutcome,
    /// Whether it was carried out to its end.
    pub(super) complete: bool,
    pub(super) memory_peak_mib: u64,
}

impl Closing {
    /// Of a slot that ended in its middle, or never began.
    pub(super) fn cut(slot: u32, dispatched: u64) -> Self {
        let outcome = SlotOutcome { slot, ..SlotOutcome::default() };
        Self { dispatched, outcome, complete: false, memory_peak_mib: 0 }
    }
}

/// A slot that has begun and is not over: closed by all workers, with all rows.
#[derive(Debug)]
pub(super) struct MergedSlot {
    /// With what its rows count for.
    pub(super) head: SlotHead,
    /// How many workers have closed it, or do not take part in it.
    pub(super) closings: usize,
    /// Rows that have gone out.
    pub(super) rows: u64,
    /// The outcome that the plan gets, where it decides by it.
    pub(super) decided: Option<SlotOutcome>,
    dispatched: u64,
    memory_peak_mib: u64,
    complete: bool,
    parts: Vec<SlotOutcome>,
}

impl MergedSlot {
    /// One that begins when so many workers have ended already.
    pub(super) fn new(head: SlotHead, ended: usize) -> Self {
        Self {
            head,
            closings: ended,
            rows: 0,
            decided: None,
            dispatched: 0,
            memory_peak_mib: 0,
            complete: ended == 0,
            parts: Vec::new(),
        }
    }

    /// Whether it is the slot that a worker has begun; phases are decided here.
    pub(super) fn is_of(&self, head: &SlotHead) -> bool {
        SlotHead { phase: self.head.phase, ..*head } == self.head
    }

    /// Adds how its time ended for one more worker.
    pub(super) fn add(&mut self, closing: Closing) {
        let Closing { dispatched, outcome, complete, memory_peak_mib } = closing;
        self.closings += 1;
        self.dispatched += dispatched;
        self.memory_peak_mib += memory_peak_mib;
        self.complete &= complete;
        if complete {
            self.parts.push(outcome);
        }
    }

    /// The event that closes it.
    pub(super) fn closed(&mut self) -> Option<Event> {
        let cut = || SlotOutcome { slot: self.head.index, next_start: self.head.end(), ..SlotOutcome::default() };
        let summed = outcomes::sum(&std::mem::take(&mut self.parts), !self.complete);
        let outcome = self.decided.take().or(summed).unwrap_or_else(cut);
        Some(Event::Closed {
            head: self.head,
            dispatched: self.dispatched,
            outcome,
            complete: self.complete,
            memory_peak_mib: self.memory_peak_mib,
        })
    }

    /// Whether all of so many workers have closed it, and all of its rows have gone out.
    pub(super) fn is_over(&self, workers: usize) -> bool {
        self.closings == workers && self.rows >= self.dispatched
    }
}
