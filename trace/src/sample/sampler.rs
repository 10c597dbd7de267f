//! From a request to samples with their reports.

use super::draws::{Chance, Draws};
use super::exact::{self, Distance, Measured};
use super::fidelity::{Fidelity, Finding};
use super::grid::Grid;
use super::load::{self, LoadFigures, OverTime};
use super::population::Population;
use super::request::{Measure, Preserve, SampleError, Sampling, Size};
use super::search::{Aim, Search, Tiers};
use super::table::Objective;
use super::{order, own, weights};
use crate::random::{Purpose, StreamKey, StreamRng};
use crate::trace::Trace;

/// Numbers that may be looked at in the search for one size, and in random draws.
const WORK: f64 = 3e7;
/// Cells of the units by which a sample is found before it is improved by all units.
const PART_CELLS: usize = 400_000;
/// Fewer units show too little of the trace.
const FEWEST_UNITS: usize = 60;
/// Sizes whose samples are found together.
const TOGETHER: usize = 6;
/// Random samples of which all is measured.
const MEASURED_DRAWS: usize = 32;

/// Samples of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// The load of the whole trace.
    pub whole: LoadFigures,
    /// Functions whose memory is not known, and was taken for 200 MiB.
    pub assumed_memory: usize,
    /// The samples, from the smallest.
    pub samples: Vec<Sample>,
}

/// A sample, and how representative it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The places of its functions in the trace, ascending.
    pub functions: Vec<usize>,
    /// How many functions each of these stands for.
    pub weights: Vec<f64>,
    /// The load that it makes.
    pub load: LoadFigures,
    /// How far its units are from the trace's.
    pub distance: Distance,
    /// J of random samples of as many functions.
    pub chance: Option<Chance>,
    /// Further measures, each beside those of random samples.
    pub findings: Vec<(Finding, Option<Chance>)>,
}

impl Sample {
    /// J over that of the mean random sample: 1 is as good as chance.
    pub fn j_star(&self) -> Option<f64> {
        self.chance.filter(|chance| chance.mean > 0.0).map(|chance| self.distance.j() / chance.mean)
    }
}

/// Draws the samples that are asked for.
///
/// # Errors
/// When the trace can't give them.
pub fn sample(trace: &Trace, sampling: &Sampling) -> Result<Sampled, SampleError> {
    let sizes = sizes(trace, sampling)?;
    let population = Population::of(trace)?;
    let sampler = Sampler::of(&population, sampling, sizes.iter().copied().min().unwrap_or(1));
    let everything: Vec<u32> = sampler.order.clone();
    let whole = OverTime::of(&population, &everything);
    let all = load::figures(&population, &everything, &whole);
    let chosen = match sampling.size {
        Size::Functions(_) => sampler.nested(&sizes),
        Size::Load(measure, asked) => vec![sampler.loaded(measure, asked, &all)?],
    };
    let fidelity = Fidelity::of(trace, &population, whole);
    let samples = sampler.report(&fidelity, chosen);
    Ok(Sampled { whole: all, assumed_memory: population.assumed_memory, samples })
}

/// How far the functions at `places` of a trace are from all of it.
///
/// # Errors
/// When there is none, or one that the trace has not.
pub fn distance(trace: &Trace, places: &[usize]) -> Result<Distance, SampleError> {
    let functions = trace.functions.len();
    if places.is_empty() {
        return Err(SampleError::Empty);
    }
    let members: Vec<u32> = places.iter().map(|&place| u32::try_from(place).unwrap_or(u32::MAX)).collect();
    if let Some(&place) = places.iter().find(|&&place| place >= functions) {
        return Err(SampleError::TooMany { asked: place + 1, functions });
    }
    let population = Population::of(trace)?;
    let found = exact::distances(&population, &[Measured { members: &members, weights: None }]);
    Ok(found.first().copied().unwrap_or_default())
}

