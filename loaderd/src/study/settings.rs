//! What a study says of all of its runs.

use std::time::Duration;

use loader_proto::v1;

use super::Order;
use crate::{
    spec::{self, Check},
    units,
};

/// Most runs of a study.
pub const MOST_RUNS: u64 = 10_000;

/// The name of a study that has none.
const DEFAULT_NAME: &str = "study";

/// Runs of each cell, where the study does not say. Fewer than 4 of each can't show a difference at the 5 % level, whatever they find
/// (Mann–Whitney: the smallest two-sided p is 0.1 with 3).
const DEFAULT_REPEATS: u32 = 5;

/// What orders are drawn from, where the study does not say.
const DEFAULT_SEED: u64 = 42;

/// How often a run is tried again, where the study does not say, and at most.
const RETRIES: (u32, u32) = (1, 10);

/// Longest pause between two runs.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// How the axes of a study are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// Each value with each value of the other axes.
    Grid,
    /// The values of one position in all axes.
    Zip,
}

impl Combine {
    const ALL: [Self; 2] = [Self::Grid, Self::Zip];

    fn as_str(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Zip => "zip",
        }
    }
}

/// The seeds of a study's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeds {
    /// All have that of the base, or of their cell.
    Same,
    /// Repeat n of each cell has that of the base plus n, counted from 0.
    PerRepeat,
}

impl Seeds {
    const ALL: [Self; 2] = [Self::Same, Self::PerRepeat];

    fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::PerRepeat => "perRepeat",
        }
    }
}

/// What follows when a run has failed, with all of its retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The next run.
    Continue,
    /// The next run of another cell.
    SkipCell,
    /// No more runs.
    Stop,
}

impl OnFailure {
    const ALL: [Self; 3] = [Self::Continue, Self::SkipCell, Self::Stop];

    fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::SkipCell => "skipCell",
            Self::Stop => "stop",
        }
    }
}

/// What a study says of all of its runs, every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The name of the study.
    pub name: String,
    /// How the axes are combined.
    pub combine: Combine,
    /// Runs of each cell.
    pub repeats: u32,
    /// The order of the runs.
    pub order: Order,
    /// What the order is drawn from.
    pub seed: u64,
    /// The seeds of the runs.
    pub seeds: Seeds,
    /// From the end of a run to the next.
    pub pause: Duration,
    /// What follows when a run has failed.
    pub on_failure: OnFailure,
    /// How often a run that failed is tried again.
    pub retries: u32,
}

impl Settings {
    /// Reads a study's settings; `varies_seed`: whether an axis is over the seed, so that runs take theirs from it.
    pub(super) fn read(check: &mut Check, message: &v1::StudySpec, varies_seed: bool) -> Option<Self> {
        let v1::StudySpec {
            name,
            base: _,
            vary: _,
            combine,
            exclude: _,
            repeats,
            order,
            seed,
            seeds,
            between,
            on_failure,
            retries,
        } = message;
        let name = spec::name(check, name);
        let combine = choice(check, "combine", combine, Combine::Grid, &Combine::ALL, Combine::as_str);
        let repeats = check.count("repeats", *repeats, DEFAULT_REPEATS, 1..=units::to_u32(MOST_RUNS));
        let order = choice(check, "order", order, Order::Interleaved, &Order::ALL, Order::as_str);
        let default_seeds = if varies_seed { Seeds::Same } else { Seeds::PerRepeat };
        let seeds = choice(check, "seeds", seeds, default_seeds, &Seeds::ALL, Seeds::as_str);
        if varies_seed && seeds == Some(Seeds::PerRepeat) {
            check.fault("seeds", "is perRepeat, but an axis varies the seed: leave seeds out, or the axis");
        }
        let pause = between.as_ref().and_then(|between| between.pause);
        let pause = check.duration("between.pause", pause.as_ref(), Duration::ZERO, Duration::ZERO..=LONGEST_PAUSE);
        let on_failure =
            choice(check, "onFailure", on_failure, OnFailure::Continue, &OnFailure::ALL, OnFailure::as_str);
        let (default_retries, most_retries) = RETRIES;
        let retries = check.count("retries", *retries, default_retries, 0..=most_retries);
        Some(Self {
            name: name?.unwrap_or_else(|| DEFAULT_NAME.to_owned()),
            combine: combine?,
            repeats: repeats?,
            order: order?,
            seed: seed.unwrap_or(DEFAULT_SEED),
            seeds: seeds?,
            pause: pause?,
            on_failure: on_failure?,
            retries: retries?,
        })
    }
}

/// One of `known` by its name; `default` when absent.
fn choice<T: Copy>(
    check: &mut Check,
    field: &str,
    name: &str,
    default: T,
    known: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Option<T> {
    if name.is_empty() { Some(default) } else { check.named(field, name, known, name_of) }
}
