//! The apps of a trace, put together from their functions.

use std::collections::HashMap;

use super::gaps;
use crate::sizes::Clamp;
use crate::trace::{Trace, TraceFunction};

/// How the memory of a trace's functions makes that of their app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppMemory {
    /// It was divided among them, as [`crate::Format::Azure2019`] is read.
    SumOfFunctions,
    /// Each has as much as its app, as synthetic traces have it. Where functions differ the app has their mean.
    OfEachFunction,
}

/// What is known of an app.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct App {
    /// How many functions it has.
    pub(super) functions: usize,
    pub(super) invocations: u64,
    /// The trigger of all its functions, where they have the same.
    pub(super) only_trigger: Option<String>,
    /// Coefficient of variation of its inter-arrival times.
    pub(super) variation: Option<f64>,
    /// Mean memory in MB.
    pub(super) memory: Option<f64>,
}

/// All apps, in the order of their first functions; none where a function has no app.
pub(super) fn apps(trace: &Trace, memory: AppMemory) -> Option<Vec<App>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut members: Vec<Vec<&TraceFunction>> = Vec::new();
    for function in &trace.functions {
        if function.app.is_empty() {
            return None;
        }
        let place = *places.entry(&function.app).or_insert(members.len());
        if place == members.len() {
            members.push(Vec::new());
        }
        members[place].push(function);
    }
    Some(members.iter().map(|functions| app(functions, trace.units, memory)).collect())
}

fn app(functions: &[&TraceFunction], units: usize, memory: AppMemory) -> App {
    let counts = |unit: usize| functions.iter().map(|function| u64::from(function.load.count(unit))).sum::<u64>();
    let mut triggers = functions.iter().map(|function| function.trigger.as_deref());
    let first = triggers.next().flatten();
    let only_trigger = first.filter(|&first| triggers.all(|trigger| trigger == Some(first)));
    App {
        functions: functions.len(),
        invocations: functions.iter().map(|function| function.load.total()).sum(),
        only_trigger: only_trigger.map(str::to_owned),
        variation: gaps::variation((0..units).map(counts)),
        memory: mean_memory(functions, memory),
    }
}

fn mean_memory(functions: &[&TraceFunction], memory: AppMemory) -> Option<f64> {
    let all = Clamp { min: 0, max: u32::MAX };
    let each: Option<Vec<f64>> = functions.iter().map(|function| Some(function.memory.as_ref()?.mean(all))).collect();
    let sum: f64 = each?.iter().sum();
    Some(match memory {
        AppMemory::SumOfFunctions => sum,
        AppMemory::OfEachFunction => sum / functions.len() as f64,
    })
}
