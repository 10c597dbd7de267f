//! The course of a study: which run comes next, from what has become of the earlier ones. It is asked anew after each run and after each
//! start of the daemon, and keeps nothing of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::{OnFailure, Outcome, Settings, StudyRun};

/// What a study does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The run under way at this position is awaited.
    Await(usize),
    /// A run for the planned one at this position is made.
    Make(usize),
    /// Nothing: it was carried out, and some runs are samples.
    Succeeded,
    /// Nothing: why it can't be carried out.
    Failed(String),
}

/// Which planned runs are not made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spared {
    /// The cells of which no more runs are made, as one of them failed.
    pub skipped: BTreeSet<u32>,
    /// The cells that have enough runs.
    pub complete: BTreeSet<u32>,
    /// Whether no more runs are made at all, as one failed.
    pub is_stopped: bool,
}

impl Spared {
    /// What is not made after what has become of `runs`.
    pub fn of(settings: &Settings, runs: &[StudyRun]) -> Self {
        let failed = runs.iter().filter(|run| run.outcome(settings.retries) == Outcome::Failed);
        let mut failed = failed.map(|run| run.cell).peekable();
        match settings.on_failure {
            OnFailure::Continue => Self { complete: complete(settings, runs), ..Self::default() },
            OnFailure::SkipCell => {
                Self { skipped: failed.collect(), complete: complete(settings, runs), ..Self::default() }
            }
            OnFailure::Stop => {
                Self { is_stopped: failed.peek().is_some(), complete: complete(settings, runs), ..Self::default() }
            }
        }
    }

    /// Whether no more runs of a cell are made.
    pub fn has(&self, cell: u32) -> bool {
        self.is_stopped || self.skipped.contains(&cell) || self.complete.contains(&cell)
    }
}

/// What a study does next.
pub fn next(settings: &Settings, runs: &[StudyRun]) -> Next {
    let outcomes: Vec<_> = runs.iter().map(|run| run.outcome(settings.retries)).collect();
    if let Some(under_way) = outcomes.iter().position(|outcome| *outcome == Outcome::UnderWay) {
        return Next::Await(under_way);
    }
    let spared = Spared::of(settings, runs);
    let open = outcomes.iter().zip(runs).position(|(outcome, run)| *outcome == Outcome::Open && !spared.has(run.cell));
    match open {
        Some(open) => Next::Make(open),
        None if spared.is_stopped => {
            Next::Failed(format!("a run failed, and onFailure is stop: {}", first_reason(runs)))
        }
        None if outcomes.contains(&Outcome::Sample) => Next::Succeeded,
        None => Next::Failed(format!("no run is a sample: {}", first_reason(runs))),
    }
}

/// Why the first run that is no sample is none.
fn first_reason(runs: &[StudyRun]) -> String {
    let last = runs.iter().filter(|run| run.sample().is_none()).find_map(|run| run.attempts.last());
    last.map(|attempt| format!("run {}: {}", attempt.run_id, attempt.reason)).unwrap_or_default()
}

/// The cells that have enough runs: a look, of those that are fixed beforehand, has found their interval narrow enough.
fn complete(settings: &Settings, runs: &[StudyRun]) -> BTreeSet<u32> {
    let Some(until) = &settings.until else { return BTreeSet::new() };
    let mut figures: BTreeMap<u32, Vec<Option<f64>>> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.outcome(settings.retries).is_final()) {
        figures.entry(run.cell).or_default().push(run.sample().and_then(|sample| sample.figure));
    }
    figures.into_iter().filter(|(_, figures)| until.is_reached(figures)).map(|(cell, _)| cell).collect()
}

/// How many of a study's planned runs have come to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Planned runs.
    pub runs: u32,
    /// Those that are samples.
    pub samples: u32,
    /// Samples that are runs from before the study.
    pub reused: u32,
    /// Those that failed, with all of their retries.
    pub failed: u32,
    /// Those that are left out.
    pub left_out: u32,
    /// Those that are not made.
    pub not_made: u32,
}

impl Counts {
    /// Counts a study's runs; `has_ended`: whether what is open is not made any more.
    pub fn of(settings: &Settings, runs: &[StudyRun], has_ended: bool) -> Self {
        let spared = Spared::of(settings, runs);
        let mut counts = Self::default();
        for run in runs {
            counts.runs += 1;
            match run.outcome(settings.retries) {
                Outcome::Sample => {
                    counts.samples += 1;
                    counts.reused += u32::from(run.sample().is_some_and(|attempt| attempt.reused));
                }
                Outcome::Failed => counts.failed += 1,
                Outcome::LeftOut => counts.left_out += 1,
                Outcome::Open | Outcome::UnderWay => counts.not_made += u32::from(has_ended || spared.has(run.cell)),
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests;