/// The sizes from the smallest.
fn sizes(trace: &Trace, sampling: &Sampling) -> Result<Vec<usize>, SampleError> {
    let Size::Functions(sizes) = &sampling.size else { return Ok(Vec::new()) };
    let mut sizes = sizes.clone();
    sizes.sort_unstable();
    let functions = trace.functions.len();
    let most = exact::MOST_AT_ONCE;
    match (sizes.first(), sizes.last()) {
        (None | Some(0), _) => Err(SampleError::Empty),
        (_, Some(&asked)) if asked > functions => Err(SampleError::TooMany { asked, functions }),
        _ if sizes.len() > most => Err(SampleError::ManySizes { asked: sizes.len(), most }),
        _ => match sizes.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(SampleError::Twice(pair[0])),
            None => Ok(sizes),
        },
    }
}

pub(super) struct Sampler<'a> {
    pub(super) population: &'a Population,
    grid: Grid,
    /// Some of the units, where the search is quick.
    part: Population,
    part_grid: Grid,
    pub(super) order: Vec<u32>,
    weighty: Vec<u32>,
    rank: Vec<u32>,
    sampling: &'a Sampling,
    /// J of the mean random sample of the smallest size.
    pub(super) j_of_smallest: f64,
}

impl<'a> Sampler<'a> {
    fn of(population: &'a Population, sampling: &'a Sampling, smallest: usize) -> Self {
        let own = own::quantities(population);
        let stride = population.all_cells().div_ceil(PART_CELLS).min(population.units / FEWEST_UNITS).max(1);
        let mut rng = StreamKey::new(sampling.seed, "units", Purpose::Sampling).unit(0);
        let part = population.every(stride, &mut rng);
        let (mut grid, mut part_grid) = (Grid::of(population, &own), Grid::of(&part, &own));
        let draws = Draws { population, seed: sampling.seed, size: smallest };
        let random = draws.objectives(&grid, MEASURED_DRAWS);
        let j_of_smallest = mean_j(&random);
        own::weigh(&mut grid, &random, &sampling.preserve);
        own::weigh(&mut part_grid, &random, &sampling.preserve);
        let weighty = order::weighty(population);
        let mut rank = vec![u32::MAX; population.len()];
        (0_u32..).zip(&weighty).for_each(|(place, &function)| rank[function as usize] = place);
        let order = order::by_load(population);
        Self { population, grid, part, part_grid, order, weighty, rank, sampling, j_of_smallest }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    fn work(&self) -> u64 {
        (WORK * self.sampling.effort.max(0.0)) as u64
    }

    pub(super) fn rng(&self, size: usize) -> StreamRng {
        let unit = u32::try_from(size).unwrap_or(u32::MAX);
        StreamKey::new(self.sampling.seed, "sample", Purpose::Sampling).unit(unit)
    }

    /// Nested samples of these ascending sizes, all with `fixed`.
    ///
    /// At first each is grown from the one before, for functions that may be added are many, so that a larger sample hardly suffers
    /// from those it must have. Then all are improved together. Either is done by some of the units; what is found is improved by
    /// all.
    pub(super) fn grown(
        &self,
        fixed: &[u32],
        sizes: &[usize],
        aim: Option<&Aim>,
        rng: &mut StreamRng,
    ) -> Vec<Vec<u32>> {
        let factors: Vec<f64> = sizes.iter().map(|&size| 1.0 / self.j_by_chance(size).max(f64::MIN_POSITIVE)).collect();
        let mut chosen: Vec<Vec<u32>> = Vec::new();
        for (sample, &size) in sizes.iter().enumerate() {
            let before = chosen.last().map_or(fixed, Vec::as_slice);
            let mut is_in = vec![false; self.population.len()];
            before.iter().for_each(|&function| is_in[function as usize] = true);
            let start = order::spread(&self.order, &is_in, size, rng);
            let tiers = Tiers::of(self.population.len(), before, &[start]);
            let search = self.search(&factors[sample..=sample], aim.map(|aim| aim.of(sample)));
            chosen.push(search(&self.part, &self.part_grid).kicked_on(tiers, rng).sample(0));
        }
        let search = self.search(&factors, aim.cloned());
        let mut tiers = Tiers::of(self.population.len(), fixed, &chosen);
        if sizes.len() > 1 {
            tiers = search(&self.part, &self.part_grid).kicked_on(tiers, rng);
        }
        let found = search(self.population, &self.grid).improved(tiers, rng);
        (0..sizes.len()).map(|sample| found.sample(sample)).collect()
    }

    /// A search for as many samples as there are factors.
    fn search<'s>(
        &'s self,
        factors: &'s [f64],
        aim: Option<Aim>,
    ) -> impl Fn(&'s Population, &'s Grid) -> Search<'s> + use<'s, 'a> {
        let work = self.work() * factors.len() as u64;
        move |population, grid| {
            let aim = aim.clone();
            Search { population, grid, weighty: &self.weighty, rank: &self.rank, factors, aim, work }
        }
    }

    /// J of the mean random sample.
    fn j_by_chance(&self, size: usize) -> f64 {
        let draws = Draws { population: &self.part, seed: self.sampling.seed, size };
        mean_j(&draws.objectives(&self.part_grid, MEASURED_DRAWS))
    }

    /// Samples of these ascending sizes. Some are found together; where there are more, the smallest are found first.
    fn nested(&self, sizes: &[usize]) -> Vec<Vec<u32>> {
        let mut chosen: Vec<Vec<u32>> = Vec::new();
        for together in sizes.chunks(TOGETHER) {
            let aim = self.sampling.preserve.contains(&Preserve::Rate).then(|| self.aim(Measure::MeanRate, together));
            let fixed = chosen.last().cloned().unwrap_or_default();
            let mut rng = self.rng(together.first().copied().unwrap_or_default());
            chosen.extend(self.grown(&fixed, together, aim.as_ref(), &mut rng));
        }
        chosen
    }

    /// The aim of having the trace's mean load.
    fn aim(&self, measure: Measure, sizes: &[usize]) -> Aim {
        let amounts = self.amounts(measure);
        let each = amounts.iter().sum::<f64>() / amounts.len().max(1) as f64;
        let wanted = sizes.iter().map(|&size| each * size as f64).collect();
        Aim { wanted, amounts, weight: self.j_of_smallest }
    }

    pub(super) fn amounts(&self, measure: Measure) -> Vec<f64> {
        let functions = u32::try_from(self.population.len()).unwrap_or(u32::MAX);
        (0..functions).map(|function| load::amount(self.population, function, measure)).collect()
    }

    fn report(&self, fidelity: &Fidelity<'_>, mut chosen: Vec<Vec<u32>>) -> Vec<Sample> {
        chosen.iter_mut().for_each(|members| members.sort_unstable());
        let fit = |sample: usize| weights::fit(self.population, &self.grid, &self.order, &chosen[sample], self.work());
        let weights: Vec<Vec<f64>> =
            super::threads::parts(chosen.len(), |samples| samples.map(fit).collect::<Vec<_>>()).concat();
        let measured = chosen.iter().zip(&weights);
        let measured: Vec<Measured<'_>> =
            measured.map(|(members, weights)| Measured { members, weights: Some(weights) }).collect();
        let distances = exact::distances(self.population, &measured);
        let of = |((members, weights), distance): ((Vec<u32>, Vec<f64>), Distance)| {
            let over = OverTime::of(self.population, &members);
            let load = load::figures(self.population, &members, &over);
            let findings = fidelity.findings(&members, &over);
            let draws = Draws { population: self.population, seed: self.sampling.seed, size: members.len() };
            let number = draws.number(&self.grid, self.work());
            let js = draws.objectives(&self.grid, number).into_iter().map(|objective| objective.j).collect();
            Sample {
                functions: members.iter().map(|&member| member as usize).collect(),
                weights,
                load,
                distance,
                chance: Chance::of(js),
                findings: self.beside_chance(fidelity, findings, &draws),
            }
        };
        chosen.into_iter().zip(weights).zip(distances).map(of).collect()
    }

    fn beside_chance(
        &self,
        fidelity: &Fidelity<'_>,
        findings: Vec<Finding>,
        draws: &Draws<'_>,
    ) -> Vec<(Finding, Option<Chance>)> {
        let random: Vec<Vec<Finding>> = super::threads::parts(MEASURED_DRAWS, |numbers| {
            let of = |number| {
                let members = draws.sample(number);
                fidelity.findings(&members, &OverTime::of(self.population, &members))
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

fn mean_j(objectives: &[Objective]) -> f64 {
    objectives.iter().map(|objective| objective.j).sum::<f64>() / objectives.len().max(1) as f64
}
