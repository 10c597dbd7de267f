//! Which figures of a study are shown, and which are compared.

use super::{baseline::baselines, input::Study};
use crate::indicator::{Better, Indicator, all, find};

/// The figures that are compared unless a study names others. Few: over all tests of a study together at most one in twenty may be wrong,
/// so that each more figure takes more runs.
pub const DEFAULT_FIGURES: [&str; 4] = ["response.p50", "response.p99", "failed", "coldStarts.share"];

/// The figure of that name, which can be compared.
///
/// # Errors
/// There is none, or none of its values are better than others.
pub fn compared_figure(name: &str) -> Result<(&'static Indicator, Better), String> {
    let indicator = find(name)?;
    let better = indicator.better.ok_or_else(|| format!("{} has no better or worse values", indicator.name))?;
    Ok((indicator, better))
}

/// The figures that a study compares. Names that are none are left out: whoever reads a study checks them.
pub(super) fn compared(study: &Study) -> Vec<(&'static Indicator, Better)> {
    let given: Vec<&str> = if study.figures.is_empty() {
        DEFAULT_FIGURES.to_vec()
    } else {
        study.figures.iter().map(String::as_str).collect()
    };
    let mut found: Vec<(&'static Indicator, Better)> = Vec::new();
    for figure in given.into_iter().filter_map(|name| compared_figure(name).ok()) {
        if !found.contains(&figure) {
            found.push(figure);
        }
    }
    found
}

impl Study {
    /// The figures that it compares.
    pub fn compared_figures(&self) -> Vec<&'static Indicator> {
        compared(self).into_iter().map(|(indicator, _)| indicator).collect()
    }

    /// How many tests it makes, where all cells have all of these figures, and none is the same everywhere.
    pub fn tests(&self) -> usize {
        compared(self).len() * baselines(self).iter().flatten().count()
    }
}

/// The figures of cells: those that are compared first, then all others of which some values are better.
pub(super) fn of_cells(study: &Study) -> Vec<&'static Indicator> {
    let compared = compared(study).into_iter().map(|(indicator, _)| indicator);
    let mut figures: Vec<&'static Indicator> = compared.collect();
    let others = all().iter().filter(|it| it.better.is_some() && !figures.contains(it)).collect::<Vec<_>>();
    figures.extend(others);
    figures
}
