//! The effect of one disturbance: its level, its windows, its figures.

use std::time::Duration;

use super::row::EffectRow;
use crate::{
    clock::UnixMicros,
    histogram::{Histogram, rank},
};

/// Length of a window, in microseconds.
const WINDOW_US: i64 = 10_000_000;
/// How long before a disturbance its level is taken, in microseconds.
const BEFORE_US: i64 = 60_000_000;
/// The percentile.
const SHARE: f64 = 0.99;
/// Fewest values that say something of it.
const FEWEST: u64 = 100;
/// By how many levels a window counts as above.
const FACTOR: f64 = 2.0;
/// Windows after a disturbance in which its effect must show.
const WATCHED: usize = 6;

/// What a disturbance did to invocations.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectFigures {
    /// The end of the time that the figures are of.
    pub until: UnixMicros,
    /// Invocations that came due in that time.
    pub requested: u64,
    /// Those with any status but ok.
    pub failed: u64,
    /// Those that were never answered, but for those that the loader did not send, or was told to end.
    pub lost: u64,
    /// Geometric mean of their slowdowns.
    pub slowdown: Option<f64>,
    /// The same of the minute before.
    pub slowdown_before: Option<f64>,
    /// 99th percentile of the scheduling latency in the minute before, in microseconds.
    pub level_us: Option<u64>,
    /// From the due time until the latency was back below twice the level; or why that is not known.
    pub recovery: Result<Duration, UnknownRecovery>,
}

/// Why a time of recovery is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRecovery {
    /// There were too few invocations for a level.
    #[error("no level before it: {0} invocations in the minute before, {FEWEST} needed")]
    FewBefore(u64),
    /// The level is endless.
    #[error("no level before it: {failed} of {count} invocations in the minute before failed")]
    FailingBefore {
        /// Invocations in the minute before.
        count: u64,
        /// Those that failed.
        failed: u64,
    },
    /// There were too few invocations in a window.
    #[error("{0} invocations in a window of 10s, {FEWEST} needed")]
    FewInWindow(u64),
    /// The next disturbance, or the end of the load, came before.
    #[error("not before the next disturbance or the end of the load")]
    NotYet,
}

/// A geometric mean under way.
#[derive(Debug, Clone, Copy, Default)]
struct GeometricMean {
    count: u64,
    sum_of_logs: f64,
}

impl GeometricMean {
    fn add(&mut self, ratio: f64) {
        self.count += 1;
        self.sum_of_logs += ratio.ln();
    }

    fn merge(self, other: Self) -> Self {
        Self { count: self.count + other.count, sum_of_logs: self.sum_of_logs + other.sum_of_logs }
    }

    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| (self.sum_of_logs / self.count as f64).exp())
    }
}

/// The rows of a window.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    /// Rows whose latency is known, or that failed; and those of them that are above.
    compared: u64,
    above: u64,
    requested: u64,
    failed: u64,
    lost: u64,
    slowdown: GeometricMean,
}

impl Window {
    fn add(&mut self, row: &EffectRow, bound_us: Option<f64>) {
        self.requested += 1;
        self.failed += u64::from(!row.succeeded);
        self.lost += u64::from(row.lost);
        if !row.counts {
            return;
        }
        row.slowdown.into_iter().for_each(|it| self.slowdown.add(it));
        let is_above = match (row.succeeded, row.latency_us) {
            (false, _) => true,
            (true, Some(latency)) => bound_us.is_none_or(|bound| latency as f64 >= bound),
            (true, None) => return,
        };
        self.compared += 1;
        self.above += u64::from(is_above);
    }

    /// Whether its percentile is above; absent when too few rows say anything of it.
    fn is_above(&self) -> Option<bool> {
        let rank = rank(SHARE, self.compared)?;
        Some(self.compared - self.above < rank)
    }
}

/// One disturbance, and what is gathered of it.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) begin: i64,
    /// When it was undone, or began, for what is not.
    over: i64,
    /// The next disturbance after that; absent: the end of the load.
    horizon: Option<i64>,
    before: Histogram,
    failed_before: u64,
    slowdown_before: GeometricMean,
    windows: Vec<Window>,
}

