//! What disturbances did to invocations, and how long the platform took to recover. Pure: rows go in, figures come out.
//!
//! ```text
//!    the minute before        due        windows of 10 s                        recovered
//! ──────[ level ]──────────────┼──────┬──────┬──────┬──────┬──────┬──────┬───────
//!                                 ok    above  above  above   ok ◀─ p99 below twice the level
//! ```
//! Rows are read twice: the level of the first pass is what the windows of the second are compared with. So no latency has to be
//! kept, whatever the length of the run. Rows belong to the time in which they were due; failures count as endless latencies.

mod effect;
mod row;

use self::effect::Effect;
pub use self::{
    effect::{EffectFigures, UnknownRecovery},
    row::EffectRow,
};
use super::{DisturbanceEvent, EventOutcome, Stage};
use crate::clock::UnixMicros;

/// What came of a disturbance.
#[derive(Debug, Clone, PartialEq)]
pub struct DisturbanceFindings {
    /// Its begin.
    pub begin: DisturbanceEvent,
    /// When it was undone; absent for what is not undone, and when that failed.
    pub undone: Option<UnixMicros>,
    /// Its figures; absent when it was not carried out, or they are not known.
    pub figures: Option<EffectFigures>,
}

/// Gathers the effects of a run's disturbances.
#[derive(Debug)]
pub struct Effects {
    findings: Vec<DisturbanceFindings>,
    /// Those that were carried out, with their place in `findings`.
    effects: Vec<(usize, Effect)>,
    /// The last due time; absent without rows.
    last: Option<i64>,
}

impl Effects {
    /// Of the disturbances with these events.
    pub fn new(events: &[DisturbanceEvent]) -> Self {
        let undone = |number| {
            let mut ends = events.iter().filter(|it| it.stage == Stage::End && it.outcome == EventOutcome::Ok);
            ends.find(|it| it.number == number)?.done
        };
        let begins = events.iter().filter(|it| it.stage == Stage::Begin);
        let mut findings: Vec<_> = begins
            .map(|begin| DisturbanceFindings { begin: begin.clone(), undone: undone(begin.number), figures: None })
            .collect();
        findings.sort_by_key(|it| it.begin.number);
        let carried_out = |it: &&DisturbanceFindings| it.begin.outcome == EventOutcome::Ok;
        let begins: Vec<_> = findings.iter().filter(carried_out).map(|it| it.begin.due.0).collect();
        let effect = |(place, it): (usize, &DisturbanceFindings)| {
            let begin = it.begin.due.0;
            let over = it.undone.map_or(begin, |undone| undone.0.max(begin));
            let horizon = begins.iter().copied().filter(|&other| other > begin && other >= over).min();
            (place, Effect::new(begin, over, horizon))
        };
        let effects = findings.iter().enumerate().filter(|(_, it)| carried_out(it)).map(effect).collect();
        Self { findings, effects, last: None }
    }

    /// Whether none was carried out, so that no row says anything.
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }

    /// Takes a row in the first pass.
    pub fn first_pass(&mut self, row: &EffectRow) {
        self.last = self.last.max(Some(row.due));
        self.effects.iter_mut().for_each(|(_, effect)| effect.before(row));
    }

    /// What is to be called with each row in the second pass.
    pub fn second_pass(&mut self) -> impl FnMut(&EffectRow) {
        let bounds: Vec<_> = self.effects.iter().map(|(_, effect)| effect.bound_us()).collect();
        move |row| {
            for ((_, effect), bound_us) in self.effects.iter_mut().zip(&bounds) {
                effect.window(row, *bound_us);
            }
        }
    }

    /// The findings, in the order of the spec.
    pub fn findings(mut self) -> Vec<DisturbanceFindings> {
        for (place, effect) in &self.effects {
            // The last invocation is before the end of the load.
            let figures = self.last.filter(|&last| last >= effect.begin).map(|last| effect.figures(last + 1));
            if let Some(found) = self.findings.get_mut(*place) {
                found.figures = figures;
            }
        }
        self.findings
    }

    /// The findings where rows can't be read: what was done, without figures.
    pub fn without_figures(self) -> Vec<DisturbanceFindings> {
        self.findings
    }
}

#[cfg(test)]
mod tests;
