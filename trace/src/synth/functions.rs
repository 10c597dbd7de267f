//! The functions of a made-up trace, one after the other.

use sha2::{Digest, Sha256};

use super::plan::{App, Plan};
use super::profiles::{self, Profile};
use super::rhythm::Rhythm;
use super::split::{self, Share};
use super::triggers::{self, TIMER};
use super::whole::Whole;
use super::{Synth, SynthError, load};
use crate::azure2019::TRIGGERS;

/// A function, as the files have it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Function {
    pub(super) owner: String,
    pub(super) app: String,
    pub(super) id: String,
    pub(super) trigger: &'static str,
    pub(super) counts: Vec<u32>,
    pub(super) runtime: Profile<7>,
    pub(super) memory: Profile<8>,
}

/// Makes up all functions and hands each to `each`, app by app, so that only one app is in memory.
pub(super) fn make(synth: &Synth, mut each: impl FnMut(Function) -> Result<(), SynthError>) -> Result<(), SynthError> {
    let plan = Plan::of(synth)?;
    let mut whole = Whole::default();
    for (number, app) in (0_u32..).zip(&plan.apps) {
        let members = Members { synth, plan: &plan, number, app };
        for function in members.make(whole.next(app.invocations)) {
            each(function)?;
        }
    }
    Ok(())
}

/// The functions of one app.
struct Members<'a> {
    synth: &'a Synth,
    plan: &'a Plan,
    /// Of the app, among all.
    number: u32,
    app: &'a App,
}

impl Members<'_> {
    /// The functions, with the app's `invocations` shared out.
    fn make(self, invocations: u64) -> impl Iterator<Item = Function> {
        let Self { synth, plan, number: app, .. } = self;
        let memory = profiles::memory(self.app.memory, &mut synth.draws("memory", app));
        let functions: Vec<(u32, usize)> = triggers::numbered(&self.app.mix, self.app.first).collect();
        let counts = self.counts(&functions, invocations);
        functions.into_iter().zip(counts).map(move |((number, trigger), counts)| Function {
            counts,
            // Five apps for three owners; not published.
            owner: self.hash("owner", app / 5 * 3 + app % 5 * 3 / 5),
            app: self.hash("app", app),
            id: self.hash("function", number),
            trigger: TRIGGERS[trigger].name,
            runtime: profiles::runtime(plan.runtimes[number as usize], &mut synth.draws("run time", number)),
            memory: memory.clone(),
        })
    }

    /// The invocations of each function in each minute. Timers fire by themselves, the others share what their app has.
    fn counts(&self, functions: &[(u32, usize)], invocations: u64) -> Vec<Vec<u32>> {
        let Self { synth, app, .. } = *self;
        let shares: Vec<Share> = functions
            .iter()
            .map(|&(number, trigger)| match trigger {
                TIMER => split::timer(app.fast_timers, &mut synth.draws("timer", number)),
                _ => Share::Part(split::part(synth, number, trigger)),
            })
            .collect();
        let numbers = split::split(invocations, &shares, synth.minutes);
        let is_timer = |share: &Share| matches!(share, Share::Timer { .. });
        let others = shares.iter().zip(&numbers).filter(|(share, _)| !is_timer(share)).map(|(_, &number)| number);
        let mut others = self.app_counts(&others.collect::<Vec<_>>()).into_iter();
        let mut counts = Vec::with_capacity(functions.len());
        for ((share, total), &(number, _)) in shares.iter().zip(numbers).zip(functions) {
            counts.push(if is_timer(share) {
                load::regular(total, synth.minutes, &mut synth.draws("timer start", number))
            } else {
                others.next().unwrap_or_default()
            });
        }
        counts
    }

    /// The invocations in each minute of functions that have these `numbers` of them.
    fn app_counts(&self, numbers: &[u64]) -> Vec<Vec<u32>> {
        let (minutes, rhythm) = (self.synth.minutes, self.app.rhythm);
        let mut rng = self.synth.draws("app load", self.number);
        let weights = load::weights(minutes, rhythm, &mut rng);
        let all = numbers.iter().sum();
        let pool = match rhythm {
            Rhythm::Constant | Rhythm::Daily => {
                return numbers.iter().map(|&number| load::scattered(number, &weights, &mut rng)).collect();
            }
            Rhythm::Steady => load::spread(all, &weights, &mut rng),
            Rhythm::Bursts => load::bursts(all, minutes, &mut rng),
        };
        load::dealt(pool, numbers, minutes, &mut rng)
    }

    /// 64 hex digits, as in the published files.
    fn hash(&self, what: &str, number: u32) -> String {
        let hash = Sha256::new().chain_update(self.synth.seed.to_le_bytes()).chain_update(what);
        let hash = hash.chain_update(number.to_le_bytes()).finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
