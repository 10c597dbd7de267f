//! Which functions are at scale zero, as reported by the platform's scale feed.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::{id::FunctionIndex, plan::ColdPool, platform::ScaleSample};

/// Has instances, or some are starting.
const UP: u8 = 0;
/// Is at scale zero.
const ZERO: u8 = 1;
/// Was at scale zero when an invocation was sent to it; the feed has not shown the effect yet.
const CLAIMED: u8 = 2;

/// What the dispatcher knows of scales. The feed writes it, the dispatcher reads it, and neither waits for the other.
#[derive(Debug)]
pub struct ScaleState {
    states: Vec<AtomicU8>,
    turn: AtomicU32,
}

impl ScaleState {
    /// The state of that many functions. Until the feed reports otherwise, none is at zero.
    pub fn new(functions: usize) -> Self {
        Self { states: (0..functions).map(|_| AtomicU8::new(UP)).collect(), turn: AtomicU32::new(0) }
    }

    /// Takes a sample of the feed.
    pub fn update(&self, sample: &ScaleSample) {
        let Some(state) = self.states.get(sample.function.as_usize()) else { return };
        if sample.scale.is_zero() {
            let _still_claimed = state.compare_exchange(UP, ZERO, Ordering::AcqRel, Ordering::Acquire);
        } else {
            state.store(UP, Ordering::Release);
        }
    }

    /// The functions that are at zero, in their order; those that were claimed here among them.
    pub fn zeros(&self) -> Vec<u32> {
        let is_zero = |state: &AtomicU8| state.load(Ordering::Acquire) != UP;
        (0..).zip(&self.states).filter_map(|(function, state)| is_zero(state).then_some(function)).collect()
    }

    /// A function of `pool` that is at zero, in turn. It is not returned again before the feed has shown it up and
    /// back at zero, or [`ScaleState::release`] is called for it.
    pub fn claim(&self, pool: &ColdPool) -> Option<FunctionIndex> {
        let length = pool.len();
        let turn = self.turn.load(Ordering::Relaxed);
        let found = (0..length).map(|step| (turn + step) % length).find(|&number| {
            self.states
                .get(pool.function(number) as usize)
                .is_some_and(|state| state.compare_exchange(ZERO, CLAIMED, Ordering::AcqRel, Ordering::Acquire).is_ok())
        })?;
        self.turn.store((found + 1) % length, Ordering::Relaxed);
        Some(FunctionIndex(pool.function(found)))
    }

    /// The invocation for which `function` was claimed has ended. If it never had an effect on the scale, the function
    /// is still at zero.
    pub fn release(&self, function: FunctionIndex) {
        if let Some(state) = self.states.get(function.as_usize()) {
            let _had_effect = state.compare_exchange(CLAIMED, ZERO, Ordering::AcqRel, Ordering::Acquire);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::UnixMicros, platform::Scale};

    fn sample(function: u32, running: u32) -> ScaleSample {
        let scale = Scale { running, ..Scale::default() };
        ScaleSample { at: UnixMicros(0), function: FunctionIndex(function), scale, source: None }
    }

    #[test]
    fn nothing_is_cold_before_the_feed_reports_it() {
        assert_eq!(ScaleState::new(3).claim(&ColdPool::all(0..3)), None);
    }

    #[test]
    fn cold_functions_take_turns_and_only_those_of_the_pool() {
        let state = ScaleState::new(4);
        (0..4).for_each(|function| state.update(&sample(function, 0)));
        let claimed: Vec<_> = (0..4).map(|_| state.claim(&ColdPool::all(1..4)).map(|it| it.0)).collect();
        assert_eq!(claimed, [Some(1), Some(2), Some(3), None]);
    }

    #[test]
    fn a_claimed_function_is_cold_again_only_after_it_was_up() {
        let state = ScaleState::new(1);
        state.update(&sample(0, 0));
        assert!(state.claim(&ColdPool::all(0..1)).is_some());
        state.update(&sample(0, 0));
        assert_eq!(state.claim(&ColdPool::all(0..1)), None, "a late sample of before the claim");
        state.update(&sample(0, 1));
        assert_eq!(state.claim(&ColdPool::all(0..1)), None, "it is up");
        state.update(&sample(0, 0));
        assert_eq!(state.claim(&ColdPool::all(0..1)), Some(FunctionIndex(0)));
    }

    #[test]
    fn a_claim_without_effect_is_given_back() {
        let state = ScaleState::new(1);
        state.update(&sample(0, 0));
        assert!(state.claim(&ColdPool::all(0..1)).is_some());
        state.release(FunctionIndex(0));
        assert_eq!(state.claim(&ColdPool::all(0..1)), Some(FunctionIndex(0)));
        state.update(&sample(0, 1));
        state.release(FunctionIndex(0));
        assert_eq!(state.claim(&ColdPool::all(0..1)), None);
    }
}
