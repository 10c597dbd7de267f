//! Which triggers the apps of a made-up trace have: first each app's combination, then how many functions of each.

use rand::RngExt;

use super::{Synth, draws};
use crate::azure2019::{TRIGGERS, Trigger};
use crate::random::StreamRng;

/// Indices of the triggers in [`TRIGGERS`].
const H: usize = 0;
const Q: usize = 1;
const E: usize = 2;
const O: usize = 3;
pub(super) const TIMER: usize = 4;
const T: usize = TIMER;
const S: usize = 5;
const X: usize = 6;

/// Percent of apps with exactly these triggers. Source: Shahrad et al. 2020, figure 3, down to `[H, O]`; only the first two
/// (43 and 13 %) could be checked against a second source. The others, a tenth of all apps, are not published; they are
/// chosen so that the shares of apps with at least one function of each trigger are about those of the same figure: HTTP
/// 64, timer 29, queue 24, storage 7, event 6, orchestration 3, others 6 %.
const COMBINATIONS: [(&[usize], f64); 28] = [
    (&[H], 43.27),
    (&[T], 13.36),
    (&[Q], 9.47),
    (&[H, T], 4.59),
    (&[H, Q], 4.22),
    (&[E], 3.01),
    (&[S], 2.80),
    (&[T, Q], 2.57),
    (&[H, T, Q], 2.48),
    (&[H, X], 1.69),
    (&[H, S], 1.05),
    (&[H, O], 1.03),
    (&[X], 1.0),
    (&[T, X], 0.6),
    (&[H, Q, X], 0.8),
    (&[T, E], 0.9),
    (&[Q, E], 0.9),
    (&[H, T, E], 0.5),
    (&[H, T, Q, E, X], 0.5),
    (&[H, T, O, X], 0.7),
    (&[H, Q, O], 0.7),
    (&[H, T, Q, O], 0.66),
    (&[T, S], 0.6),
    (&[H, T, S], 0.8),
    (&[H, T, Q, S, X], 0.9),
    (&[Q, S], 0.58),
    (&[H, T, X], 0.2),
    (&[H, X, S], 0.12),
];

/// Apps with an orchestration have this many functions or more: few apps have that trigger, and many functions do.
const ORCHESTRATED: u32 = 6;
/// Apps with only timers or only queues have at most this many functions.
const FEW: u32 = 10;
/// Apps with more functions have several triggers, orchestration before others: of one with a single trigger the share of
/// its functions would depend on it.
const LARGE: u32 = 50;
/// Passes of balancing: with 10 000 functions the last ones change nothing.
const PASSES: u32 = 50;

/// How many functions of each trigger an app has, by place in [`TRIGGERS`].
pub(super) type Mix = [u32; TRIGGERS.len()];

/// The mix of each app, in the order of `sizes`.
pub(super) fn mixes(synth: &Synth, sizes: &[u32]) -> Vec<Mix> {
    let combinations = combinations(sizes, &mut synth.draws("combinations", 0));
    let mut mixes: Vec<Mix> = combinations.iter().map(|combination| one_each(combination)).collect();
    let functions = f64::from(synth.functions);
    let mut left = TRIGGERS.map(|Trigger { functions: percent, .. }| functions * percent / 100.0);
    for mix in &mixes {
        mix.iter().zip(&mut left).for_each(|(&count, left)| *left -= f64::from(count));
    }
    let mut rng = synth.draws("mixes", 0);
    for ((mix, &size), combination) in mixes.iter_mut().zip(sizes).zip(&combinations) {
        for _ in mix.iter().sum::<u32>()..size {
            let trigger = lacking(combination, &left, &mut rng);
            mix[trigger] += 1;
            left[trigger] -= 1.0;
        }
    }
    balance(&mut mixes, &mut left);
    mixes
}

