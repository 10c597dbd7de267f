//! From a model to a trace.

use std::time::Duration;

use rand::RngExt;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::model::{Model, QUANTITIES};
use crate::counts::Counts;
use crate::events::{Event, Events};
use crate::load::Load;
use crate::random::{Purpose, StreamKey, StreamRng};
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::synth::profiles::Profile;
use crate::synth::whole::Whole;
use crate::synth::{draws, load};
use crate::trace::{Trace, TraceFunction};

/// Inter-arrival times that vary less than this are those of a timer.
const REGULAR: f64 = 0.5;
/// Those that vary more come in bursts.
const BURSTS: f64 = 1.15;
/// Mean time between the invocations of a burst, in seconds, where they have exact times.
const WITHIN_BURST_S: f64 = 0.5;
/// Most counts and most single invocations that are made: what is read again.
const MOST_COUNTS: u64 = 1 << 30;
const MOST_EVENTS: f64 = 1e8;

/// A trace to be made by a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Like {
    /// The model.
    pub model: Model,
    /// Number of functions.
    pub functions: u32,
    /// Length in units.
    pub units: u32,
    /// What a unit lasts.
    pub unit: Duration,
    /// Invocations a second of all functions.
    pub rate: f64,
    /// Whether each invocation has an exact time.
    pub exact: bool,
    /// Everything random comes from it.
    pub seed: u64,
}

/// Why there is no such trace.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LikeError {
    /// No function or no time is requested.
    #[error("a trace needs at least one function and one unit of time")]
    Empty,
    /// The rate is too low for each function to be invoked, or no rate.
    #[error(
        "the rate is {asked}; it must be at least {least:.6} invocations a second, so that each function is invoked once"
    )]
    Rate {
        /// What was asked for.
        asked: f64,
        /// The lowest possible rate.
        least: f64,
    },
    /// More than could be read again.
    #[error("that would be {asked:.0} {what}; at most {most:.0} are made")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many.
        asked: f64,
        /// The limit.
        most: f64,
    },
}

/// What a function is to be.
struct Draft {
    invocations: u64,
    runtime_ms: f64,
    memory_mib: Option<f64>,
    variation: f64,
}

