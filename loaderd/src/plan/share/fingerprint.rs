use sha2::{Digest as _, Sha256};

use crate::plan::{Invocation, Plan, Slot, Target};

/// How many invocations are looked at. A plan of another program, spec, trace or seed differs far earlier.
const MOST: u64 = 100_000;

/// How many slots are looked at.
const MOST_SLOTS: u32 = 1000;

/// SHA-256 over the beginning of a plan, before its first slot: its functions, slots and invocations. By it two processes know that
/// they have the same plan. Of a plan that decides by outcomes it covers the first slot. The plan is used up by it.
pub fn fingerprint(mut plan: Box<dyn Plan>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(plan.unit().as_str());
    for function in plan.functions() {
        text(&mut hash, &function.name);
    }
    let slots = if plan.needs_outcomes() { 1 } else { MOST_SLOTS };
    let mut left = MOST;
    for _ in 0..slots {
        let Some(slot) = plan.next_slot(None) else { break };
        left -= add(&mut hash, slot, left);
        if left == 0 {
            break;
        }
    }
    hash.finalize().into()
}

/// Adds a slot with at most `most` of its invocations; returns how many these were.
fn add(hash: &mut Sha256, slot: Slot, most: u64) -> u64 {
    let Slot { index, phase: _, start, duration, rate, planned, measured, invocations } = slot;
    hash.update(index.to_le_bytes());
    hash.update(start.as_nanos().to_le_bytes());
    hash.update(duration.as_nanos().to_le_bytes());
    hash.update(rate.to_bits().to_le_bytes());
    hash.update(planned.to_le_bytes());
    hash.update(measured.to_le_bytes());
    let mut added = 0;
    for invocation in invocations.take(usize::try_from(most).unwrap_or(usize::MAX)) {
        one(hash, &invocation);
        added += 1;
    }
    added
}

fn one(hash: &mut Sha256, invocation: &Invocation) {
    let Invocation { due, target, runtime_us, memory_mib, clamped, mark, place: _ } = invocation;
    let (kind, function) = match target {
        Target::Function(function) => (0_u8, function.0),
        Target::Cold { otherwise } => (1, otherwise.0),
    };
    hash.update(due.as_nanos().to_le_bytes());
    hash.update([kind, u8::from(*clamped)]);
    hash.update(function.to_le_bytes());
    hash.update(runtime_us.to_le_bytes());
    hash.update(memory_mib.to_le_bytes());
    text(hash, mark.as_str());
}

/// A text with its length, so that two texts are never taken for one.
fn text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}