/// Turns functions of triggers that have too many into those that lack some, within apps that have both, so far as that
/// goes. Triggers that no app has together even out over a third, so that several passes are needed.
fn balance(mixes: &mut [Mix], left: &mut [f64; TRIGGERS.len()]) {
    for _ in 0..PASSES {
        for mix in mixes.iter_mut() {
            let by_lack = |&a: &usize, &b: &usize| left[a].total_cmp(&left[b]);
            let most = (0..mix.len()).filter(|&trigger| mix[trigger] > 0).max_by(by_lack);
            let least = (0..mix.len()).filter(|&trigger| mix[trigger] > 1).min_by(by_lack);
            let (Some(to), Some(from)) = (most, least) else { continue };
            if left[to] - left[from] > 1.0 {
                mix[to] += 1;
                mix[from] -= 1;
                left[to] -= 1.0;
                left[from] += 1.0;
            }
        }
    }
}

/// The functions of an app of this mix: their numbers from `first` on, and their places in [`TRIGGERS`].
pub(super) fn numbered(mix: &Mix, first: u32) -> impl Iterator<Item = (u32, usize)> {
    let triggers = mix.iter().enumerate().flat_map(|(trigger, &count)| (0..count).map(move |_| trigger));
    (first..).zip(triggers)
}

/// One function of each trigger.
fn one_each(combination: &[usize]) -> Mix {
    let mut mix = Mix::default();
    combination.iter().for_each(|&trigger| mix[trigger] = 1);
    mix
}

/// One of the combination's triggers, drawn by how many functions each lacks.
fn lacking(combination: &[usize], left: &[f64; TRIGGERS.len()], rng: &mut StreamRng) -> usize {
    let weights = combination.iter().map(|&trigger| left[trigger].max(1e-6));
    let mut point = rng.open01() * weights.clone().sum::<f64>();
    for (&trigger, weight) in combination.iter().zip(weights) {
        point -= weight;
        if point < 0.0 {
            return trigger;
        }
    }
    combination.first().copied().unwrap_or(H)
}

/// The combination of each app: as many of each as its share says, those that need many functions given out first.
fn combinations(sizes: &[u32], rng: &mut StreamRng) -> Vec<&'static [usize]> {
    let mut wanted = shares(sizes.len(), rng);
    wanted.sort_by_key(|combination| std::cmp::Reverse((combination.contains(&O), combination.len())));
    // Of those with one trigger the rare first, which are to be small.
    let single = wanted.partition_point(|combination| combination.len() > 1 || combination.contains(&O));
    wanted[single..].sort_by_key(|combination| match combination {
        [E | S | X] => 0,
        [Q | T] => 1,
        _ => 2,
    });
    let mut free: Vec<usize> = (0..sizes.len()).collect();
    draws::shuffle(&mut free, rng);
    // The last are looked at first: the largest are for those that come first.
    free.sort_by_key(|&app| sizes[app] > LARGE);
    let mut given: Vec<&'static [usize]> = vec![&[H]; sizes.len()];
    for combination in wanted {
        let least = u32::try_from(combination.len()).unwrap_or(u32::MAX);
        let suits = |&app: &usize| suits(combination, sizes[app]);
        let place = free.iter().rposition(suits).or_else(|| free.iter().rposition(|&app| sizes[app] >= least));
        // Where all apps are too small for it, one has HTTP functions instead.
        if let Some(place) = place {
            given[free.swap_remove(place)] = combination;
        }
    }
    given
}

/// Whether an app of this combination is likely to have so many functions.
fn suits(combination: &[usize], size: u32) -> bool {
    match combination {
        [H] => true,
        [E | S | X] => size == 1,
        [Q | T] => size <= FEW,
        many if many.contains(&O) => size >= ORCHESTRATED,
        many => size as usize >= many.len(),
    }
}

/// `apps` combinations by their shares: systematic sampling from a random start, so that also a few apps have any.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the number of apps")]
fn shares(apps: usize, rng: &mut StreamRng) -> Vec<&'static [usize]> {
    let all: f64 = COMBINATIONS.iter().map(|(_, percent)| percent).sum();
    let start: f64 = rng.random_range(0.0..1.0);
    let (mut sum, mut shares) = (0.0, Vec::with_capacity(apps));
    for (combination, percent) in COMBINATIONS {
        sum += percent / all * apps as f64;
        let upto = ((sum + start) as usize).min(apps);
        shares.resize(upto.max(shares.len()), combination);
    }
    shares.resize(apps, COMBINATIONS[0].0);
    shares
}
