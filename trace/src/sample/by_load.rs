//! Samples of a given load: which size has it, and which functions of that size.

use rand::RngExt;

use super::load::{self, LoadFigures, OverTime};
use super::request::{Measure, SampleError};
use super::sampler::Sampler;
use super::search::Aim;

/// How near a sample comes to the load that is asked for, where functions make it up so finely.
const LOAD_TOLERANCE: f64 = 0.01;
/// Sizes around the expected one that are tried for a load.
const AROUND: [f64; 7] = [1.0, 0.85, 1.2, 0.7, 1.4, 0.5, 1.8];
/// Random exchanges by which a load is approached, where the search has missed it.
const TUNING: usize = 2000;
/// How much more a missed load counts than J.
const LOAD_WEIGHT: f64 = 10.0;

impl Sampler<'_> {
    /// A sample of this load.
    pub(super) fn loaded(&self, measure: Measure, asked: f64, whole: &LoadFigures) -> Result<Vec<u32>, SampleError> {
        let most = whole.get(measure);
        if !(asked.is_finite() && asked > 0.0) {
            return Err(SampleError::NoLoad { measure, asked });
        }
        if asked > most * (1.0 + LOAD_TOLERANCE) {
            return Err(SampleError::TooMuch { measure, asked, most });
        }
        let amounts = self.amounts(measure);
        let lightest = self.lightest(measure);
        if asked < lightest * (1.0 - LOAD_TOLERANCE) {
            return Err(SampleError::TooLittle { measure, asked, least: lightest });
        }
        let sum: f64 = amounts.iter().sum();
        let mut best: Option<(f64, Vec<u32>)> = None;
        for around in AROUND {
            // What makes the peak is not known before, so that the mean is aimed at, and corrected.
            let mut wanted = sum * asked / most;
            for round in 0..3 {
                let size =
                    rounded(self.population.len() as f64 * asked / most * around).clamp(1, self.population.len());
                let weight = LOAD_WEIGHT * self.j_of_smallest;
                let aim = Aim { amounts: amounts.clone(), wanted: vec![wanted], weight };
                let grown = self.grown(&[], &[size], Some(&aim), &mut self.rng(size * 4 + round));
                let members = grown.into_iter().next().unwrap_or_default();
                let found = load::figures(self.population, &members, &OverTime::of(self.population, &members));
                let error = (found.get(measure) / asked - 1.0).abs();
                wanted *= asked / found.get(measure).max(f64::MIN_POSITIVE);
                if best.as_ref().is_none_or(|(least, _)| error < *least) {
                    best = Some((error, members));
                }
                if error <= LOAD_TOLERANCE || measure != Measure::PeakRate {
                    break;
                }
            }
            if best.as_ref().is_some_and(|(error, _)| *error <= LOAD_TOLERANCE) {
                break;
            }
        }
        let (error, members) = best.unwrap_or((0.0, Vec::new()));
        let is_near = error <= LOAD_TOLERANCE;
        Ok(if is_near { members } else { self.tuned(members, measure, asked) })
    }

    /// `members` with some exchanged for others at random, as long as that brings their load nearer to the one that is asked for:
    /// what makes a peak is no sum, and is not found by aiming at one.
    fn tuned(&self, mut members: Vec<u32>, measure: Measure, asked: f64) -> Vec<u32> {
        let mut rng = self.rng(usize::MAX);
        let mut is_member = vec![false; self.population.len()];
        members.iter().for_each(|&member| is_member[member as usize] = true);
        let mut others: Vec<u32> =
            self.order.iter().copied().filter(|&function| !is_member[function as usize]).collect();
        let load = |members: &[u32]| {
            load::figures(self.population, members, &OverTime::of(self.population, members)).get(measure)
        };
        let mut least = (load(&members) / asked - 1.0).abs();
        for _ in 0..TUNING {
            if least <= LOAD_TOLERANCE || members.is_empty() || others.is_empty() {
                break;
            }
            let (inside, outside) = (rng.random_range(0..members.len()), rng.random_range(0..others.len()));
            std::mem::swap(&mut members[inside], &mut others[outside]);
            let error = (load(&members) / asked - 1.0).abs();
            if error < least {
                least = error;
            } else {
                std::mem::swap(&mut members[inside], &mut others[outside]);
            }
        }
        members
    }

    /// The least load that a function makes alone.
    fn lightest(&self, measure: Measure) -> f64 {
        let functions = u32::try_from(self.population.len()).unwrap_or(u32::MAX);
        let of = |function: u32| match measure {
            Measure::PeakRate => f64::from(self.population.figures[function as usize].peak) / self.population.unit_s,
            Measure::MeanRate | Measure::Cores | Measure::Memory => load::amount(self.population, function, measure),
        };
        (0..functions).map(of).fold(f64::INFINITY, f64::min)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn rounded(value: f64) -> usize {
    value.round() as usize
}
