//! The functions from which a cold one is chosen.

use std::ops::Range;

/// Functions that are kept at scale zero, or every so many-th of them, where workers share them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColdPool {
    first: u32,
    count: u32,
    step: u32,
}

impl ColdPool {
    /// All functions of a range of indexes.
    pub fn all(functions: Range<u32>) -> Self {
        Self { first: functions.start, count: functions.end.saturating_sub(functions.start), step: 1 }
    }

    /// How many functions are in it.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The index of its `number`-th function, from 0 on.
    pub fn function(&self, number: u32) -> u32 {
        self.first.saturating_add(number.saturating_mul(self.step))
    }

    /// The part of one of `owners`, who take its functions in turn.
    pub(super) fn owned(&self, owner: u32, owners: u32) -> Self {
        let count = self.count.saturating_sub(owner).div_ceil(owners.max(1));
        Self { first: self.function(owner), count, step: self.step.saturating_mul(owners.max(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_share_a_pool_without_overlap_and_without_a_rest() {
        for count in 0..12 {
            let pool = ColdPool::all(3..3 + count);
            for owners in 1..9 {
                let of = |owner| pool.owned(owner, owners);
                let mut owned: Vec<_> =
                    (0..owners).flat_map(|owner| (0..of(owner).len()).map(move |it| of(owner).function(it))).collect();
                owned.sort_unstable();
                assert_eq!(owned, (3..3 + count).collect::<Vec<_>>(), "{count} functions, {owners} owners");
            }
        }
    }
}
