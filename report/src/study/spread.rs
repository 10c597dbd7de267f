//! How much a figure varies between cells, and how much between the repeats of one: of samples of one size, say, whether more samples or
//! more repeats make their mean more certain.
//!
//! Values are logarithms where all are above zero. With K cells of R repeats the variance of the mean is s_b²/K + s_w²/(K·R).

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::{figures, input::Study};
use crate::{
    indicator::Indicator,
    statistics::{ALPHA, Rounds, variances},
};

/// Fewest cells whose mean says something.
const FEWEST: usize = 3;

/// The variance of a figure between cells and within them.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// The figure.
    pub indicator: &'static Indicator,
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
}

/// The spread of each figure that is compared, of a study of three cells or more that have repeats.
pub(super) fn spreads(study: &Study) -> Vec<Spread> {
    let figures = figures::compared(study).into_iter();
    figures.filter_map(|(indicator, _)| spread(study, indicator)).collect()
}

fn spread(study: &Study, indicator: &'static Indicator) -> Option<Spread> {
    let of_cell = |cell: usize| study.values(cell, &indicator.name).into_iter().map(move |value| (cell, value));
    let values: Vec<(usize, f64)> = (0..study.cells.len()).flat_map(of_cell).collect();
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
        cells,
        repeats,
        between: found.between,
        within: found.within,
        is_relative,
    })
}
