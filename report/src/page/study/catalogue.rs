//! The figures of studies, by name.

use super::{
    axes, figures,
    presentable::{presentable, shown},
    spread,
};
use crate::{
    figure::Figure,
    study::{Results, Study},
};

/// A figure that can be drawn of a study: panels, each a figure of its own.
#[derive(Debug, Clone, Copy)]
pub struct StudyEntry {
    /// Its name.
    pub name: &'static str,
    /// What it shows, for a list.
    pub about: &'static str,
    /// Whether its panels are over axes of the study.
    pub is_over_axes: bool,
    draw: fn(&Study, &Results, &[usize]) -> Vec<Figure>,
}

/// All figures of studies, in the order of a study's report.
pub const STUDY_FIGURES: [StudyEntry; 4] = [
    StudyEntry {
        name: "study-effect",
        about: "Effect of each axis of a study on what is compared, ratios with intervals, a panel for each axis",
        is_over_axes: true,
        draw: axes::effects,
    },
    StudyEntry {
        name: "study-cells",
        about: "Medians of a study's cells with intervals, a panel for each figure and axis",
        is_over_axes: true,
        draw: figures::by_axis,
    },
    StudyEntry {
        name: "study-spread",
        about: "How certain the mean of so many cells of a study is; of samples of several sizes, how much they vary by size",
        is_over_axes: false,
        draw: |_, results, _| spread::panels(results),
    },
    StudyEntry {
        name: "study-order",
        about: "Runs of a study in the order in which they were made, a panel for each figure",
        is_over_axes: false,
        draw: |study, _, _| figures::in_order(study),
    },
];

/// The figure of that name.
pub fn study_figure(name: &str) -> Option<&'static StudyEntry> {
    STUDY_FIGURES.iter().find(|entry| entry.name == name)
}

impl StudyEntry {
    /// Its panels, over these axes of the study where it is over axes at all; none where the study has nothing to be seen in it.
    pub fn draw(&self, study: &Study, results: &Results, axes: &[usize]) -> Vec<Figure> {
        let panels = (self.draw)(&presentable(study), &shown(results), axes);
        panels.into_iter().map(Figure::presentable).collect()
    }
}
