//! How much a figure varies between cells, and how much between the repeats of one: of samples of one size, say, whether more samples or
//! more repeats make their mean more certain.
//!
//! Values are logarithms where all are above zero. With K cells of R repeats the variance of the mean is s_b²/K + s_w²/(K·R).
//!
//! Samples of several sizes are kept apart, as how much they vary depends on their size: a study whose traces lie in folders with the names
//! of their sizes, as `trace sample` writes them (`samples/7/50`), has a variance for each size.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::{figures, input::Study};
use crate::{
    indicator::Indicator,
    statistics::{ALPHA, Rounds, variances},
};

/// Fewest cells whose mean says something.
const FEWEST: usize = 3;

/// The axis whose values may be samples of a trace.
const TRACES: &str = "trace.path";

/// The variance of a figure between cells and within them.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// The figure.
    pub indicator: &'static Indicator,
    /// The size of the samples that the cells replay, in functions; absent of a study without samples of several sizes.
    pub size: Option<u64>,
    /// Number of cells that have it.
    pub cells: usize,
    /// Samples of a cell, on average.
    pub repeats: f64,
    /// The component that the cells add.
    pub between: f64,
    /// That of the repeats of a cell.
    pub within: f64,
    /// Whether values are logarithms, so that standard deviations are shares of a value.
    pub is_relative: bool,
}

impl Spread {
    /// Half the 95 % interval of the mean over so many cells, as large as these let one expect; absent of fewer than 2.
    pub fn half_width(&self, cells: usize) -> Option<f64> {
        let freedom = cells.checked_sub(1).filter(|it| *it > 0)? as f64;
        let t = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(1.0 - ALPHA / 2.0);
        Some(t * ((self.between + self.within / self.repeats) / cells as f64).sqrt())
    }

    /// The square root of a variance: a share of the value, or in the unit of the figure.
    pub(crate) fn deviation(&self, variance: f64) -> String {
        let deviation = variance.sqrt();
        if self.is_relative { format!("{:.1} %", 100.0 * deviation) } else { self.indicator.quantity().text(deviation) }
    }

    /// What it is of, in a word or two.
    pub(crate) fn label(&self) -> String {
        match self.size {
            Some(size) => format!("{}, {size} functions", self.indicator.name),
            None => self.indicator.name.clone(),
        }
    }
}

/// The spread of each figure that is compared, of each size of samples where there are several, else of all cells: of three or more that
/// have repeats.
pub(super) fn spreads(study: &Study) -> Vec<Spread> {
    let groups = groups(study);
    let figures = figures::compared(study).into_iter();
    let of_figure =
        |(indicator, _)| groups.iter().filter_map(move |(size, cells)| spread(study, indicator, *size, cells));
    figures.flat_map(of_figure).collect()
}

/// The cells by the size of their samples; all together where the study has no samples of several sizes.
fn groups(study: &Study) -> BTreeMap<Option<u64>, Vec<usize>> {
    let mut groups = BTreeMap::<_, Vec<usize>>::new();
    (0..study.cells.len()).for_each(|cell| groups.entry(size(study, cell)).or_default().push(cell));
    let are_sizes = groups.len() > 1 && !groups.contains_key(&None);
    let are_samples = groups.values().any(|cells| cells.len() >= FEWEST);
    if are_sizes && are_samples { groups } else { BTreeMap::from([(None, (0..study.cells.len()).collect())]) }
}

/// The size of a cell's sample by the folder that it lies in; absent of other traces.
fn size(study: &Study, cell: usize) -> Option<u64> {
    let axis = study.axes.iter().position(|axis| axis == TRACES)?;
    let (_, folder) = study.cells.get(cell)?.get(axis)?.trim_end_matches('/').rsplit_once('/')?;
    folder.parse().ok()
}

fn spread(study: &Study, indicator: &'static Indicator, size: Option<u64>, cells: &[usize]) -> Option<Spread> {
    let of_cell = |&cell: &usize| study.values(cell, &indicator.name).into_iter().map(move |value| (cell, value));
    let values: Vec<(usize, f64)> = cells.iter().flat_map(of_cell).collect();
    let is_relative = values.iter().all(|(_, value)| *value > 0.0);
    // Cells take the part of rounds: what all values have in common is one cell.
    let of_value = |(cell, value): &(usize, f64)| Rounds {
        cell: 0,
        round: *cell,
        value: if is_relative { value.ln() } else { *value },
    };
    let found = variances(&values.iter().map(of_value).collect::<Vec<_>>())?;
    let mut known: Vec<usize> = values.iter().map(|(cell, _)| *cell).collect();
    known.dedup();
    let cells = known.len();
    let repeats = values.len() as f64 / cells as f64;
    (cells >= FEWEST).then_some(Spread {
        indicator,
        size,
        cells,
        repeats,
        between: found.between,
        within: found.within,
        is_relative,
    })
}
