//! Each cell on its own.

use super::{figures, input::Study};
use crate::{
    indicator::Indicator,
    statistics::{ALPHA, Interval, median, median_interval_at},
};

/// A figure of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellFigure {
    /// The number of the cell.
    pub cell: usize,
    /// The figure.
    pub indicator: &'static Indicator,
    /// The number of samples that have it.
    pub n: usize,
    /// The number of runs of the cell that are no samples.
    pub left_out: usize,
    /// Its median over the samples; absent without any.
    pub median: Option<f64>,
    /// The interval of the median by order statistics; absent of too few samples.
    pub interval: Option<Interval>,
    /// With which chance the interval may miss.
    pub alpha: f64,
}

/// All figures of all cells that at least one sample has, figure by figure.
pub(super) fn cells(study: &Study) -> Vec<CellFigure> {
    let alpha = study.until.as_ref().map_or(ALPHA, |until| until.alpha());
    let of = |indicator: &'static Indicator| {
        let cells = (0..study.cells.len()).map(move |cell| {
            let values = study.values(cell, &indicator.name);
            let (median, interval) = (median(&values), median_interval_at(&values, alpha));
            CellFigure { cell, indicator, n: values.len(), left_out: study.left_out(cell), median, interval, alpha }
        });
        let cells: Vec<CellFigure> = cells.collect();
        if cells.iter().any(|it| it.n > 0) { cells } else { Vec::new() }
    };
    figures::of_cells(study).into_iter().flat_map(of).collect()
}
