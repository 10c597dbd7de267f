//! How popular each app of a made-up trace is: its rank, and its invocations by that.
//!
//! Apps get fixed points of the published distribution by rank rather than random ones: its tail is so heavy that with
//! random draws a handful of apps would decide the rate of the whole trace. Which app gets which rank decides the shares of
//! the triggers: the popular ranks are given out from the top, each to the trigger that lacks most invocations by then.

use super::triggers::{self, Mix, TIMER};
use super::{Synth, split};
use crate::azure2019::{HOURLY_SHARE, POPULAR_SHARE, TRIGGERS};

/// Invocations a day of the least popular app.
const LEAST_DAILY: f64 = 1.0;
const HOURLY_DAILY: f64 = 24.0;
const MINUTELY_DAILY: f64 = 1440.0;
/// Bound of the search for the skew: e^60 spans every possible rate.
const MAX_SKEW: f64 = 60.0;

/// How many of `apps` apps are not popular, those of the lowest ranks. At least the first of all apps is popular.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the number of apps")]
pub(super) fn unpopular(apps: usize) -> usize {
    ((apps as f64 * (1.0 - POPULAR_SHARE)).round() as usize).min(apps.saturating_sub(1))
}

/// The rank of each app, from 0 for the least popular.
pub(super) fn ranks(synth: &Synth, mixes: &[Mix], total: f64) -> Vec<usize> {
    let ranked: Vec<(usize, u32)> = (0..mixes.len()).map(|rank| (rank, 1)).collect();
    let by_rank = invocations(&ranked, synth.minutes, total);
    let mut candidates = Candidates::of(synth, mixes);
    let mut lacking = TRIGGERS.map(|trigger| trigger.invocations / 100.0 * total);
    // Timers fire by the clock, however popular their app is.
    lacking[TIMER] = 0.0;
    let mut ranks = vec![0; mixes.len()];
    let mut taken = vec![false; mixes.len()];
    for rank in (unpopular(mixes.len())..mixes.len()).rev() {
        let Some(app) = candidates.take(&lacking) else { break };
        for (lacking, share) in lacking.iter_mut().zip(candidates.shares[app]) {
            *lacking -= share * by_rank[rank];
        }
        ranks[app] = rank;
        taken[app] = true;
    }
    let mut others: Vec<usize> = (0..mixes.len()).filter(|&app| !taken[app]).collect();
    others.sort_by(|&a, &b| candidates.keys[a].total_cmp(&candidates.keys[b]));
    others.into_iter().enumerate().for_each(|(rank, app)| ranks[app] = rank);
    ranks
}

/// The apps that can be popular.
struct Candidates {
    /// How likely each app is to be popular.
    keys: Vec<f64>,
    /// The share that each trigger has of each app's invocations.
    shares: Vec<[f64; TRIGGERS.len()]>,
    /// The apps of which a trigger has the greatest share, the likeliest last.
    leading: [Vec<usize>; TRIGGERS.len()],
}

impl Candidates {
    fn of(synth: &Synth, mixes: &[Mix]) -> Self {
        let mut first = 0;
        let (mut keys, mut shares) = (Vec::new(), Vec::new());
        let mut leading: [Vec<usize>; TRIGGERS.len()] = Default::default();
        for (app, mix) in mixes.iter().enumerate() {
            let number = u32::try_from(app).unwrap_or(u32::MAX);
            let size = mix.iter().sum::<u32>();
            // As popular as the most popular of its functions: the maximum of that many uniform draws. So an app of many
            // functions is rarely among those invoked least.
            keys.push(synth.draws("popularity", number).open01().powf(1.0 / f64::from(size)));
            let of_app = trigger_shares(synth, mix, first);
            first += size;
            let greatest = (0..of_app.len()).max_by(|&a, &b| of_app[a].total_cmp(&of_app[b]));
            // Apps of timers alone have none.
            if let Some(trigger) = greatest.filter(|&trigger| of_app[trigger] > 0.0) {
                leading[trigger].push(app);
            }
            shares.push(of_app);
        }
        leading.iter_mut().for_each(|apps| apps.sort_by(|&a, &b| keys[a].total_cmp(&keys[b])));
        Self { keys, shares, leading }
    }

    /// The likeliest app of the trigger that lacks most.
    fn take(&mut self, lacking: &[f64; TRIGGERS.len()]) -> Option<usize> {
        let left = (0..lacking.len()).filter(|&trigger| !self.leading[trigger].is_empty());
        let trigger = left.max_by(|&a, &b| lacking[a].total_cmp(&lacking[b]))?;
        self.leading[trigger].pop()
    }
}

/// Shares of an app's invocations, without its timers.
fn trigger_shares(synth: &Synth, mix: &Mix, first: u32) -> [f64; TRIGGERS.len()] {
    let mut shares = [0.0; TRIGGERS.len()];
    for (number, trigger) in triggers::numbered(mix, first).filter(|&(_, trigger)| trigger != TIMER) {
        shares[trigger] += split::part(synth, number, trigger);
    }
    let all: f64 = shares.iter().sum();
    if all > 0.0 { shares.map(|share| share / all) } else { shares }
}

/// Invocations in `minutes` of apps of these ranks and sizes, in their order: at least one for each function,
/// `invocations` in sum.
pub(super) fn invocations(apps: &[(usize, u32)], minutes: u32, invocations: f64) -> Vec<f64> {
    let days = f64::from(minutes) / 1440.0;
    let at =
        |skew: f64| apps.iter().map(move |&(rank, size)| (daily(rank, apps.len(), skew) * days).max(f64::from(size)));
    // The sum grows with the skew, without bound, from one invocation for each function.
    let (mut low, mut high) = (-MAX_SKEW, MAX_SKEW);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if at(middle).sum::<f64>() < invocations { low = middle } else { high = middle }
    }
    at(high).collect()
}

/// Invocations a day of the app at `rank` among `apps`. The rate of popular ones grows from once a minute by e^skew; with
/// a skew below 0 all shrink by it.
fn daily(rank: usize, apps: usize, skew: f64) -> f64 {
    let unpopular = unpopular(apps);
    let shrink = skew.min(0.0).exp();
    if rank >= unpopular {
        let part = ((rank - unpopular) as f64 + 0.5) / (apps - unpopular) as f64;
        return MINUTELY_DAILY * shrink * (skew.max(0.0) * part).exp();
    }
    let q = (rank as f64 + 0.5) / unpopular as f64 * (1.0 - POPULAR_SHARE);
    let daily = if q <= HOURLY_SHARE {
        between(LEAST_DAILY, HOURLY_DAILY, q / HOURLY_SHARE)
    } else {
        between(HOURLY_DAILY, MINUTELY_DAILY, (q - HOURLY_SHARE) / (1.0 - POPULAR_SHARE - HOURLY_SHARE))
    };
    daily * shrink
}

/// From `low` to `high`, even in the logarithm.
fn between(low: f64, high: f64, part: f64) -> f64 {
    low * (high / low).powf(part)
}
