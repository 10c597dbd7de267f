//! What differs between two traces.

use std::collections::HashMap;

use crate::describe::FunctionFigures;
use crate::trace::Trace;

/// What differs between two traces, A and B.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Ids of functions that only A has.
    pub only_first: Vec<String>,
    /// Ids of functions that only B has.
    pub only_second: Vec<String>,
    /// Functions of both that are invoked otherwise, or have other run times or memory, the ones that differ by most
    /// invocations first.
    pub changed: Vec<FunctionChange>,
    /// Functions of both that are alike.
    pub alike: usize,
    /// How the distributions of functions differ, whatever their names.
    pub quantities: Vec<Quantity>,
}

/// A function that both traces have.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionChange {
    /// Its id.
    pub id: String,
    /// In A.
    pub first: FunctionFigures,
    /// In B.
    pub second: FunctionFigures,
}

/// A quantity of functions in both traces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// Which.
    pub name: &'static str,
    /// The median in A; none where A has no data.
    pub first: Option<f64>,
    /// The median in B.
    pub second: Option<f64>,
    /// Area between the distribution functions of log₁₀(1 + x).
    pub distance: Option<f64>,
    /// Greatest difference of the distribution functions (Kolmogorov and Smirnov).
    pub greatest: Option<f64>,
}

/// What differs between two traces.
pub fn diff(first: &Trace, second: &Trace) -> Difference {
    let figures = |trace: &Trace| -> Vec<FunctionFigures> { trace.functions.iter().map(FunctionFigures::of).collect() };
    let (of_first, of_second) = (figures(first), figures(second));
    let places: HashMap<&str, usize> = second.functions.iter().map(|function| function.id.as_str()).zip(0..).collect();
    let mut is_in_both = vec![false; second.functions.len()];
    let (mut only_first, mut changed, mut alike) = (Vec::new(), Vec::new(), 0);
    for (function, figures) in first.functions.iter().zip(&of_first) {
        let Some(&at) = places.get(function.id.as_str()) else {
            only_first.push(function.id.clone());
            continue;
        };
        is_in_both[at] = true;
        let other = &second.functions[at];
        let same = function.load == other.load && function.runtime == other.runtime && function.memory == other.memory;
        if same {
            alike += 1;
        } else {
            changed.push(FunctionChange { id: function.id.clone(), first: *figures, second: of_second[at] });
        }
    }
    changed.sort_by_key(|change| std::cmp::Reverse(change.first.invocations.abs_diff(change.second.invocations)));
    let others = second.functions.iter().zip(&is_in_both).filter(|(_, both)| !**both);
    let only_second = others.map(|(function, _)| function.id.clone()).collect();
    Difference { only_first, only_second, changed, alike, quantities: quantities(&of_first, &of_second) }
}

fn quantities(first: &[FunctionFigures], second: &[FunctionFigures]) -> Vec<Quantity> {
    type Of = fn(&FunctionFigures) -> Option<f64>;
    let all: [(&'static str, Of); 5] = [
        ("invocations", |figures| Some(figures.invocations as f64)),
        ("run time in ms", |figures| figures.runtime_ms),
        ("memory in MiB", |figures| figures.memory_mib),
        ("idle time in units", |figures| figures.idle_units),
        ("inter-arrival CV", |figures| figures.variation),
    ];
    let quantity = |(name, of): (&'static str, Of)| {
        let values = |figures: &[FunctionFigures]| {
            let mut values: Vec<f64> = figures.iter().filter_map(of).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let (first, second) = (values(first), values(second));
        let middle = |values: &[f64]| values.get(values.len().saturating_sub(1) / 2).copied();
        let distances = distances(&first, &second);
        Quantity {
            name,
            first: middle(&first),
            second: middle(&second),
            distance: distances.map(|(area, _)| area),
            greatest: distances.map(|(_, greatest)| greatest),
        }
    };
    all.into_iter().map(quantity).collect()
}

/// The area between the distribution functions of the logarithms of ascending values, and their greatest difference; none
/// where one has no values.
fn distances(first: &[f64], second: &[f64]) -> Option<(f64, f64)> {
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let log = |value: f64| value.ln_1p() / std::f64::consts::LN_10;
    let (mut a, mut b, mut area, mut greatest) = (0, 0, 0.0, 0.0_f64);
    let mut last: Option<f64> = None;
    while a < first.len() || b < second.len() {
        let value = match (first.get(a), second.get(b)) {
            (Some(&of_first), Some(&of_second)) => of_first.min(of_second),
            (Some(&value), None) | (None, Some(&value)) => value,
            (None, None) => break,
        };
        let difference = (a as f64 / first.len() as f64 - b as f64 / second.len() as f64).abs();
        if let Some(last) = last {
            area += difference * (log(value) - log(last));
            greatest = greatest.max(difference);
        }
        a += first[a..].partition_point(|&other| other <= value);
        b += second[b..].partition_point(|&other| other <= value);
        last = Some(value);
    }
    Some((area, greatest))
}
