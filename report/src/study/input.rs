//! What a study is, for its results.

use std::collections::{BTreeMap, BTreeSet};

use crate::{indicator::Figures, statistics::Until};

/// Values of axes by their fields. The baseline of a cell is the cell that has these, and is like it in all other axes.
pub type Baseline = BTreeMap<String, String>;

/// A study, as far as its results need it.
#[derive(Debug, Clone, Default)]
pub struct Study {
    /// Its name.
    pub name: String,
    /// Its id; empty where it has none.
    pub id: String,
    /// The fields that vary, as paths in a spec.
    pub axes: Vec<String>,
    /// Of each cell: a value for each axis.
    pub cells: Vec<Vec<String>>,
    /// Its runs in the order in which they are made. Those that are to come, too.
    pub runs: Vec<StudyRun>,
    /// What cells are compared with. An axis that is not named counts with its first value where the baseline is empty, else with the
    /// cell's own.
    pub baseline: Baseline,
    /// The figures that are compared, by name; without any, [`DEFAULT_FIGURES`](super::DEFAULT_FIGURES).
    pub figures: Vec<String>,
    /// Whether these were chosen when the runs were there, by someone who may have seen what they show.
    pub is_chosen_afterwards: bool,
    /// By how much, as a share, figures may differ and still count as the same.
    pub margin: f64,
    /// The order of the runs, such as `interleaved`.
    pub order: String,
    /// What the order was drawn from.
    pub seed: u64,
    /// The rule by which cells have enough runs; absent where their number is fixed.
    pub until: Option<Until>,
}

/// A run of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRun {
    /// Its id; empty of one that is to come.
    pub id: String,
    /// The number of its cell, from 0.
    pub cell: usize,
    /// Which of its cell's runs it is, from 0.
    pub repeat: u32,
    /// The round in which its turn comes, from 0.
    pub round: u32,
    /// What has come of it.
    pub outcome: Outcome,
}

/// What has come of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is a sample, with these figures.
    Sample(Figures),
    /// It is none: why, such as `saturated`.
    LeftOut(String),
    /// It has not ended.
    ToCome,
}

impl Outcome {
    /// The figures of a sample.
    pub fn figures(&self) -> Option<&Figures> {
        match self {
            Self::Sample(figures) => Some(figures),
            Self::LeftOut(_) | Self::ToCome => None,
        }
    }
}

/// A value as it is shown: of the id of an uploaded trace its first digits.
pub(crate) fn brief(value: &str) -> &str {
    let is_id = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    value.get(..12).filter(|_| is_id).unwrap_or(value)
}

impl Study {
    /// A cell by its values, such as `scaling.stableWindow=30s, rps.start=2`; of a study without axes, its name.
    pub fn label(&self, cell: usize) -> String {
        self.called(cell, &self.axes)
    }

    /// A cell by its values, with its axes so called.
    fn called(&self, cell: usize, axes: &[String]) -> String {
        let values = self.cells.get(cell).map(Vec::as_slice).unwrap_or_default();
        let fields = axes.iter().zip(values).map(|(field, value)| format!("{field}={}", brief(value)));
        let fields: Vec<_> = fields.collect();
        if fields.is_empty() { self.name.clone() } else { fields.join(", ") }
    }

    /// The same with the last parts of the axes' names alone, where these are enough: `stableWindow=30s, start=2`.
    pub fn short_label(&self, cell: usize) -> String {
        let last = |axis: &String| axis.rsplit('.').next().unwrap_or(axis).to_owned();
        let short: Vec<String> = self.axes.iter().map(last).collect();
        let are_enough = short.iter().collect::<BTreeSet<_>>().len() == self.axes.len();
        self.called(cell, if are_enough { &short } else { &self.axes })
    }

    /// The values of a figure in the samples of a cell, in the order in which the runs were made.
    pub fn values(&self, cell: usize, figure: &str) -> Vec<f64> {
        let runs = self.runs.iter().filter(|run| run.cell == cell);
        runs.filter_map(|run| run.outcome.figures()?.get(figure)).collect()
    }

    /// How many runs of a cell were left out.
    pub fn left_out(&self, cell: usize) -> usize {
        self.runs.iter().filter(|run| run.cell == cell && matches!(run.outcome, Outcome::LeftOut(_))).count()
    }

    /// How many runs were left out, by reason.
    pub fn reasons(&self) -> BTreeMap<&str, usize> {
        self.runs.iter().fold(BTreeMap::new(), |mut counts, run| {
            if let Outcome::LeftOut(reason) = &run.outcome {
                *counts.entry(reason.as_str()).or_default() += 1;
            }
            counts
        })
    }
}
