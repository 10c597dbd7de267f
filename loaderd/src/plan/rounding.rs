//! Run times in whole milliseconds, which is all that the message of a request can hold.
//!
//! The fraction decides the odds: 12.3 ms is asked as 13 ms in three cases of ten, else as 12 ms, so that the mean of a
//! function's run times stays what it is. Always down, or to the nearest, would shift it. The n-th invocation of a function is
//! rounded by the n-th draw of that function's stream: another function, or another number of workers, changes none.

use loader_trace::{Purpose, StreamKey, StreamRng};

use crate::id::FunctionIndex;

/// Microseconds in a millisecond.
const MICROS: u32 = 1000;

/// Rounds the run times of a plan's invocations, in the order in which they come due.
#[derive(Debug)]
pub struct Rounding {
    /// By function.
    draws: Vec<StreamRng>,
}

impl Rounding {
    /// The rounding of a run of the functions of these names, by index.
    pub fn new<'a>(seed: u64, functions: impl IntoIterator<Item = &'a str>) -> Self {
        let draws = |name| StreamKey::new(seed, name, Purpose::Rounding).unit(0);
        Self { draws: functions.into_iter().map(draws).collect() }
    }

    /// The run time of the next invocation of `function`, in milliseconds. Of a function that the plan does not have, it is
    /// rounded to the nearest.
    pub fn millis(&mut self, function: FunctionIndex, runtime_us: u32) -> u32 {
        let draw = self.draws.get_mut(function.as_usize()).map_or(0.5, StreamRng::open01);
        whole_millis(runtime_us, draw)
    }
}

/// A run time in milliseconds: up where the fraction is greater than `draw`, which is uniform between 0 and 1, else down.
pub fn whole_millis(runtime_us: u32, draw: f64) -> u32 {
    let (whole, fraction) = (runtime_us / MICROS, runtime_us % MICROS);
    whole + u32::from(f64::from(fraction) > draw * f64::from(MICROS))
}

/// The run time in microseconds, where it is not one of whole milliseconds.
pub fn fractional(runtime_us: u32) -> Option<u32> {
    (!runtime_us.is_multiple_of(MICROS)).then_some(runtime_us)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(rounding: &mut Rounding, function: u32, runtime_us: u32, count: usize) -> Vec<u32> {
        (0..count).map(|_| rounding.millis(FunctionIndex(function), runtime_us)).collect()
    }

    #[test]
    fn the_fraction_decides_with_the_draw() {
        for (runtime_us, draw, expected) in [
            (0, 0.001, 0),
            (12_000, 1e-12, 12),
            (12_001, 1e-12, 13),
            (12_300, 0.299, 13),
            (12_300, 0.301, 12),
            (12_500, 0.5, 12),
            (12_501, 0.5, 13),
            (12_999, 0.9999, 12),
            (u32::MAX, 0.001, 4_294_968),
        ] {
            assert_eq!(whole_millis(runtime_us, draw), expected, "{runtime_us} by {draw}");
        }
    }

    #[test]
    fn a_functions_draws_are_its_own() {
        let alone = drawn(&mut Rounding::new(7, ["f"]), 0, 1500, 64);
        let mut among = Rounding::new(7, ["e", "f"]);
        // What is between its invocations, also of whole milliseconds, does not shift them.
        let mixed: Vec<_> =
            (0..64).map(|_| (drawn(&mut among, 0, 2000, 1), drawn(&mut among, 1, 1500, 1)[0])).collect();
        assert_eq!(mixed.iter().map(|(_, of_f)| *of_f).collect::<Vec<_>>(), alone);
        assert!(mixed.iter().all(|(of_e, _)| of_e == &[2]));
        assert_ne!(drawn(&mut Rounding::new(8, ["f"]), 0, 1500, 64), alone, "another seed");
        assert_ne!(drawn(&mut Rounding::new(7, ["g"]), 0, 1500, 64), alone, "another function");
    }

    proptest! {
        #[test]
        fn the_mean_is_kept(seed: u64, runtime_us in 0_u32..50_000) {
            const COUNT: u32 = 20_000;
            let mut rounding = Rounding::new(seed, ["f"]);
            let (mut sum, whole) = (0_u32, runtime_us / 1000);
            for millis in drawn(&mut rounding, 0, runtime_us, COUNT as usize) {
                prop_assert!((whole..=whole + 1).contains(&millis));
                sum += millis - whole;
            }
            let share = f64::from(runtime_us % 1000) / 1000.0;
            let mean = f64::from(sum) / f64::from(COUNT);
            // Six standard errors of a share: by chance less than one case in ten million is outside.
            let error = (share * (1.0 - share) / f64::from(COUNT)).sqrt();
            prop_assert!((mean - share).abs() <= 6.0 * error + 1e-12, "{mean} for {share}");
        }
    }
}
