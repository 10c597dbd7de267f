//! Values that can't be what was measured, and what is made of them.
//!
//! Published files have some: five rows of the first day of Azure Functions 2019 have negative run times. The rule:
//!
//! - a negative value is raised to 0, and one beyond all bounds lowered to the bound;
//! - values that are not in order are sorted;
//! - of values of which one is missing or no number, or all are negative, nothing is made: the function is left out, or
//!   gets the default where there is one.

/// Longest run time, in milliseconds: a week.
pub(super) const LONGEST_MS: f64 = 7.0 * 86_400_000.0;

/// Most memory, in MB: 4 TiB.
pub(super) const MOST_MB: f64 = 4_194_304.0;

/// What was made of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Repaired<T> {
    /// They stand.
    Sound(T),
    /// Other values in their place.
    Changed(T),
    /// Nothing.
    Hopeless,
}

/// Repairs the percentiles of a distribution, of which some may be missing.
pub(super) fn percentiles<const N: usize>(values: [Option<f64>; N], most: f64) -> Repaired<[f64; N]> {
    let mut whole = [0.0; N];
    for (whole, value) in whole.iter_mut().zip(values) {
        match value {
            Some(value) if value.is_finite() => *whole = value,
            _ => return Repaired::Hopeless,
        }
    }
    if whole.iter().all(|&value| value < 0.0) {
        return Repaired::Hopeless;
    }
    let mut repaired = whole.map(|value| value.clamp(0.0, most));
    repaired.sort_by(f64::total_cmp);
    // Of -0.0 nothing is said.
    let sound =
        whole.iter().zip(&repaired).all(|(before, after)| before.total_cmp(after).is_eq() || (before + after) == 0.0);
    if sound { Repaired::Sound(repaired) } else { Repaired::Changed(repaired) }
}

/// Repairs a single value, which may be missing.
pub(super) fn single(value: Option<f64>, most: f64) -> Repaired<f64> {
    match value.filter(|value| value.is_finite()) {
        None => Repaired::Hopeless,
        Some(value) if (0.0..=most).contains(&value) => Repaired::Sound(value),
        Some(value) => Repaired::Changed(value.clamp(0.0, most)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of<const N: usize>(values: [f64; N]) -> Repaired<[f64; N]> {
        percentiles(values.map(Some), 100.0)
    }

    #[test]
    fn values_are_repaired_by_rule() {
        for (values, expected) in [
            ([0.0, 1.0, 1.0], Repaired::Sound([0.0, 1.0, 1.0])),
            ([-0.0, 0.0, 100.0], Repaired::Sound([0.0, 0.0, 100.0])),
            ([-208_470.0, 8.0, 40.0], Repaired::Changed([0.0, 8.0, 40.0])),
            ([1.0, 3.0, 2.0], Repaired::Changed([1.0, 2.0, 3.0])),
            ([1.0, 2.0, 1e300], Repaired::Changed([1.0, 2.0, 100.0])),
            ([-3.0, -2.0, -1.0], Repaired::Hopeless),
            ([1.0, f64::NAN, 2.0], Repaired::Hopeless),
            ([1.0, 2.0, f64::INFINITY], Repaired::Hopeless),
        ] {
            assert_eq!(of(values), expected, "{values:?}");
        }
        assert_eq!(percentiles([Some(1.0), None], 100.0), Repaired::Hopeless);
        assert_eq!(single(Some(5.0), 9.0), Repaired::Sound(5.0));
        assert_eq!(single(Some(-5.0), 9.0), Repaired::Changed(0.0));
        assert_eq!(single(Some(50.0), 9.0), Repaired::Changed(9.0));
        assert_eq!((single(None, 9.0), single(Some(f64::NAN), 9.0)), (Repaired::Hopeless, Repaired::Hopeless));
    }

    proptest! {
        /// What is repaired needs no repair, and is a distribution.
        #[test]
        fn repaired_values_are_sound(values in prop::array::uniform7(prop::num::f64::ANY)) {
            if let Repaired::Sound(values) | Repaired::Changed(values) = of(values) {
                prop_assert_eq!(of(values), Repaired::Sound(values));
                prop_assert!(values.is_sorted() && values.iter().all(|value| (0.0..=100.0).contains(value)));
            }
        }
    }
}
