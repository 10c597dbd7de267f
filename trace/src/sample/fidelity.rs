//! How far a sample's distributions lie from the trace's, beside J.

use std::collections::HashSet;

use super::load::OverTime;
use super::own::log;
use super::population::Population;
use crate::trace::Trace;

/// A measure of a sample: 0 is as the trace, but for shares kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// What is measured.
    pub measure: &'static str,
    /// Its value; none where the trace has no data for it.
    pub value: Option<f64>,
}

/// A quantity of functions, with the functions in the order of it.
struct Quantity {
    distance: &'static str,
    greatest: &'static str,
    /// Value, weight, function.
    sorted: Vec<(f64, f64, u32)>,
}

/// What samples are compared with.
pub(super) struct Fidelity<'a> {
    population: &'a Population,
    quantities: Vec<Quantity>,
    whole: OverTime,
    kinds: [(&'static str, Vec<u32>); 3],
}

impl<'a> Fidelity<'a> {
    pub(super) fn of(trace: &Trace, population: &'a Population, whole: OverTime) -> Self {
        let figures = &population.figures;
        let each = |distance, greatest, value: &dyn Fn(usize) -> Option<(f64, f64)>| {
            let numbered = (0_u32..).zip(0..population.len());
            let known =
                numbered.filter_map(|(function, at)| value(at).map(|(value, weight)| (log(value), weight, function)));
            let mut sorted: Vec<_> = known.collect();
            sorted.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
            Quantity { distance, greatest, sorted }
        };
        let once = |value: f64| Some((value, 1.0));
        let invocations = |at: usize| figures[at].invocations as f64;
        let quantities = vec![
            each("D invocations", "KS invocations", &|at| once(invocations(at))),
            each("D run time", "KS run time", &|at| once(population.runtime_ms[at])),
            each("D memory", "KS memory", &|at| figures[at].memory_mib.and_then(once)),
            each("D run time by invocations", "KS run time by invocations", &|at| {
                Some((population.runtime_ms[at], invocations(at)))
            }),
            each("D idle time", "KS idle time", &|at| figures[at].idle_units.and_then(once)),
            each("D inter-arrival CV", "KS inter-arrival CV", &|at| figures[at].variation.and_then(once)),
        ];
        let kinds = [
            ("triggers kept", numbered(trace, |function| function.trigger.as_deref().unwrap_or_default())),
            ("owners kept", numbered(trace, |function| &function.owner)),
            ("apps kept", numbered(trace, |function| &function.app)),
        ];
        Self { population, quantities, whole, kinds }
    }

    /// All measures of a sample.
    pub(super) fn findings(&self, members: &[u32], over: &OverTime) -> Vec<Finding> {
        let mut is_member = vec![false; self.population.len()];
        members.iter().for_each(|&member| is_member[member as usize] = true);
        let mut findings = Vec::new();
        for quantity in &self.quantities {
            let found = quantity.distances(&is_member);
            findings.push(Finding { measure: quantity.distance, value: found.map(|(area, _)| area) });
            findings.push(Finding { measure: quantity.greatest, value: found.map(|(_, greatest)| greatest) });
        }
        let size = members.len() as f64 / self.population.len().max(1) as f64;
        let Self { whole, .. } = self;
        for (shape, bias, of, all) in [
            ("load over time", "bias of load", &over.invocations, &whole.invocations),
            ("busy time over time", "bias of busy time", &over.busy_ms, &whole.busy_ms),
        ] {
            findings.push(Finding { measure: shape, value: shape_error(of, all) });
            let (sum, sum_all): (f64, f64) = (of.iter().sum(), all.iter().sum());
            findings.push(Finding { measure: bias, value: (sum_all > 0.0).then(|| sum / size / sum_all - 1.0) });
        }
        for (measure, kinds) in &self.kinds {
            let kept: HashSet<u32> = members.iter().filter_map(|&member| kinds.get(member as usize)).copied().collect();
            let all = kinds.iter().max().map(|most| f64::from(*most) + 1.0);
            findings.push(Finding { measure, value: all.map(|all| kept.len() as f64 / all) });
        }
        findings
    }
}

impl Quantity {
    /// The area between the distribution functions of the members and of all, and their greatest difference.
    fn distances(&self, is_member: &[bool]) -> Option<(f64, f64)> {
        let members = self.sorted.iter().filter(|(_, _, function)| is_member[*function as usize]);
        let weight: f64 = members.map(|(_, weight, _)| weight).sum();
        let all: f64 = self.sorted.iter().map(|(_, weight, _)| weight).sum();
        if weight <= 0.0 || all <= 0.0 {
            return None;
        }
        let (mut below, mut below_all, mut area, mut greatest) = (0.0, 0.0, 0.0, 0.0_f64);
        for (place, &(value, of, function)) in self.sorted.iter().enumerate() {
            below_all += of;
            if is_member[function as usize] {
                below += of;
            }
            let next = self.sorted.get(place + 1).map_or(value, |&(next, ..)| next);
            if next > value {
                let difference: f64 = below / weight - below_all / all;
                area += difference.abs() * (next - value);
                greatest = greatest.max(difference.abs());
            }
        }
        Some((area, greatest))
    }
}

/// Half the sum of the differences of two series' shares: 0 for the same shape, 1 for no common unit.
fn shape_error(of: &[f64], all: &[f64]) -> Option<f64> {
    let (sum, sum_all): (f64, f64) = (of.iter().sum(), all.iter().sum());
    let differences = of.iter().zip(all).map(|(of, all)| (of / sum - all / sum_all).abs());
    (sum > 0.0 && sum_all > 0.0).then(|| differences.sum::<f64>() / 2.0)
}

/// A number for each different name; none of a trace that has no such names.
fn numbered<'t>(trace: &'t Trace, name: impl Fn(&'t crate::trace::TraceFunction) -> &'t str) -> Vec<u32> {
    let mut numbers = std::collections::HashMap::new();
    let names: Vec<&str> = trace.functions.iter().map(name).collect();
    if names.iter().any(|name| name.is_empty()) {
        return Vec::new();
    }
    let mut number = |name| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(name).or_insert(next)
    };
    names.into_iter().map(&mut number).collect()
}
