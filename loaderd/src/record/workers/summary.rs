//! Workers in the summary: what is known of them, and what their rows show.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    standing::{WorkerClock, WorkerFacts, WorkerState},
    statistics::WorkerStatistics,
};
use crate::{
    histogram::Distribution,
    id::WorkerIndex,
    record::{Counts, Statistics, stalls::Stalls},
};

/// A worker of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerSummary {
    /// Its number.
    pub index: WorkerIndex,
    /// The node that it ran on; empty when that is not known.
    pub node: String,
    /// Its pod; empty outside clusters.
    pub pod: String,
    /// Its state at the end.
    pub state: WorkerState,
    /// Why it was lost; empty otherwise.
    pub reason: String,
    /// Its clock; absent when it was not compared.
    pub clock: Option<WorkerClock>,
    /// Batches of records that were taken from it.
    pub batches: u64,
    /// Their length as they were transferred, in bytes.
    pub bytes: u64,
    /// Its rows in the file.
    pub rows: u64,
    /// Its invocations of the measured phase.
    pub measured: Counts,
    /// Dispatch lag, in microseconds.
    pub dispatch_lag_us: Distribution,
    /// The loader's own part of it, in microseconds.
    pub own_lag_us: Distribution,
    /// From the arrival of a response until it was read, in microseconds.
    pub receive_lag_us: Distribution,
    /// How often it was late.
    pub stalls: u64,
    /// The longest time for which it was.
    pub longest_stall: Duration,
    /// All these times together.
    pub total_stall: Duration,
    /// Measured slots in which it was the bottleneck.
    pub saturated_slots: u32,
}

/// Clocks of workers that were not known well enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockError {
    /// What is allowed.
    pub max: Duration,
    /// The workers.
    pub workers: Vec<WorkerIndex>,
    /// The greatest bound.
    pub worst: Duration,
}

/// The workers of a run, by index: those that are known, and those that have rows.
pub(in crate::record) fn summaries(facts: Vec<WorkerFacts>, statistics: &Statistics) -> Vec<WorkerSummary> {
    let mut facts: BTreeMap<_, _> = facts.into_iter().map(|facts| (facts.index, facts)).collect();
    let all: BTreeSet<_> = facts.keys().chain(statistics.workers.keys()).copied().collect();
    let nothing = WorkerStatistics::default();
    let summary = |index| {
        let facts = facts.remove(&index).unwrap_or_else(|| WorkerFacts::unknown(index));
        summary(facts, statistics.workers.get(&index).unwrap_or(&nothing), &statistics.stalls)
    };
    all.into_iter().map(summary).collect()
}

fn summary(facts: WorkerFacts, statistics: &WorkerStatistics, stalls: &Stalls) -> WorkerSummary {
    let WorkerFacts { index, node, pod, clock, state, reason, batches, bytes } = facts;
    let WorkerStatistics { rows, measured, dispatch_lag, own_lag, receive_lag, saturated_slots } = statistics;
    let stalls = stalls.figures_of(index);
    WorkerSummary {
        index,
        node,
        pod,
        state,
        reason,
        clock,
        batches,
        bytes,
        rows: *rows,
        measured: measured.clone(),
        dispatch_lag_us: Distribution::from(dispatch_lag),
        own_lag_us: Distribution::from(own_lag),
        receive_lag_us: Distribution::from(receive_lag),
        stalls: stalls.count,
        longest_stall: stalls.longest,
        total_stall: stalls.total,
        saturated_slots: *saturated_slots,
    }
}

/// The clocks that were known to no better than `max`; absent when all were.
pub(in crate::record) fn clock_error(workers: &[WorkerSummary], max: Option<Duration>) -> Option<ClockError> {
    let max = max?;
    let worst = |worker: &WorkerSummary| worker.clock.map(|clock| clock.worst);
    let unknown: Vec<_> = workers.iter().filter(|worker| worst(worker).is_some_and(|worst| worst > max)).collect();
    let greatest = unknown.iter().filter_map(|worker| worst(worker)).max()?;
    Some(ClockError { max, workers: unknown.iter().map(|worker| worker.index).collect(), worst: greatest })
}

#[cfg(test)]
mod tests;
