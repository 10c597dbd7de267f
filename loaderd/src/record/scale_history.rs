//! The scales of a run's functions over time, for the rows of invocations: the scale feed adds to it, the recorder reads it when
//! it writes a row. Neither sending nor waiting for an answer touches it.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{clock::UnixMicros, id::FunctionIndex, platform::ScaleSample};

/// How much longer than an invocation may take its scales are kept: it may be late, and wait for the recorder.
const MARGIN: Duration = Duration::from_mins(1);

/// A function's instances from an instant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instances {
    since: UnixMicros,
    /// Instances that were ready.
    pub ready: u32,
    /// Instances that its autoscaler wanted.
    pub desired: u32,
}

/// The scales of each function, as far back as rows may need them.
#[derive(Debug)]
pub struct ScaleHistory {
    functions: Vec<Mutex<VecDeque<Instances>>>,
    kept: Duration,
}

impl ScaleHistory {
    /// Of that many functions, whose invocations take so long at most.
    pub fn new(functions: usize, longest: Duration) -> Self {
        let functions = (0..functions).map(|_| Mutex::default()).collect();
        Self { functions, kept: longest.saturating_add(MARGIN) }
    }

    /// Takes a sample of the feed, whose samples of a function come in order.
    pub fn add(&self, sample: &ScaleSample) {
        let ScaleSample { at, function, scale, source: _ } = *sample;
        let Some(mut changes) = self.of(function) else { return };
        let now = Instances { since: at, ready: scale.running, desired: scale.desired };
        match changes.back() {
            Some(last) if (last.ready, last.desired) == (now.ready, now.desired) => {}
            _ => changes.push_back(now),
        }
        // What began before the oldest row's due time counts until the next change.
        while changes.get(1).is_some_and(|next| at.since(next.since) > self.kept) {
            changes.pop_front();
        }
    }

    /// The instances of a function at an instant, by the last sample before it; absent where there was none.
    pub fn at(&self, function: FunctionIndex, at: UnixMicros) -> Option<Instances> {
        let changes = self.of(function)?;
        let later = changes.iter().rev().take_while(|change| change.since > at).count();
        changes.len().checked_sub(later + 1).and_then(|last| changes.get(last)).copied()
    }

    fn of(&self, function: FunctionIndex) -> Option<MutexGuard<'_, VecDeque<Instances>>> {
        let changes = self.functions.get(function.as_usize())?;
        Some(changes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Scale;

    fn sample(second: i64, running: u32, desired: u32) -> ScaleSample {
        let scale = Scale { running, desired, ..Scale::default() };
        ScaleSample { at: UnixMicros(second * 1_000_000), function: FunctionIndex(0), scale, source: None }
    }

    fn at(history: &ScaleHistory, second: i64) -> Option<(u32, u32)> {
        let instances = history.at(FunctionIndex(0), UnixMicros(second * 1_000_000));
        instances.map(|Instances { ready, desired, .. }| (ready, desired))
    }

    #[test]
    fn the_last_sample_before_the_instant_counts() {
        let history = ScaleHistory::new(1, Duration::from_secs(1));
        assert_eq!(at(&history, 9), None, "nothing was reported yet");
        for (second, running, desired) in [(10, 0, 0), (12, 0, 2), (15, 2, 2), (16, 2, 2)] {
            history.add(&sample(second, running, desired));
        }
        let found = [9, 10, 11, 12, 14, 15, 99].map(|second| at(&history, second));
        let (zero, wanted, up) = (Some((0, 0)), Some((0, 2)), Some((2, 2)));
        assert_eq!(found, [None, zero, zero, wanted, wanted, up, up]);
        assert_eq!(history.at(FunctionIndex(1), UnixMicros(0)), None, "of a function that the run does not have");
    }

    #[test]
    fn what_no_row_can_need_is_forgotten() {
        let history = ScaleHistory::new(1, Duration::from_secs(10));
        (0..1000).for_each(|second| history.add(&sample(second, u32::try_from(second).unwrap(), 0)));
        let kept = history.of(FunctionIndex(0)).unwrap().len();
        assert_eq!(kept, 72, "70 seconds, and what counted at their begin");
        assert_eq!((at(&history, 929), at(&history, 900)), (Some((929, 0)), None));
    }
}
