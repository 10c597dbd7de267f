//! How many instances a function has when idle ones are kept for a while.

use std::{collections::VecDeque, time::Duration};

/// The instances that a function needed lately, as far as they still count: numbers that fall, with the ends of their slots.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept(VecDeque<(Duration, u32)>);

impl Kept {
    /// Instances in a slot from `begin` to `end` that needs `needed`: at least as many as were needed within `window` before it.
    pub(super) fn in_slot(&mut self, begin: Duration, end: Duration, needed: u32, window: Duration) -> u32 {
        while self.0.front().is_some_and(|(ended, _)| *ended + window <= begin) {
            self.0.pop_front();
        }
        while self.0.back().is_some_and(|(_, fewer)| *fewer <= needed) {
            self.0.pop_back();
        }
        if needed > 0 {
            self.0.push_back((end, needed));
        }
        self.0.front().map_or(0, |(_, most)| *most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_stay_for_the_window_after_the_slot_that_needed_them() {
        for (window, kept) in [
            (0, [5, 3, 1, 0, 0, 2, 0]),
            (59, [5, 5, 3, 1, 0, 2, 2]),
            (60, [5, 5, 3, 1, 0, 2, 2]),
            (61, [5, 5, 5, 3, 1, 2, 2]),
            (600, [5; 7]),
        ] {
            let (mut instances, window) = (Kept::default(), Duration::from_secs(window));
            let in_slot = |(minute, needed): (u64, u32)| {
                let begin = Duration::from_mins(minute);
                instances.in_slot(begin, begin + Duration::from_mins(1), needed, window)
            };
            let found: Vec<_> = (0..).zip([5, 3, 1, 0, 0, 2, 0]).map(in_slot).collect();
            assert_eq!(found, kept, "{window:?}");
        }
    }
}
