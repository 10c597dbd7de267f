//! What a study says of all of its runs.

use std::time::Duration;

use loader_proto::v1;

use super::{Hooks, MOST_RUNS, Order, Until, figures, share::share};
use crate::{
    spec::{self, Check},
    units,
};

/// The name of a study that has none.
const DEFAULT_NAME: &str = "study";

/// Runs of each cell, where the study does not say. Fewer than 4 of each can't show a difference at the 5 % level, whatever they find
/// (Mann–Whitney: the smallest two-sided p is 0.1 with 3).
const DEFAULT_REPEATS: u32 = 7;

/// What orders are drawn from, where the study does not say.
const DEFAULT_SEED: u64 = 42;

/// How often a run is tried again, where the study does not say, and at most.
const RETRIES: (u32, u32) = (1, 10);

/// Longest pause between two runs.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// How much two cells may differ and count as the same, where the study does not say.
const DEFAULT_MARGIN: f64 = 0.05;

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
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The name of the study.
    pub name: String,
    /// How the axes are combined.
    pub combine: Combine,
    /// Runs of each cell; with `until`, the most of them.
    pub repeats: u32,
    /// When a cell has enough runs; absent where their number is fixed.
    pub until: Option<Until>,
    /// The order of the runs.
    pub order: Order,
    /// What the order is drawn from.
    pub seed: u64,
    /// The seeds of the runs.
    pub seeds: Seeds,
    /// From the end of a run to the next.
    pub pause: Duration,
    /// The longest that the study then waits for an idle platform; absent where it does not.
    pub until_idle: Option<Duration>,
    /// What follows when a run has failed.
    pub on_failure: OnFailure,
    /// How often a run that failed is tried again.
    pub retries: u32,
    /// What is run around the study and its runs.
    pub hooks: Hooks,
    /// How much two cells may differ and count as the same, as a share.
    pub margin: f64,
    /// The figures that are compared, by name; none where the study does not say.
    pub figures: Vec<String>,
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
            until,
            hooks,
            baseline: _,
            margin,
            figures,
        } = message;
        let name = spec::name(check, name);
        let combine = choice(check, "combine", combine, Combine::Grid, &Combine::ALL, Combine::as_str);
        if until.is_some() && repeats.is_some() {
            check.fault("repeats", "conflicts with until: set only one of them");
        }
        let until = Until::read(check, until.as_ref());
        let most = until.as_ref().and_then(Option::as_ref).map(|until| until.at_most);
        let repeats = most.or(*repeats);
        let repeats = check.count("repeats", repeats, DEFAULT_REPEATS, 1..=units::to_u32(MOST_RUNS));
        let order = choice(check, "order", order, Order::Interleaved, &Order::ALL, Order::as_str);
        let default_seeds = if varies_seed { Seeds::Same } else { Seeds::PerRepeat };
        let seeds = choice(check, "seeds", seeds, default_seeds, &Seeds::ALL, Seeds::as_str);
        if varies_seed && seeds == Some(Seeds::PerRepeat) {
            check.fault("seeds", "is perRepeat, but an axis varies the seed: leave seeds out, or the axis");
        }
        let (pause, until_idle) =
            between.as_ref().map(|between| (between.pause, between.until_idle)).unwrap_or_default();
        let pause = check.duration("between.pause", pause.as_ref(), Duration::ZERO, Duration::ZERO..=LONGEST_PAUSE);
        let until_idle = match until_idle {
            None => Some(None),
            given @ Some(_) => check
                .duration("between.untilIdle", given.as_ref(), Duration::ZERO, Duration::from_secs(1)..=LONGEST_PAUSE)
                .map(Some),
        };
        let on_failure =
            choice(check, "onFailure", on_failure, OnFailure::Continue, &OnFailure::ALL, OnFailure::as_str);
        let (default_retries, most_retries) = RETRIES;
        let retries = check.count("retries", *retries, default_retries, 0..=most_retries);
        let hooks = Hooks::read(check, hooks.as_ref());
        let margin = share(check, "margin", *margin, DEFAULT_MARGIN);
        let figures = figures::read(check, figures);
        Some(Self {
            name: name?.unwrap_or_else(|| DEFAULT_NAME.to_owned()),
            combine: combine?,
            repeats: repeats?,
            until: until?,
            order: order?,
            seed: seed.unwrap_or(DEFAULT_SEED),
            seeds: seeds?,
            pause: pause?,
            until_idle: until_idle?,
            on_failure: on_failure?,
            retries: retries?,
            hooks: hooks?,
            margin: margin?,
            figures: figures?,
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
