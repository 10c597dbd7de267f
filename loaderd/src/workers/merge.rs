//! N ordered streams of events into one, for the recorder.
//!
//! ```text
//! worker 0   Opened 0 · row · row · Closed 0 · Opened 1 · …  ┐
//! worker 1   Opened 0 · row · Closed 0 · row · …             ┼─▶ Opened 0 · row · row · row · Opened 1 · row · Closed 0 · …
//! worker 2   row …                                           ┘
//! ```
//!
//! A slot is opened with the first worker's event, and closed with the last one's, in which the parts are summed. What its rows count
//! for is decided once, when it is opened. Rows go out as they come, each once. A stream whose worker was lost is continued by the
//! fill-in of its share, which this file can't tell from the worker.

mod slot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::slot::{Closing, MergedSlot};
use super::seen::Seen;
use crate::{
    dispatch::Phases,
    id::WorkerIndex,
    plan::{SlotHead, SlotOutcome},
    record::{Event, MemoryLevel, Row},
};

/// Events of a worker that no worker of the same plan sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disorder {
    /// There is no such worker.
    #[error("there is no such worker")]
    NoWorker,
    /// It begins a slot out of turn.
    #[error("it begins slot {0} out of turn")]
    Opened(u32),
    /// Its slot is not that of the others.
    #[error("its slot {0} is another one than that of the other workers: it has another plan")]
    OtherPlan(u32),
    /// It ends a slot that is not under way.
    #[error("it ends slot {0}, which is not under way")]
    Closed(u32),
    /// A row is of a slot that it has not begun.
    #[error("a row is of slot {0}, which it has not begun")]
    Row(u32),
    /// A row does not say which invocation it is of.
    #[error("a row does not say which invocation it is of")]
    NoOrdinal,
}

/// The stream of one worker.
#[derive(Debug, Default)]
struct Stream {
    /// The slot under way.
    open: Option<u32>,
    /// The first slot that it has not begun.
    next: u32,
    /// How many invocations came due of the slot under way, where the worker stopped in its middle by itself.
    stopped_at: Option<u64>,
    ended: bool,
    seen: Seen,
}

/// Merges the streams of a run's workers.
#[derive(Debug)]
pub struct Merge {
    streams: Vec<Stream>,
    slots: BTreeMap<u32, MergedSlot>,
    phases: Phases,
    /// Streams that have ended: slots that begin later are without them.
    ended: usize,
    /// Whether the load is being stopped, so that slots end in their middle.
    stopping: bool,
    /// Whether functions follow exact run times, as their rows say.
    exact: Vec<Option<bool>>,
}

impl Merge {
    /// Of so many workers and functions. Slots are measured as `phases` says when they begin.
    pub fn new(workers: usize, functions: usize, phases: Phases) -> Self {
        let streams = (0..workers).map(|_| Stream::default()).collect();
        let (slots, exact) = (BTreeMap::new(), vec![None; functions]);
        Self { streams, slots, phases, ended: 0, stopping: false, exact }
    }

    /// Takes a worker's next event; what the recorder gets of it is appended to `out`.
    ///
    /// # Errors
    /// An event that can't be of this run's plan. Nothing of it was taken.
    pub fn take(&mut self, worker: WorkerIndex, event: Event, out: &mut Vec<Event>) -> Result<(), Disorder> {
        match event {
            Event::Opened { head, memory } => {
                let stream = self.streams.get_mut(usize::from(worker.0)).ok_or(Disorder::NoWorker)?;
                let slot = head.index;
                if stream.open.is_some() || stream.ended || slot != stream.next {
                    return Err(Disorder::Opened(slot));
                }
                match self.slots.get(&slot) {
                    Some(merged) if !merged.is_of(&head) => return Err(Disorder::OtherPlan(slot)),
                    Some(_) => {}
                    None => {
                        let head = SlotHead { phase: self.phases.of(head.start), ..head };
                        self.slots.insert(slot, MergedSlot::new(head, self.ended));
                        out.push(Event::Opened { head, memory: MemoryLevel { mib: 0, ..memory } });
                    }
                }
                out.push(Event::Joined { slot, worker, memory });
                (stream.open, stream.next) = (Some(slot), slot.saturating_add(1));
                stream.seen.opened(slot);
                Ok(())
            }
            Event::Row(row) => self.row(worker, row, out),
            Event::Closed { head, dispatched, outcome, complete, memory_peak_mib } => {
                let stopping = self.stopping;
                let stream = self.streams.get_mut(usize::from(worker.0)).ok_or(Disorder::NoWorker)?;
                if stream.open != Some(head.index) {
                    return Err(Disorder::Closed(head.index));
                }
                if !complete && !stopping {
                    // It may be continued: by the fill-in, if the worker is lost.
                    stream.stopped_at = Some(dispatched);
                    return Ok(());
                }
                let closing = Closing { dispatched, outcome, complete, memory_peak_mib };
                self.close(worker, head.index, closing, out);
                Ok(())
            }
            Event::Joined { .. } | Event::Stopped(_) | Event::Tick => Ok(()),
        }
    }

