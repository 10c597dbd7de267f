//! What studies find of a platform whose latency is set. Seeds are fixed, so that these tests end the same each time.

use super::{
    testkit::{figures, noisy, study},
    *,
};
use crate::{
    compare::Verdict,
    statistics::{Decision, Random, Until, median_interval_at},
};

/// From run to run latencies vary by so much, which is more than on a quiet cluster.
const NOISE: f64 = 0.05;

/// A study of a baseline and two cells, one of which is slower by `effect`; p50 and p99 go together for the most part.
fn simulated(effect: f64, rounds: u32, random: &mut Random) -> Study {
    let seed = random.number();
    study(3, rounds, seed, |cell, _, _| {
        let common = noisy(if cell == 1 { 1.0 + effect } else { 1.0 }, NOISE, random);
        let cold = noisy(0.02, 0.2, random);
        figures([
            ("response.p50", 12_000.0 * common),
            ("response.p99", noisy(90_000.0, NOISE / 2.0, random) * common),
            ("failed", 0.0),
            ("coldStarts.share", cold),
        ])
    })
}

/// In how many of 100 studies some difference is shown, and in how many the slower cell is found to be worse.
fn found(effect: f64, rounds: u32, seed: u64) -> (usize, usize) {
    let mut random = Random::new(seed);
    let (mut any, mut right) = (0, 0);
    for _ in 0..100 {
        let study = simulated(effect, rounds, &mut random);
        let compared = compared::judged(&study, 300);
        let is_shown = |it: &Compared| matches!(it.verdict, Verdict::Better | Verdict::Worse);
        any += usize::from(compared.iter().any(is_shown));
        let is_found =
            |it: &Compared| it.cell == 1 && it.indicator.name == "response.p50" && it.verdict == Verdict::Worse;
        right += usize::from(compared.iter().any(is_found));
    }
    (any, right)
}

#[test]
fn a_fifth_is_found_in_95_studies_of_100() {
    let (_, right) = found(0.2, 7, 1);
    assert!(right >= 95, "{right}");
}

#[test]
fn nothing_is_found_where_there_is_nothing_in_95_studies_of_100() {
    for (rounds, seed) in [(5, 2), (7, 3), (12, 4)] {
        let (any, _) = found(0.0, rounds, seed);
        assert!(any <= 5, "{rounds} rounds: {any}");
    }
}

#[test]
fn effects_of_axes_cover_the_truth() {
    let mut random = Random::new(5);
    let covered = (0..200).filter(|_| {
        let study = simulated(0.2, 8, &mut random);
        let pairs = [(study.values(0, "response.p50"), study.values(1, "response.p50"))];
        let pairs: Vec<_> = pairs.iter().map(|(x, y)| (x.as_slice(), y.as_slice())).collect();
        crate::statistics::mean_ratio(&pairs, 400).is_some_and(|(_, it)| it.is_some_and(|it| it.holds(1.2)))
    });
    let covered = covered.count();
    // Binomial: 190 ± 2.6 standard deviations of 3.1.
    assert!((182..=198).contains(&covered), "{covered} of 200");
}

/// Until which look a cell of this noise goes on, and the interval in the end.
fn stopped(until: &Until, noise: f64, random: &mut Random) -> (u32, Option<crate::statistics::Interval>) {
    let mut values = Vec::new();
    for (number, runs) in until.looks().iter().enumerate() {
        while values.len() < *runs as usize {
            values.push(noisy(100.0, noise, random));
        }
        match until.look(number, &values) {
            Decision::GoOn => {}
            Decision::Narrow(_) | Decision::Last => break,
        }
    }
    let runs = u32::try_from(values.len()).expect("few");
    (runs, median_interval_at(&values, until.alpha()))
}

#[test]
fn stopping_when_it_is_narrow_keeps_what_the_interval_says() {
    let until = Until::new(0.05, 5, 40).expect("a rule");
    let mut random = Random::new(6);
    for noise in [0.02, 0.05, 0.08, 0.3] {
        let ends: Vec<_> = (0..1000).map(|_| stopped(&until, noise, &mut random)).collect();
        let covered = ends.iter().filter(|(_, it)| it.is_some_and(|it| it.holds(100.0))).count();
        assert!(covered >= 950, "noise {noise}: {covered} of 1000");
    }
}

#[test]
fn looking_after_each_run_would_not() {
    // The same without looks that are fixed: the reason for them.
    let mut random = Random::new(7);
    let mut one = || {
        let mut values: Vec<f64> = (0..6).map(|_| noisy(100.0, 0.08, &mut random)).collect();
        loop {
            let interval = crate::statistics::median_interval(&values)?;
            if (interval.high - interval.low) / 2.0 <= 5.0 || values.len() >= 40 {
                return Some(interval.holds(100.0));
            }
            values.push(noisy(100.0, 0.08, &mut random));
        }
    };
    let covered = (0..1000).filter(|_| one() == Some(true)).count();
    assert!(covered < 930, "{covered} of 1000");
}

#[test]
fn a_quiet_cell_ends_early_and_a_noisy_one_goes_on() {
    let until = Until::new(0.05, 5, 40).expect("a rule");
    let mut random = Random::new(8);
    let mut runs = |noise| (0..100).map(|_| u64::from(stopped(&until, noise, &mut random).0)).sum::<u64>() / 100;
    let (quiet, noisy) = (runs(0.01), runs(0.3));
    assert!(quiet == u64::from(until.looks()[0]) && noisy > 35, "{quiet} {noisy}");
}
