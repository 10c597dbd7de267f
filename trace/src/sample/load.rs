//! How much load functions make together.

use super::population::Population;
use super::request::Measure;

/// The load of some functions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LoadFigures {
    /// How many functions.
    pub functions: usize,
    /// Their invocations in the whole trace.
    pub invocations: u64,
    /// Invocations a second in the unit with most.
    pub peak_rate: f64,
    /// Invocations a second.
    pub mean_rate: f64,
    /// Invocations under way, on average, each taken to keep a core busy.
    pub cores: f64,
    /// The same in the unit with most.
    pub peak_cores: f64,
    /// Memory of the invocations under way, on average, in MiB.
    pub memory_mib: f64,
}

impl LoadFigures {
    /// The measure of it.
    pub fn get(&self, measure: Measure) -> f64 {
        match measure {
            Measure::PeakRate => self.peak_rate,
            Measure::MeanRate => self.mean_rate,
            Measure::Cores => self.cores,
            Measure::Memory => self.memory_mib,
        }
    }
}

/// Invocations and busy milliseconds in each unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OverTime {
    pub(super) invocations: Vec<f64>,
    pub(super) busy_ms: Vec<f64>,
}

impl OverTime {
    pub(super) fn of(population: &Population, members: &[u32]) -> Self {
        let mut over = Self { invocations: vec![0.0; population.units], busy_ms: vec![0.0; population.units] };
        for &member in members {
            let runtime = population.runtime_ms[member as usize];
            for (unit, count) in population.active(member) {
                if let (Some(invocations), Some(busy)) = (over.invocations.get_mut(unit), over.busy_ms.get_mut(unit)) {
                    *invocations += f64::from(count);
                    *busy += f64::from(count) * runtime;
                }
            }
        }
        over
    }
}

/// The load of `members`.
pub(super) fn figures(population: &Population, members: &[u32], over: &OverTime) -> LoadFigures {
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let sum = |measure| members.iter().map(|&member| amount(population, member, measure)).sum();
    LoadFigures {
        functions: members.len(),
        invocations: members.iter().map(|&member| population.figures[member as usize].invocations).sum(),
        peak_rate: most(&over.invocations) / population.unit_s,
        mean_rate: sum(Measure::MeanRate),
        cores: sum(Measure::Cores),
        peak_cores: most(&over.busy_ms) / (population.unit_s * 1000.0),
        memory_mib: sum(Measure::Memory),
    }
}

/// What a function adds to a measure; of the peak rate, what it adds to the mean one.
pub(super) fn amount(population: &Population, function: u32, measure: Measure) -> f64 {
    let at = function as usize;
    let seconds = population.unit_s * population.units.max(1) as f64;
    let invocations = population.figures[at].invocations as f64;
    let cores = invocations * population.runtime_ms[at] / (seconds * 1000.0);
    match measure {
        Measure::PeakRate | Measure::MeanRate => invocations / seconds,
        Measure::Cores => cores,
        Measure::Memory => cores * population.memory_mib[at],
    }
}