impl Like {
    /// The trace.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn make(&self) -> Result<Trace, LikeError> {
        let seconds = self.unit.as_secs_f64() * f64::from(self.units);
        if self.functions == 0 || seconds <= 0.0 {
            return Err(LikeError::Empty);
        }
        let (all, least) = (self.rate * seconds, f64::from(self.functions) / seconds);
        if !all.is_finite() || self.rate < least * (1.0 - 1e-9) {
            return Err(LikeError::Rate { asked: self.rate, least });
        }
        let counts = u64::from(self.functions) * u64::from(self.units);
        if counts > MOST_COUNTS && !self.exact {
            return Err(LikeError::TooMuch { what: "counts", asked: counts as f64, most: MOST_COUNTS as f64 });
        }
        if self.exact && all > MOST_EVENTS {
            return Err(LikeError::TooMuch { what: "invocations", asked: all, most: MOST_EVENTS });
        }
        let drafts = self.drafts(all);
        let triggers = self.triggers(&drafts);
        let apps = self.apps();
        let weights = self.weights();
        let functions = drafts
            .iter()
            .zip(triggers)
            .zip(apps)
            .zip(0_u32..)
            .map(|(((draft, trigger), app), number)| self.function(draft, trigger, app, number, &weights));
        Ok(Trace { functions: functions.collect(), units: self.units as usize, unit: self.unit })
    }

    fn rng(&self, what: &str, number: u32) -> StreamRng {
        StreamKey::new(self.seed, &format!("like: {what}"), Purpose::Synthesis).unit(number)
    }

    /// All functions, with the quantities of the model by its correlations: normal deviates that have those are ranked, and
    /// each rank has its value of the distribution.
    fn drafts(&self, all: f64) -> Vec<Draft> {
        let model = &self.model;
        let n = self.functions as usize;
        let factor = cholesky(&model.correlations);
        let deviates: Vec<[f64; QUANTITIES]> = (0..self.functions)
            .map(|number| {
                let mut rng = self.rng("function", number);
                let independent: [f64; QUANTITIES] = std::array::from_fn(|_| draws::normal(rng.open01()));
                std::array::from_fn(|row| (0..=row).map(|column| factor[row][column] * independent[column]).sum())
            })
            .collect();
        let values = |quantity: usize, steps: &[f64]| -> Vec<f64> {
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&a, &b| deviates[a][quantity].total_cmp(&deviates[b][quantity]));
            let mut values = vec![0.0; n];
            for (rank, at) in order.into_iter().enumerate() {
                values[at] = at_share(steps, (rank as f64 + 0.5) / n as f64);
            }
            values
        };
        let rates = scaled(values(0, &model.hourly_rates), all);
        let runtimes = values(1, &model.runtimes_ms);
        let memory = model.memory_mib.as_ref().map(|steps| values(2, steps));
        let variations = values(3, &model.variations);
        let mut whole = Whole::default();
        (0..n)
            .map(|at| Draft {
                invocations: whole.next(rates[at]).max(1),
                runtime_ms: runtimes[at],
                memory_mib: memory.as_ref().map(|memory| memory[at]),
                variation: variations[at],
            })
            .collect()
    }

    /// The trigger of each function, so that the shares of functions and of invocations are those of the model: from the function
    /// invoked most, each gets the one that lacks most invocations.
    fn triggers(&self, drafts: &[Draft]) -> Vec<Option<&str>> {
        let triggers = &self.model.triggers;
        if triggers.is_empty() {
            return vec![None; drafts.len()];
        }
        let all: f64 = drafts.iter().map(|draft| draft.invocations as f64).sum();
        let mut lacking: Vec<f64> = triggers.iter().map(|it| it.invocations * all).collect();
        let mut whole = Whole::default();
        let mut left: Vec<u64> = triggers.iter().map(|it| whole.next(it.functions * drafts.len() as f64)).collect();
        let mut order: Vec<usize> = (0..drafts.len()).collect();
        order.sort_by_key(|&at| (std::cmp::Reverse(drafts[at].invocations), at));
        let mut given = vec![None; drafts.len()];
        for at in order {
            let candidates = (0..triggers.len()).filter(|&trigger| left[trigger] > 0);
            let chosen = candidates.max_by(|&a, &b| lacking[a].total_cmp(&lacking[b])).unwrap_or(0);
            left[chosen] = left[chosen].saturating_sub(1);
            lacking[chosen] -= drafts[at].invocations as f64;
            given[at] = Some(triggers[chosen].name.as_str());
        }
        given
    }

    /// The number of each function's app; of a trace without apps each has its own.
    fn apps(&self) -> Vec<u32> {
        let mut rng = self.rng("apps", 0);
        let mut apps: Vec<u32> = Vec::with_capacity(self.functions as usize);
        let mut app = 0;
        while apps.len() < self.functions as usize {
            let size = at_share(&self.model.app_sizes, rng.open01()).round().max(1.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by what is left")]
            let size = size.min(self.functions as f64 - apps.len() as f64) as usize;
            apps.extend(std::iter::repeat_n(app, size.max(1)));
            app += 1;
        }
        draws::shuffle(&mut apps, &mut rng);
        apps
    }

    /// The load's shape in each unit. Never 0 throughout.
    fn weights(&self) -> Vec<f64> {
        let Model { shape, shape_minutes, .. } = &self.model;
        let at = |unit: u32| {
            let minute = f64::from(unit) * self.unit.as_secs_f64() / 60.0 % f64::from(*shape_minutes);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the shape")]
            let part = (minute / f64::from(*shape_minutes) * shape.len() as f64) as usize;
            shape[part.min(shape.len() - 1)]
        };
        let weights: Vec<f64> = (0..self.units).map(at).collect();
        if weights.iter().sum::<f64>() > 0.0 { weights } else { vec![1.0; weights.len()] }
    }

    fn function(&self, draft: &Draft, trigger: Option<&str>, app: u32, number: u32, weights: &[f64]) -> TraceFunction {
        let mut rng = self.rng("load", number);
        let runtime = Profile::around(draft.runtime_ms, self.model.runtime_spread, RuntimeProfile::PERCENTILES);
        let runtime = RuntimeProfile::from_millis(runtime.percentiles).ok();
        let memory = draft.memory_mib.and_then(|mib| {
            let memory = Profile::around(mib, self.model.memory_spread, MemoryProfile::PERCENTILES);
            MemoryProfile::from_mib(memory.percentiles).ok().map(|profile| profile.with_average(mib))
        });
        let counts = self.counts(draft, weights, &mut rng);
        let load = if self.exact {
            Load::Events(self.events(draft, &counts, runtime.as_ref(), memory.as_ref(), &mut rng))
        } else {
            Load::Counts(Counts::new(&counts))
        };
        let profiles = if self.exact { (None, None) } else { (runtime, memory) };
        TraceFunction {
            id: self.hash("function", number),
            owner: self.hash("owner", app / 5 * 3 + app % 5 * 3 / 5),
            app: self.hash("app", app),
            trigger: trigger.map(str::to_owned),
            load,
            runtime: profiles.0.map(|profile| profile.with_average(draft.runtime_ms)),
            memory: profiles.1,
        }
    }

    /// In each unit: at equal distances where times hardly vary, by chance and the shape, or in bursts. Bursts of a mean size b,
    /// geometrically distributed, at random times have a squared CV of 2b − 1.
    fn counts(&self, draft: &Draft, weights: &[f64], rng: &mut StreamRng) -> Vec<u32> {
        let Draft { invocations, variation, .. } = *draft;
        if variation < REGULAR {
            return load::regular(invocations, self.units, rng);
        }
        if variation < BURSTS {
            return load::scattered(invocations, weights, rng);
        }
        let size = f64::midpoint(variation * variation, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the invocations")]
        let bursts = ((invocations as f64 / size).round() as u64).clamp(1, invocations);
        let begins = load::scattered(bursts, weights, rng);
        let places: Vec<usize> =
            (0..).zip(&begins).flat_map(|(unit, &count)| std::iter::repeat_n(unit, count as usize)).collect();
        let mut counts = begins;
        // Bursts longer than a unit go on in the next ones.
        let each_unit = (self.unit.as_secs_f64() / WITHIN_BURST_S).max(1.0);
        for _ in bursts..invocations {
            let place = places[rng.random_range(0..places.len())];
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
            let later = (-rng.open01().ln() * size / each_unit) as usize;
            counts[(place + later).min(weights.len() - 1)] += 1;
        }
        counts
    }

    /// The same with exact times: those of a burst close together, a timer's at equal distances, others anywhere in their unit.
    fn events(
        &self,
        draft: &Draft,
        counts: &[u32],
        runtime: Option<&RuntimeProfile>,
        memory: Option<&MemoryProfile>,
        rng: &mut StreamRng,
    ) -> Events {
        let unit_ns = u64::try_from(self.unit.as_nanos()).unwrap_or(u64::MAX);
        let mut events = Vec::new();
        for (unit, &count) in (0_u64..).zip(counts) {
            let mut offset_s = rng.open01() * self.unit.as_secs_f64();
            for number in 0..count {
                let offset_ns = if draft.variation < REGULAR {
                    unit_ns / u64::from(count) * u64::from(number)
                } else if draft.variation < BURSTS {
                    rng.random_range(0..unit_ns.max(1))
                } else {
                    // What leaves the unit comes at its beginning.
                    offset_s = (offset_s - rng.open01().ln() * WITHIN_BURST_S) % self.unit.as_secs_f64();
                    nanos(offset_s).min(unit_ns.saturating_sub(1))
                };
                events.push(Event {
                    start_ns: unit * unit_ns + offset_ns,
                    runtime_us: runtime
                        .map_or(0, |profile| u32::try_from(profile.sample(rng).as_micros()).unwrap_or(u32::MAX)),
                    memory_mib: memory.and_then(|profile| profile.sample(rng).try_into().ok()),
                });
            }
        }
        Events::new(events, self.unit)
    }

    /// 64 hex digits, as in published files.
    fn hash(&self, what: &str, number: u32) -> String {
        let hash = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update("like").chain_update(what);
        let hash = hash.chain_update(number.to_le_bytes()).finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The value of a distribution at a share, linear in the logarithm between two steps.
fn at_share(steps: &[f64], share: f64) -> f64 {
    let Some(last) = steps.len().checked_sub(1) else { return 1.0 };
    let place = (share * steps.len() as f64 - 0.5).clamp(0.0, last as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the steps")]
    let below = place as usize;
    let (low, high) = (steps[below], steps[(below + 1).min(last)]);
    if place.fract() == 0.0 || low.total_cmp(&high).is_eq() {
        return low;
    }
    (low.ln_1p() + (high.ln_1p() - low.ln_1p()) * place.fract()).exp_m1()
}

/// `rates` times what brings their sum to `all`, none below 1: those above share what is left.
fn scaled(mut rates: Vec<f64>, all: f64) -> Vec<f64> {
    let sum = |factor: f64, rates: &[f64]| rates.iter().map(|rate| (rate * factor).max(1.0)).sum::<f64>();
    let (mut low, mut high) = (-80.0_f64, 80.0_f64);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if sum(middle.exp(), &rates) < all { low = middle } else { high = middle }
    }
    rates.iter_mut().for_each(|rate| *rate = (*rate * high.exp()).max(1.0));
    rates
}

/// The lower triangle whose square is nearest to `matrix`: what has no root is taken for 0.
fn cholesky(matrix: &[[f64; QUANTITIES]; QUANTITIES]) -> [[f64; QUANTITIES]; QUANTITIES] {
    let mut lower = [[0.0; QUANTITIES]; QUANTITIES];
    for row in 0..QUANTITIES {
        for column in 0..=row {
            let sum: f64 = (0..column).map(|place| lower[row][place] * lower[column][place]).sum();
            let rest: f64 = matrix[row][column] - sum;
            lower[row][column] = match (row == column, lower[column][column]) {
                (true, _) => rest.max(0.0).sqrt(),
                (false, root) if root > 1e-9 => rest / root,
                (false, _) => 0.0,
            };
        }
    }
    lower
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
