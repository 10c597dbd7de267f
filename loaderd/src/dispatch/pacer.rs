//! The pacer: walks along a schedule and hands each item out when it is due. Pure: time comes from a [`Sleeper`], and
//! items are carried out by a [`Sink`].

use crate::plan::{Invocation, InvocationId, Numbering, Offset, SlotHead, Unit};

/// One entry of a schedule. Entries come in the order in which they are due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Item {
    /// A slot begins.
    Open(SlotHead),
    /// An invocation is due.
    Invoke(Invocation),
    /// A slot ends.
    Close {
        /// Number of the slot, from 0.
        slot: u32,
        /// When the slot ends.
        end: Offset,
    },
}

impl Item {
    /// When it is due.
    fn due(&self) -> Offset {
        match self {
            Self::Open(head) => head.start,
            Self::Invoke(invocation) => invocation.due,
            Self::Close { end, .. } => *end,
        }
    }
}

/// Where the items come from, in the order in which they are due.
pub(super) trait Schedule {
    /// The next one; none at the end.
    async fn next(&mut self) -> Option<Item>;
}

/// Waits for instants of a run.
pub(super) trait Sleeper {
    /// Returns at `due`, or at once when that is over; false when the run is stopped before.
    async fn sleep_until(&mut self, due: Offset) -> bool;
}

/// Takes what comes due. Must return quickly: whatever it waits for makes all that follows late.
pub(super) trait Sink {
    /// A slot begins.
    async fn open(&mut self, head: SlotHead);
    /// An invocation is due.
    async fn invoke(&mut self, id: InvocationId, slot: SlotHead, invocation: Invocation);
    /// The slot ends; not `complete` when the run was stopped in its middle. It may take its time where the next slot waits
    /// for the outcome of this one.
    async fn close(&mut self, head: SlotHead, complete: bool);
}

/// Walks along a schedule until it ends or the sleeper stops it. A slot that was opened is closed in either case.
pub(super) async fn pace(schedule: &mut impl Schedule, unit: Unit, sleeper: &mut impl Sleeper, sink: &mut impl Sink) {
    let mut numbering = Numbering::new(unit);
    let mut open: Option<SlotHead> = None;
    while let Some(item) = schedule.next().await {
        if !sleeper.sleep_until(item.due()).await {
            break;
        }
        match (item, open) {
            (Item::Open(head), _) => {
                open = Some(head);
                sink.open(head).await;
            }
            (Item::Invoke(invocation), Some(head)) => {
                // Of a share, the plan itself has numbered each invocation among all.
                let id = match invocation.place {
                    Some(place) => InvocationId::due(unit, invocation.due, place.number),
                    None => numbering.next(invocation.due),
                };
                sink.invoke(id, head, invocation).await;
            }
            (Item::Close { .. }, Some(head)) => {
                open = None;
                sink.close(head, true).await;
            }
            // Outside a slot nothing is invoked or closed.
            (Item::Invoke(_) | Item::Close { .. }, None) => {}
        }
    }
    if let Some(head) = open {
        sink.close(head, false).await;
    }
}

#[cfg(test)]
mod tests;
