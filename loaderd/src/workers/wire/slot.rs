use std::time::Duration;

use loader_proto::worker::WireSlot;

use super::error::{WireError, bounded};
use crate::{
    plan::{Offset, Phase, SlotHead},
    units,
};

/// The head of a slot of which only the number is known.
pub(super) fn numbered(index: u32) -> SlotHead {
    SlotHead {
        index,
        phase: Phase::Measure,
        start: Offset::default(),
        duration: Duration::ZERO,
        rate: 0.0,
        planned: 0,
        measured: 0,
    }
}

/// The message of a slot's head.
pub(super) fn from_head(head: &SlotHead) -> WireSlot {
    // What a slot counts for is the coordinator's to say.
    let SlotHead { index, phase: _, start, duration, rate, planned, measured } = *head;
    WireSlot { index, start_offset_ns: start.as_nanos(), duration_ns: units::nanos(duration), rate, planned, measured }
}

/// The head of a slot.
///
/// # Errors
/// Times that are too long.
pub(super) fn head(message: WireSlot) -> Result<SlotHead, WireError> {
    let WireSlot { index, start_offset_ns, duration_ns, rate, planned, measured } = message;
    Ok(SlotHead {
        index,
        phase: Phase::Measure,
        start: Offset::from_nanos(bounded(start_offset_ns)?),
        duration: Duration::from_nanos(bounded(duration_ns)?),
        rate,
        planned,
        measured,
    })
}
