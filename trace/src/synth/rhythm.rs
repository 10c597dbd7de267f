//! How the load of each app of a made-up trace changes over time, so that the published shares of apps with much varying
//! inter-arrival times and of load that follows the day are met.

use rand::RngExt;

use super::triggers::{Mix, TIMER};
use super::{Synth, popularity};
use crate::azure2019::VARYING_SHARE;

/// How an app's load changes over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// Alike in all minutes.
    Constant,
    /// With the hours of the day, almost nothing at night, and with the days of the week. Its inter-arrival times vary more
    /// than a Poisson process's.
    Daily,
    /// At about equal distances, somewhat shorter at day than at night.
    Steady,
    /// Several at a time, with long breaks. Its inter-arrival times vary more than a Poisson process's.
    Bursts,
}

/// Fewer invocations than these make no statement on how much inter-arrival times vary; before rounding.
const TELLING: f64 = 3.5;
/// So many are there in any case after it.
const FOUR: f64 = 4.0;
/// Invocations of the popular apps that follow the day over those of the constant ones. A little above 1: timers of the
/// former fire at night too.
const DAILY: f64 = 1.03;

/// An app with a timer a minute varies all the same with this many invocations a minute.
const TIMER_NOISE: f64 = 10.0;

/// The rhythm of each app.
///
/// Of the popular apps, which make nearly all of the load, half by invocations are constant and half follow the day; of the
/// others as many have bursts as the published share of varying apps needs. Apps of which timers make more than a little
/// are never among the varying: a timer fires in the breaks.
pub(super) fn rhythms(synth: &Synth, mixes: &[Mix], ranks: &[usize], invocations: &[f64]) -> Vec<Rhythm> {
    let mut order: Vec<usize> = (0..mixes.len()).collect();
    order.sort_by_key(|&app| ranks[app]);
    let (others, popular) = order.split_at(popularity::unpopular(mixes.len()));
    let mut rhythms = vec![Rhythm::Steady; mixes.len()];
    let (mut constant, mut daily, mut varying) = (0.0, 0.0, 0.0);
    for &app in popular.iter().rev() {
        let timers = f64::from(mixes[app][TIMER]) * f64::from(synth.minutes);
        let with_the_day = daily <= constant * DAILY && timers * TIMER_NOISE <= invocations[app];
        rhythms[app] = if with_the_day { Rhythm::Daily } else { Rhythm::Constant };
        *(if with_the_day { &mut daily } else { &mut constant }) += invocations[app];
        varying += f64::from(u8::from(with_the_day));
    }
    let telling = invocations.iter().filter(|&&invocations| invocations >= TELLING).count();
    let free: Vec<usize> =
        others.iter().copied().filter(|&app| mixes[app][TIMER] == 0 && invocations[app] >= FOUR).collect();
    // Evenly over the ranks, so that the share holds among apps of any popularity.
    let share = ((telling as f64 * VARYING_SHARE - varying) / free.len() as f64).clamp(0.0, 1.0);
    let mut sum: f64 = synth.draws("bursts", 0).random_range(0.0..1.0);
    for app in free {
        let before = sum;
        sum += share;
        if sum.floor() > before.floor() {
            rhythms[app] = Rhythm::Bursts;
        }
    }
    rhythms
}
