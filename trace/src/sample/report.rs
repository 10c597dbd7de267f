//! The report of samples: their weights, and each measure beside what random samples have.

use super::draws::{Chance, Draws};
use super::exact::{self, Distance, Measured};
use super::fidelity::{Fidelity, Finding};
use super::load::{self, OverTime};
use super::sampler::{MEASURED_DRAWS, Sample, Sampler};
use super::threads;
use super::weights::{self, Weights};

/// How much more work the weights of a sample are worth.
const FITTING: u64 = 5;

impl Sampler<'_> {
    /// The weights of samples.
    pub(super) fn fitted(&self, chosen: &[Vec<u32>]) -> Vec<Weights> {
        let work = self.work() * FITTING;
        let fit = |sample: usize| weights::fit(&self.part, &self.part_grid, &self.order, &chosen[sample], work);
        threads::parts(chosen.len(), |samples| samples.map(fit).collect::<Vec<_>>()).concat()
    }

    /// The samples with these functions.
    pub(super) fn report(&self, fidelity: &Fidelity<'_>, mut chosen: Vec<Vec<u32>>) -> Vec<Sample> {
        chosen.iter_mut().for_each(|members| members.sort_unstable());
        let weights = self.fitted(&chosen);
        let measured = chosen.iter().zip(&weights);
        let measured: Vec<Measured<'_>> =
            measured.map(|(members, weights)| Measured { members, weights: Some(&weights.of) }).collect();
        let distances = exact::distances(self.population, &measured);
        let of = |((members, weights), distance): ((Vec<u32>, Weights), Distance)| {
            let over = OverTime::of(self.population, &members);
            let load = load::figures(self.population, &members, &over);
            let findings = self.findings(fidelity, &members, &weights, &over);
            let draws = Draws { population: self.population, seed: self.sampling.seed, size: members.len() };
            let number = draws.number(&self.grid, self.work());
            let js = draws.objectives(&self.grid, number).into_iter().map(|objective| objective.j).collect();
            Sample {
                functions: members.iter().map(|&member| member as usize).collect(),
                weights: weights.of,
                load,
                weighted: self.sampling.weighted,
                distance,
                chance: Chance::of(js),
                findings: self.beside_chance(fidelity, findings, &draws),
            }
        };
        chosen.into_iter().zip(weights).zip(distances).map(of).collect()
    }

    /// The measures of a sample, by weights if it is to agree by them.
    fn findings(&self, fidelity: &Fidelity<'_>, members: &[u32], weights: &Weights, over: &OverTime) -> Vec<Finding> {
        if !self.sampling.weighted {
            return fidelity.findings(members, None, over);
        }
        let over = OverTime::weighted(self.population, members, &weights.of);
        fidelity.findings(members, Some(&weights.of), &over)
    }

    fn beside_chance(
        &self,
        fidelity: &Fidelity<'_>,
        findings: Vec<Finding>,
        draws: &Draws<'_>,
    ) -> Vec<(Finding, Option<Chance>)> {
        let random: Vec<Vec<Finding>> = threads::parts(MEASURED_DRAWS, |numbers| {
            let of = |number| {
                let members = draws.sample(number);
                fidelity.findings(&members, None, &OverTime::of(self.population, &members))
            };
            numbers.map(of).collect::<Vec<_>>()
        })
        .concat();
        let beside = |(place, finding): (usize, Finding)| {
            let values = random.iter().filter_map(|findings| findings.get(place)?.value).collect();
            (finding, Chance::of(values))
        };
        findings.into_iter().enumerate().map(beside).collect()
    }
}
