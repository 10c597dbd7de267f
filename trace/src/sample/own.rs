//! The quantities that a function has once, as logarithms: what a search preserves beside J.

use super::grid::{Grid, OWN};
use super::population::Population;
use super::request::Preserve;
use super::table::Objective;

/// The weight of a quantity relative to J, each in what chance makes of it; and of one that is to be preserved.
const USUAL: f64 = 0.015;
const PRESERVED: f64 = 1.0;

/// Which quantity each is of [`quantities`].
const PRESERVING: [Preserve; OWN] = [Preserve::Rate, Preserve::Durations, Preserve::Memory, Preserve::IdleTimes];

/// The quantities of each function: log₁₀(1 + x) of its invocations, mean run time in ms, memory in MiB, and mean idle time in
/// units; the last is 0 where it is invoked in a single unit.
pub(super) fn quantities(population: &Population) -> Vec<[f64; OWN]> {
    let functions = population.figures.iter().zip(&population.runtime_ms).zip(&population.memory_mib);
    let of = |((figures, &runtime), &memory): ((&crate::describe::FunctionFigures, &f64), &f64)| {
        [figures.invocations as f64, runtime, memory, figures.idle_units.unwrap_or_default()].map(log)
    };
    functions.map(of).collect()
}

/// log₁₀(1 + x)
pub(super) fn log(value: f64) -> f64 {
    value.ln_1p() / std::f64::consts::LN_10
}

/// Weighs the quantities by what they are on average of random samples, so that each counts relative to J.
pub(super) fn weigh(grid: &mut Grid, random: &[Objective], preserve: &[Preserve]) {
    let mean = |of: &dyn Fn(&Objective) -> f64| random.iter().map(of).sum::<f64>() / random.len().max(1) as f64;
    let j = mean(&|objective| objective.j);
    for (quantity, preserving) in PRESERVING.iter().enumerate() {
        let by_chance = mean(&|objective| objective.own[quantity]);
        let weight = if preserve.contains(preserving) { PRESERVED } else { USUAL };
        if by_chance > 0.0 {
            grid.weigh(quantity, weight * j / by_chance);
        }
    }
}
