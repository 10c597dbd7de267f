//! Which invocations of a share have a row, so that each gets exactly one, whatever becomes of its worker.
//!
//! Ordinals are kept of slots under way alone: once a worker has closed a slot and all of its rows were taken, the slot is settled, and
//! its ordinals are forgotten. They are kept as compressed bit maps, of at most two bytes each.

use std::collections::BTreeMap;

use roaring::RoaringTreemap;

/// The rows that were taken of one share.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Slots that are not settled yet.
    slots: BTreeMap<u32, SeenSlot>,
    /// The first slot that was not opened.
    next: u32,
}

/// The rows that were taken of one slot of a share.
#[derive(Debug, Clone, Default)]
struct SeenSlot {
    ordinals: RoaringTreemap,
    /// How many rows there are; absent while the slot is under way.
    dispatched: Option<u64>,
}

impl SeenSlot {
    fn is_settled(&self) -> bool {
        self.dispatched.is_some_and(|dispatched| self.ordinals.len() >= dispatched)
    }
}

impl Seen {
    /// A slot begins.
    pub(super) fn opened(&mut self, slot: u32) {
        self.slots.entry(slot).or_default();
        self.next = self.next.max(slot.saturating_add(1));
    }

    /// Takes a row; false when there was one before.
    pub(super) fn row(&mut self, slot: u32, ordinal: u64) -> bool {
        let Some(seen) = self.slots.get_mut(&slot) else { return false };
        let is_new = seen.ordinals.insert(ordinal);
        self.forget_settled(slot);
        is_new
    }

    /// A slot has so many rows.
    pub(super) fn closed(&mut self, slot: u32, dispatched: u64) {
        self.slots.entry(slot).or_default().dispatched = Some(dispatched);
        self.forget_settled(slot);
    }

    /// How many rows of a slot were taken that is not settled.
    pub(super) fn rows(&self, slot: u32) -> u64 {
        self.slots.get(&slot).map_or(0, |seen| seen.ordinals.len())
    }

    /// Whether an invocation of a slot has its row.
    pub(super) fn has(&self, slot: u32, ordinal: u64) -> bool {
        match self.slots.get(&slot) {
            Some(seen) => seen.ordinals.contains(ordinal),
            None => slot < self.next,
        }
    }

    fn forget_settled(&mut self, slot: u32) {
        if self.slots.get(&slot).is_some_and(SeenSlot::is_settled) {
            self.slots.remove(&slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ordinal_is_taken_once_and_settled_slots_are_forgotten() {
        let mut seen = Seen::default();
        seen.opened(0);
        assert!(seen.row(0, 7) && !seen.row(0, 7));
        assert!(seen.has(0, 7) && !seen.has(0, 8) && !seen.has(1, 9));
        seen.closed(0, 2);
        assert_eq!((seen.rows(0), seen.slots.len()), (1, 1));
        seen.opened(1);
        assert!(seen.row(0, 8));
        assert_eq!(seen.slots.keys().collect::<Vec<_>>(), [&1]);
        assert!(!seen.row(0, 8) && seen.has(0, 8) && seen.has(0, 3), "all of a settled slot has its rows");
    }

    #[test]
    fn an_empty_slot_is_settled_at_once() {
        let mut seen = Seen::default();
        seen.opened(3);
        seen.closed(3, 0);
        assert!(seen.slots.is_empty() && seen.has(3, 1) && !seen.has(4, 1));
    }
}
