//! The functions of a made-up trace, one after the other.

use sha2::{Digest, Sha256};

use super::apps::{self, App};
use super::profiles::{self, Profile};
use super::{Synth, SynthError, load, popularity};
use crate::random::StreamRng;

/// What invokes functions: name, percent of functions, percent of invocations. Source: Shahrad et al. 2020, figure 2.
pub(super) const TRIGGERS: [(&str, f64, f64); 7] = [
    ("http", 55.0, 35.9),
    ("queue", 15.2, 33.5),
    ("event", 2.2, 24.7),
    ("orchestration", 6.9, 2.3),
    ("timer", 15.6, 2.0),
    ("storage", 2.8, 0.7),
    ("others", 2.2, 1.0),
];

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
    let total = synth.invocations()?;
    let apps = apps::draw(synth);
    let invocations = popularity::invocations(&apps, synth.minutes, total);
    let mut first = 0;
    let mut whole = Whole::default();
    for ((number, app), invocations) in (0_u32..).zip(&apps).zip(invocations) {
        let members = Members { synth, number, app, first };
        for function in members.make(invocations, &mut whole) {
            each(function)?;
        }
        first += app.functions;
    }
    Ok(())
}

/// An app's functions.
struct Members<'a> {
    synth: &'a Synth,
    /// Of the app, among all.
    number: u32,
    app: &'a App,
    /// Number of the first function among all.
    first: u32,
}

impl Members<'_> {
    /// The functions, with the app's `invocations` shared out.
    fn make(self, invocations: f64, whole: &mut Whole) -> impl Iterator<Item = Function> {
        let mut app_draws = self.synth.draws("app load", self.number);
        // Every other app by popularity, so that close to half of the load is constant in any trace.
        let weights = load::weights(self.synth.minutes, self.app.rank.is_multiple_of(2), &mut app_draws);
        let memory = profiles::memory(&mut app_draws);
        let drafts: Vec<Draft> = (0..self.app.functions).map(|member| self.draft(member)).collect();
        let all_parts: f64 = drafts.iter().map(|draft| draft.part).sum();
        // Each has its one invocation before the rest is shared.
        let shared = invocations - f64::from(self.app.functions);
        let counts: Vec<u64> = drafts.iter().map(|draft| whole.next(1.0 + shared * draft.part / all_parts)).collect();
        drafts.into_iter().zip(counts).map(move |(mut draft, count)| Function {
            counts: match draft.trigger {
                "timer" => load::regular(count, self.synth.minutes, &mut draft.draws),
                _ => load::scattered(count, &weights, &mut draft.draws),
            },
            // Five apps for three owners; not published.
            owner: self.hash("owner", self.number / 5 * 3 + self.number % 5 * 3 / 5),
            app: self.hash("app", self.number),
            id: self.hash("function", draft.number),
            trigger: draft.trigger,
            runtime: draft.runtime,
            memory: memory.clone(),
        })
    }

    fn draft(&self, member: u32) -> Draft {
        let number = self.first + member;
        let mut draws = self.synth.draws("function", number);
        let (trigger, functions, invocations) = trigger(draws.open01());
        let runtime = profiles::runtime(&mut draws);
        // Functions of busy kinds get more of their app's invocations, with exponential differences among them.
        let part = -draws.open01().ln() * invocations / functions;
        Draft { number, trigger, runtime, part, draws }
    }

    /// 64 hex digits, as in the published files.
    fn hash(&self, what: &str, number: u32) -> String {
        let hash = Sha256::new().chain_update(self.synth.seed.to_le_bytes()).chain_update(what);
        let hash = hash.chain_update(number.to_le_bytes()).finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A function before its invocations are known.
struct Draft {
    number: u32,
    trigger: &'static str,
    runtime: Profile<7>,
    /// Relative share of the app's invocations.
    part: f64,
    draws: StreamRng,
}

/// The trigger at a share `q` of all functions.
fn trigger(q: f64) -> (&'static str, f64, f64) {
    let mut left = q * TRIGGERS.iter().map(|(_, functions, _)| functions).sum::<f64>();
    for trigger in TRIGGERS {
        left -= trigger.1;
        if left < 0.0 {
            return trigger;
        }
    }
    TRIGGERS[0]
}

/// Rounds a sequence so that every partial sum is its own, rounded: nothing is lost over many functions. A value of at
/// least 1 gives at least 1.
#[derive(Debug, Default)]
struct Whole {
    sum: f64,
    given: u64,
}

impl Whole {
    /// The next of the sequence.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of positive numbers, rounded")]
    fn next(&mut self, value: f64) -> u64 {
        self.sum += value;
        let whole = (self.sum.round() as u64).saturating_sub(self.given);
        self.given += whole;
        whole
    }
}
