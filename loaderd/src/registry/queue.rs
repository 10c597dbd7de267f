//! The queue of runs. Pure.

use std::collections::VecDeque;

use crate::{id::RunId, units};

/// Most runs in the queue.
pub(super) const MAX_QUEUED: usize = 1000;

/// Queued runs in order of submission.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<RunId>);

impl Queue {
    pub(super) fn push(&mut self, run: RunId) {
        self.0.push_back(run);
    }

    pub(super) fn next(&mut self) -> Option<RunId> {
        self.0.pop_front()
    }

    /// Removes a run; whether it was queued.
    pub(super) fn remove(&mut self, run: &RunId) -> bool {
        let before = self.0.len();
        self.0.retain(|other| other != run);
        self.0.len() < before
    }

    /// A run's position: 1 for the next one, 0 for a run that is not queued.
    pub(super) fn position(&self, run: &RunId) -> u32 {
        let position = self.0.iter().position(|other| other == run).map_or(0, |index| index + 1);
        units::to_u32(position)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_keeps_its_order() {
        let ids: Vec<_> = (0..3).map(|millis| RunId::new(millis, 0)).collect();
        let mut queue = Queue::default();
        ids.iter().for_each(|id| queue.push(id.clone()));
        assert_eq!(ids.iter().map(|id| queue.position(id)).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(queue.remove(&ids[1]) && !queue.remove(&ids[1]));
        assert_eq!(queue.position(&ids[1]), 0);
        assert_eq!([queue.next(), queue.next(), queue.next()], [Some(ids[0].clone()), Some(ids[2].clone()), None]);
    }
}
