//! The objective without approximation, and what no sample of a size can go below.

use super::population::{Active, Population};
use super::threads;

/// Most samples that are measured at once: a bit each.
pub(super) const MOST_AT_ONCE: usize = 64;

/// The distances of a sample from the trace, means over units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Distance {
    /// Wasserstein distance of the functions' invocations.
    pub invocations: f64,
    /// The same of their resource values: invocations · mean run time · mean memory / 10⁶.
    pub resources: f64,
    /// J of the same functions, each standing for as many as its weight says; none without weights.
    pub weighted_j: Option<f64>,
    /// No sample of as many functions has a J below this.
    ///
    /// It is what would be left if every unit and each quantity could have a sample of its own: k functions of n above a
    /// value that i of N are above leave |k/n − i/N| at least as large as for the nearest whole k.
    pub bound: f64,
}

impl Distance {
    /// InVitro's measure: the mean of both distances.
    pub fn j(&self) -> f64 {
        f64::midpoint(self.invocations, self.resources)
    }
}

/// A sample that is measured.
pub(super) struct Measured<'a> {
    pub(super) members: &'a [u32],
    /// How many functions each member stands for.
    pub(super) weights: Option<&'a [f64]>,
}

/// The distances of at most [`MOST_AT_ONCE`] samples.
pub(super) fn distances(population: &Population, samples: &[Measured<'_>]) -> Vec<Distance> {
    let units = population.units.max(1) as f64;
    let mut sums = vec![Distance::default(); samples.len()];
    for unit in by_unit(population, samples) {
        for (sum, of_unit) in sums.iter_mut().zip(unit) {
            sum.invocations += of_unit.invocations / units;
            sum.resources += of_unit.resources / units;
            sum.bound += of_unit.bound / units;
            sum.weighted_j = of_unit.weighted_j.map(|j| sum.weighted_j.unwrap_or_default() + j / units);
        }
    }
    sums
}

/// The same for each unit.
pub(super) fn by_unit(population: &Population, samples: &[Measured<'_>]) -> Vec<Vec<Distance>> {
    let samples: Vec<Sample> = samples.iter().take(MOST_AT_ONCE).map(|sample| Sample::of(population, sample)).collect();
    let mut membership = vec![0_u64; population.len()];
    for (number, sample) in samples.iter().enumerate() {
        for (function, of) in sample.weights.iter().enumerate() {
            membership[function] |= u64::from(of.is_member) << number;
        }
    }
    let parts = threads::parts(population.units, |units| {
        let mut found = Vec::with_capacity(units.len());
        population.each_unit(units, |_, active| {
            let mut distances = vec![Distance::default(); samples.len()];
            let counts = sorted(active, |active| f64::from(active.count));
            let resources = sorted(active, |active| f64::from(active.count) * population.resource(active.function));
            for (number, (distance, sample)) in distances.iter_mut().zip(&samples).enumerate() {
                let invocations = sample.area(&counts, &membership, number);
                let resources = sample.area(&resources, &membership, number);
                *distance = Distance {
                    invocations: invocations.distance,
                    resources: resources.distance,
                    bound: f64::midpoint(invocations.bound, resources.bound),
                    weighted_j: sample.is_weighted.then(|| f64::midpoint(invocations.weighted, resources.weighted)),
                };
            }
            found.push(distances);
        });
        found
    });
    parts.into_iter().flatten().collect()
}

/// The values of a unit, ascending, with their functions.
fn sorted(active: &[Active], value: impl Fn(&Active) -> f64) -> Vec<(f64, u32)> {
    let mut sorted: Vec<(f64, u32)> = active.iter().map(|active| (value(active), active.function)).collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    sorted
}

#[derive(Debug, Clone, Copy, Default)]
struct Of {
    is_member: bool,
    weight: f64,
}

/// A sample, by function.
struct Sample {
    size: f64,
    functions: f64,
    weights: Vec<Of>,
    sum: f64,
    is_weighted: bool,
}

/// Areas between distribution functions.
#[derive(Debug, Default)]
struct Area {
    distance: f64,
    weighted: f64,
    bound: f64,
}

impl Sample {
    fn of(population: &Population, sample: &Measured<'_>) -> Self {
        let mut weights = vec![Of::default(); population.len()];
        for (number, &member) in sample.members.iter().enumerate() {
            let weight = sample.weights.and_then(|weights| weights.get(number)).copied().unwrap_or(1.0);
            weights[member as usize] = Of { is_member: true, weight };
        }
        let sum = weights.iter().map(|of| of.weight).sum();
        let (size, functions) = (sample.members.len() as f64, population.len() as f64);
        Self { size, functions, weights, sum, is_weighted: sample.weights.is_some() }
    }

    /// The areas for ascending values; functions that are not listed have 0.
    fn area(&self, sorted: &[(f64, u32)], membership: &[u64], number: usize) -> Area {
        let mut area = Area::default();
        let (mut above, mut above_all, mut above_weighted) = (0_u32, 0.0, 0.0);
        // From the greatest value down: between two values as many are above as the greater ones and itself.
        for (place, &(value, function)) in sorted.iter().enumerate().rev() {
            above_all += 1.0;
            if membership[function as usize] >> number & 1 == 1 {
                above += 1;
                if self.is_weighted {
                    above_weighted += self.weights[function as usize].weight;
                }
            }
            let below = place.checked_sub(1).map_or(0.0, |place| sorted[place].0);
            let length = value - below;
            if length > 0.0 {
                let share = above_all / self.functions;
                area.distance += (f64::from(above) / self.size - share).abs() * length;
                let exact = share * self.size;
                area.bound += (exact - exact.round()).abs() / self.size * length;
                if self.is_weighted {
                    area.weighted += (above_weighted / self.sum - share).abs() * length;
                }
            }
        }
        area
    }
}
