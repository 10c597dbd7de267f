use loader_proto::worker::{WireClosed, WireEvent, WireOpened, wire_event};
use tokio::time::Instant;

use super::{
    error::WireError,
    outcome::{from_outcome, outcome},
    row::{PlanFacts, from_row, instant, offset, row},
    slot::{from_head, head, numbered},
};
use crate::record::{Event, MemoryLevel};

/// The message of an event; absent for one that says nothing of the load.
///
/// # Errors
/// A row of a plan that is not shared.
pub(super) fn from_event(event: &Event, t0: Instant) -> Result<Option<WireEvent>, WireError> {
    let event = match event {
        Event::Opened { head, memory: MemoryLevel { at, mib } } => wire_event::Event::Opened(WireOpened {
            slot: Some(from_head(head)),
            at_offset_ns: offset(t0, *at),
            memory_mib: *mib,
        }),
        Event::Row(row) => wire_event::Event::Row(from_row(row, t0)?),
        Event::Closed { head, dispatched, outcome, complete, memory_peak_mib } => {
            wire_event::Event::Closed(WireClosed {
                slot: head.index,
                dispatched: *dispatched,
                outcome: Some(from_outcome(outcome)),
                complete: *complete,
                memory_peak_mib: *memory_peak_mib,
            })
        }
        // These are made by the coordinator.
        Event::Joined { .. } | Event::Stopped(_) | Event::Tick => return Ok(None),
    };
    Ok(Some(WireEvent { event: Some(event) }))
}

/// An event of a load that began at `t0`.
///
/// # Errors
/// What is no event of this plan.
pub(super) fn event(message: WireEvent, t0: Instant, plan: &PlanFacts) -> Result<Event, WireError> {
    match message.event.ok_or(WireError::Missing("what happened"))? {
        wire_event::Event::Row(message) => Ok(Event::Row(Box::new(row(message, t0, plan)?))),
        wire_event::Event::Opened(WireOpened { slot, at_offset_ns, memory_mib }) => {
            let head = head(slot.ok_or(WireError::Missing("the slot that begins"))?)?;
            Ok(Event::Opened { head, memory: MemoryLevel { at: instant(t0, at_offset_ns)?, mib: memory_mib } })
        }
        wire_event::Event::Closed(message) => {
            let WireClosed { slot, dispatched, outcome: message, complete, memory_peak_mib } = message;
            let outcome = outcome(message.ok_or(WireError::Missing("the outcome of a slot"))?)?;
            Ok(Event::Closed { head: numbered(slot), dispatched, outcome, complete, memory_peak_mib })
        }
    }
}
