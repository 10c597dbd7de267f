//! What is known of a made-up trace before its first function: some hundred bytes for each app, eight for each function.

use super::rhythm::Rhythm;
use super::triggers::{Mix, TIMER};
use super::{Synth, SynthError, apps, draws, popularity, rhythm, triggers};

/// Share of timers that fire more than once a minute. Source: Shahrad et al. 2020.
const FAST_TIMERS: f64 = 0.05;
/// Invocations a minute of an app for each of its timers that leave room for these to fire more than once a minute.
const FAST_ROOM: f64 = 12.0;

/// The apps of a trace, and what is drawn for all functions together.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) apps: Vec<App>,
    /// The share of functions whose average run time that of each does not exceed, by number.
    pub(super) runtimes: Vec<f64>,
}

/// An app of the synthetic trace.
#[derive(Debug)]
pub(super) struct App {
    pub(super) mix: Mix,
    /// Number of the first function among all.
    pub(super) first: u32,
    /// With which probability each of its timers fires more than once a minute.
    pub(super) fast_timers: f64,
    pub(super) rhythm: Rhythm,
    /// In the whole trace; not rounded.
    pub(super) invocations: f64,
    /// The share of apps whose average memory its does not exceed.
    pub(super) memory: f64,
}

impl Plan {
    pub(super) fn of(synth: &Synth) -> Result<Self, SynthError> {
        let total = synth.invocations()?;
        let sizes = apps::sizes(synth);
        let mixes = triggers::mixes(synth, &sizes);
        let ranks = popularity::ranks(synth, &mixes, total);
        let ranked: Vec<(usize, u32)> = ranks.iter().copied().zip(sizes.iter().copied()).collect();
        let invocations = popularity::invocations(&ranked, synth.minutes, total);
        let rhythms = rhythm::rhythms(synth, &mixes, &ranks, &invocations);
        let has_room: Vec<bool> = mixes.iter().zip(&invocations).map(|(mix, &all)| room(synth, mix, all)).collect();
        let timers = |mixes: &mut dyn Iterator<Item = &Mix>| mixes.map(|mix| f64::from(mix[TIMER])).sum::<f64>();
        let with_room = timers(&mut mixes.iter().zip(&has_room).filter(|(_, room)| **room).map(|(mix, _)| mix));
        let fast_timers = (FAST_TIMERS * timers(&mut mixes.iter()) / with_room.max(1.0)).min(1.0);
        let memory = draws::quantiles(sizes.len(), &mut synth.draws("memories", 0));
        let mut first = 0;
        let apps = (0..sizes.len())
            .map(|app| {
                first += sizes[app];
                App {
                    mix: mixes[app],
                    first: first - sizes[app],
                    fast_timers: if has_room[app] { fast_timers } else { 0.0 },
                    rhythm: rhythms[app],
                    invocations: invocations[app],
                    memory: memory[app],
                }
            })
            .collect();
        let runtimes = draws::quantiles(synth.functions as usize, &mut synth.draws("run times", 0));
        Ok(Self { apps, runtimes })
    }
}

/// Whether an app with so many invocations can have timers that fire several times a minute.
fn room(synth: &Synth, mix: &Mix, invocations: f64) -> bool {
    mix[TIMER] > 0 && invocations >= FAST_ROOM * f64::from(mix[TIMER]) * f64::from(synth.minutes)
}