    fn row(&mut self, worker: WorkerIndex, mut row: Box<Row>, out: &mut Vec<Event>) -> Result<(), Disorder> {
        let stream = self.streams.get_mut(usize::from(worker.0)).ok_or(Disorder::NoWorker)?;
        let slot = row.planned.slot.index;
        let ordinal = row.planned.ordinal.ok_or(Disorder::NoOrdinal)?;
        if slot >= stream.next {
            return Err(Disorder::Row(slot));
        }
        if !stream.seen.row(slot, ordinal) {
            return Ok(());
        }
        let Some(merged) = self.slots.get_mut(&slot) else { return Ok(()) };
        row.worker = Some(worker);
        row.planned.slot = merged.head;
        if let (Some(follows), Some(known)) =
            (row.outcome.exact_runtime, self.exact.get_mut(row.planned.function.as_usize()))
        {
            *known = Some(follows);
        }
        merged.rows += 1;
        out.push(Event::Row(row));
        self.forget(slot);
        Ok(())
    }

    /// The load is being stopped: slots may end in their middle from now on.
    pub(super) fn stop(&mut self, out: &mut Vec<Event>) {
        self.stopping = true;
        let stopped = |(index, stream): (usize, &Stream)| Some((index, stream.open?, stream.stopped_at?));
        let stopped: Vec<_> = self.streams.iter().enumerate().filter_map(stopped).collect();
        for (index, slot, dispatched) in stopped {
            self.close(worker(index), slot, Closing::cut(slot, dispatched), out);
        }
    }

    /// A worker's stream has ended: nothing more of its share comes due. A slot under way ends with what came due until then.
    pub(super) fn end(&mut self, of: WorkerIndex, out: &mut Vec<Event>) {
        let Some(stream) = self.streams.get_mut(usize::from(of.0)).filter(|stream| !stream.ended) else { return };
        stream.ended = true;
        let (open, next) = (stream.open, stream.next);
        let dispatched = stream.stopped_at.unwrap_or_else(|| open.map_or(0, |slot| stream.seen.rows(slot)));
        self.ended += 1;
        if let Some(slot) = open {
            self.close(of, slot, Closing::cut(slot, dispatched), out);
        }
        let later: Vec<_> = self.slots.range(next..).map(|(slot, _)| *slot).collect();
        for slot in later {
            self.add(slot, Closing::cut(slot, 0), out);
        }
    }

    /// The outcome that the plan gets of a slot, which is the recorder's, too.
    pub(super) fn decided(&mut self, outcome: &SlotOutcome) {
        if let Some(merged) = self.slots.get_mut(&outcome.slot) {
            merged.decided = Some(outcome.clone());
        }
    }

    /// How far a worker's stream has come.
    pub(super) fn standing(&self, of: WorkerIndex) -> Standing {
        let Some(stream) = self.streams.get(usize::from(of.0)) else { return Standing::default() };
        Standing { seen: stream.seen.clone(), open: stream.open, next: stream.next, exact: self.exact.clone() }
    }

    /// Whether a worker has stopped in the middle of a slot, by itself.
    pub(super) fn has_stopped(&self, of: WorkerIndex) -> bool {
        self.streams.get(usize::from(of.0)).is_some_and(|stream| stream.stopped_at.is_some())
    }

    fn close(&mut self, worker: WorkerIndex, slot: u32, closing: Closing, out: &mut Vec<Event>) {
        if let Some(stream) = self.streams.get_mut(usize::from(worker.0)) {
            (stream.open, stream.stopped_at) = (None, None);
            stream.seen.closed(slot, closing.dispatched);
        }
        self.add(slot, closing, out);
    }

    fn add(&mut self, slot: u32, closing: Closing, out: &mut Vec<Event>) {
        let Some(merged) = self.slots.get_mut(&slot) else { return };
        merged.add(closing);
        if merged.closings == self.streams.len() {
            out.extend(merged.closed());
            self.forget(slot);
        }
    }

    /// Forgets a slot that is closed and whose rows have all gone out.
    fn forget(&mut self, slot: u32) {
        if self.slots.get(&slot).is_some_and(|merged| merged.is_over(self.streams.len())) {
            self.slots.remove(&slot);
        }
    }
}

/// How far the stream of a worker has come.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    /// The invocations that have their rows.
    pub(super) seen: Seen,
    /// The slot under way.
    pub(super) open: Option<u32>,
    /// The first slot that it has not begun.
    pub(super) next: u32,
    /// By function: whether it follows exact run times, as rows say.
    pub(super) exact: Vec<Option<bool>>,
}

fn worker(index: usize) -> WorkerIndex {
    WorkerIndex(u16::try_from(index).unwrap_or(u16::MAX))
}