impl Effect {
    /// That of a disturbance that began at `begin` and was `over` then or later; the next one after that is the `horizon`.
    pub(super) fn new(begin: i64, over: i64, horizon: Option<i64>) -> Self {
        let (before, windows) = (Histogram::default(), Vec::new());
        Self { begin, over, horizon, before, failed_before: 0, slowdown_before: GeometricMean::default(), windows }
    }

    /// The latency at which a window is above; absent without a level.
    pub(super) fn bound_us(&self) -> Option<f64> {
        self.level().ok().map(|level| FACTOR * level as f64)
    }

    fn level(&self) -> Result<u64, UnknownRecovery> {
        let (count, failed) = (self.before.count() + self.failed_before, self.failed_before);
        if count < FEWEST {
            return Err(UnknownRecovery::FewBefore(count));
        }
        self.before.percentile_among(SHARE, count).ok_or(UnknownRecovery::FailingBefore { count, failed })
    }

    /// Takes a row of the first pass.
    pub(super) fn before(&mut self, row: &EffectRow) {
        if !(row.counts && (self.begin - BEFORE_US..self.begin).contains(&row.due)) {
            return;
        }
        match (row.succeeded, row.latency_us) {
            (false, _) => self.failed_before += 1,
            (true, Some(latency)) => self.before.add(latency),
            (true, None) => {}
        }
        row.slowdown.into_iter().for_each(|it| self.slowdown_before.add(it));
    }

    /// Takes a row of the second pass.
    pub(super) fn window(&mut self, row: &EffectRow, bound_us: Option<f64>) {
        if row.due < self.begin || self.horizon.is_some_and(|horizon| row.due >= horizon) {
            return;
        }
        let index = usize::try_from((row.due - self.begin) / WINDOW_US).unwrap_or(usize::MAX);
        if index >= self.windows.len() {
            self.windows.resize(index + 1, Window::default());
        }
        if let Some(window) = self.windows.get_mut(index) {
            window.add(row, bound_us);
        }
    }

    /// The window in which it was over.
    fn over_in(&self) -> usize {
        usize::try_from((self.over - self.begin) / WINDOW_US).unwrap_or_default()
    }

    /// The number of the first window that is back below, among those that end before `end`.
    fn recovered_in(&self, end: i64) -> Result<usize, UnknownRecovery> {
        self.level()?;
        let (over, mut has_left) = (self.over_in(), false);
        let whole = usize::try_from((end - self.begin) / WINDOW_US).unwrap_or_default();
        let empty = Window::default();
        for index in 0..whole {
            let window = self.windows.get(index).unwrap_or(&empty);
            match window.is_above().ok_or(UnknownRecovery::FewInWindow(window.compared))? {
                true => has_left = true,
                false if has_left && index >= over => return Ok(index),
                false if !has_left && index >= over + WATCHED => return Ok(0),
                false => {}
            }
        }
        if has_left || whole <= over { Err(UnknownRecovery::NotYet) } else { Ok(0) }
    }

    /// Its figures, where the load ended at `end`.
    pub(super) fn figures(&self, end: i64) -> EffectFigures {
        let end = self.horizon.map_or(end, |horizon| horizon.min(end));
        let recovered = self.recovered_in(end);
        let length = |windows: usize| WINDOW_US.saturating_mul(crate::units::to_i64(windows));
        let until = match recovered {
            // At least the window in which it was over.
            Ok(window) => (self.begin + length(window.max(self.over_in() + 1))).min(end),
            Err(_) => end,
        };
        let within = usize::try_from((until - self.begin).max(0).cast_unsigned().div_ceil(WINDOW_US.cast_unsigned()));
        let windows = self.windows.iter().take(within.unwrap_or(usize::MAX));
        let sum = |count: fn(&Window) -> u64| windows.clone().map(count).sum();
        EffectFigures {
            until: UnixMicros(until),
            requested: sum(|it| it.requested),
            failed: sum(|it| it.failed),
            lost: sum(|it| it.lost),
            slowdown: windows.clone().fold(GeometricMean::default(), |all, it| all.merge(it.slowdown)).value(),
            slowdown_before: self.slowdown_before.value(),
            level_us: self.level().ok(),
            recovery: recovered.map(|window| Duration::from_micros(length(window).unsigned_abs())),
        }
    }
}
