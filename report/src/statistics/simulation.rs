//! What the formulas do with values of which the truth is known. Seeds are fixed, so that these tests end the same each time.

use super::*;

/// Runs whose figure varies by 5 % about a level, as from a log-normal distribution.
fn runs(count: usize, level: f64, random: &mut Random) -> Vec<f64> {
    // The sum of twelve uniform numbers is nearly normal.
    let mut normal =
        || (0..12).map(|_| random.below(1 << 40) as f64 / f64::from(2_u32.pow(20)).powi(2)).sum::<f64>() - 6.0;
    (0..count).map(|_| level * (0.05 * normal()).exp()).collect()
}

/// In how many of `trials` comparisons of runs, of which those of the second group are by `effect` slower, something holds.
fn share(trials: u32, count: usize, effect: f64, seed: u64, holds: impl Fn(&[f64], &[f64]) -> bool) -> f64 {
    let mut random = Random::new(seed);
    let held = (0..trials).filter(|_| {
        let (x, y) = (runs(count, 100.0, &mut random), runs(count, 100.0 * (1.0 + effect), &mut random));
        holds(&x, &y)
    });
    held.count() as f64 / f64::from(trials)
}

/// The interval of a ratio, from fewer draws than is usual, so that these tests are quick.
fn of_ratio(x: &[f64], y: &[f64]) -> Option<Interval> {
    ratio_of_medians_drawn(x, y, 800).and_then(|(_, interval)| interval)
}

#[test]
fn intervals_of_ratios_cover_the_truth_95_times_of_100() {
    for (count, seed) in [(5, 1), (12, 2)] {
        let covered = share(300, count, 0.2, seed, |x, y| of_ratio(x, y).is_some_and(|it| it.holds(1.2)));
        assert!((0.93..=0.97).contains(&covered), "{count} runs: {covered}");
    }
}

#[test]
fn intervals_of_shifts_cover_the_truth_95_times_of_100() {
    for (count, seed) in [(5, 3), (10, 4), (25, 5)] {
        let covered = share(1000, count, 0.0, seed, |x, y| shift_interval(x, y).is_some_and(|it| it.holds(0.0)));
        assert!((0.93..=0.98).contains(&covered), "{count} runs: {covered}");
    }
}

#[test]
fn intervals_of_medians_cover_the_truth_at_least_95_times_of_100() {
    // Few ranks to choose from, so that coverage is above: 96.9 % of 6 values, 95.7 % of 30.
    for (count, least, most) in [(6, 0.95, 0.985), (30, 0.94, 0.975)] {
        let covered = share(2000, count, 0.0, 6, |x, _| median_interval(x).is_some_and(|it| it.holds(100.0)));
        assert!((least..=most).contains(&covered), "{count} runs: {covered}");
    }
}

#[test]
fn a_fifth_is_found_and_nothing_is_not() {
    let is_found = |x: &[f64], y: &[f64]| p_value(x, y).is_some_and(|p| p <= ALPHA);
    let found = share(1000, 5, 0.2, 7, is_found);
    assert!(found > 0.99, "{found}");
    for (count, seed) in [(4, 8), (5, 9), (10, 10), (30, 11)] {
        let wrong = share(2000, count, 0.0, seed, is_found);
        assert!(wrong <= 0.06, "{count} runs: {wrong}");
    }
    assert!(share(500, 3, 5.0, 12, is_found) < 1e-9, "three runs show nothing");
}

#[test]
fn equality_is_claimed_of_what_is_equal_and_hardly_ever_of_what_is_not() {
    let is_same = |x: &[f64], y: &[f64]| of_ratio(x, y).is_some_and(|interval| interval.is_within(0.1));
    let (equal, apart) = (share(100, 15, 0.0, 13, is_same), share(200, 15, 0.1, 14, is_same));
    assert!(equal > 0.9 && apart <= 0.05, "{equal} {apart}");
}
