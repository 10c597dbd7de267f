use std::time::Duration;

use loader_proto::worker::{WireEvidence, WireSlotOutcome};

use super::error::{WireError, bounded, within};
use crate::{
    plan::{Backlog, Late, Offset, SlotEvidence, SlotOutcome},
    units,
};

/// Most instants at which the number in flight is known.
const MOST_INSTANTS: u64 = 1 << 10;

/// The message of what became of a slot.
pub fn from_outcome(outcome: &SlotOutcome) -> WireSlotOutcome {
    let SlotOutcome { slot, shortfall, next_start, evidence } = outcome;
    WireSlotOutcome {
        slot: *slot,
        shortfall: *shortfall,
        next_start_offset_ns: next_start.as_nanos(),
        evidence: evidence.as_deref().map(from_evidence),
    }
}

/// What became of a slot.
///
/// # Errors
/// Numbers that cannot be.
pub fn outcome(message: WireSlotOutcome) -> Result<SlotOutcome, WireError> {
    let WireSlotOutcome { slot, shortfall, next_start_offset_ns, evidence } = message;
    Ok(SlotOutcome {
        slot,
        shortfall,
        next_start: Offset::from_nanos(bounded(next_start_offset_ns)?),
        evidence: evidence.map(self::evidence).transpose()?.map(Box::new),
    })
}

fn from_evidence(evidence: &SlotEvidence) -> WireEvidence {
    let SlotEvidence { slot, rate, planned, in_time, late, succeeded, within_slo, backlog } = evidence;
    let Late { loader, streams, connections, stream_limit } = *late;
    let Backlog { inherited, sent, answered, in_flight, every } = backlog;
    WireEvidence {
        slot: *slot,
        rate: *rate,
        planned: *planned,
        in_time: *in_time,
        late_loader: loader,
        late_streams: streams,
        late_connections: connections,
        stream_limit,
        succeeded: *succeeded,
        within_slo: *within_slo,
        inherited: *inherited,
        sent: *sent,
        answered: *answered,
        in_flight: in_flight.clone(),
        every_ns: units::nanos(*every),
    }
}

fn evidence(message: WireEvidence) -> Result<SlotEvidence, WireError> {
    let WireEvidence {
        slot,
        rate,
        planned,
        in_time,
        late_loader,
        late_streams,
        late_connections,
        stream_limit,
        succeeded,
        within_slo,
        inherited,
        sent,
        answered,
        in_flight,
        every_ns,
    } = message;
    within("numbers in flight", in_flight.len() as u64, MOST_INSTANTS)?;
    Ok(SlotEvidence {
        slot,
        rate,
        planned,
        in_time,
        late: Late { loader: late_loader, streams: late_streams, connections: late_connections, stream_limit },
        succeeded,
        within_slo,
        backlog: Backlog { inherited, sent, answered, in_flight, every: Duration::from_nanos(bounded(every_ns)?) },
    })
}
