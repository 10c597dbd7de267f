//! All results of a study.

use super::{
    axes::{self, AxisEffect},
    cells::{self, CellFigure},
    compared::{self, Compared},
    input::Study,
    lead::{self, Lead},
    order::{self, OrderEffects},
    remarks,
    spread::{self, Spread},
    tables,
};

/// The results of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// Each figure of each cell, figure by figure.
    pub cells: Vec<CellFigure>,
    /// Each cell against its baseline, figure by figure.
    pub compared: Vec<Compared>,
    /// The effect of each value of an axis.
    pub axes: Vec<AxisEffect>,
    /// What the order of the runs does.
    pub order: Vec<OrderEffects>,
    /// How much figures vary between cells and within.
    pub spreads: Vec<Spread>,
    /// What is to be known of all of it, the most important first, in sentences.
    pub remarks: Vec<String>,
}

impl Results {
    /// The results of the runs so far.
    pub fn of(study: &Study) -> Self {
        let (cells, compared) = (cells::cells(study), compared::compared(study));
        let (axes, order) = (axes::effects(study), order::effects(study));
        let remarks = remarks::remarks(study, &compared, &order);
        let spreads = spread::spreads(study);
        Self { cells, compared, axes, order, spreads, remarks }
    }

    /// cells.csv and compare.csv of the runs so far, without all else that the results have; intervals of ratios from at most
    /// `draws` draws.
    pub fn csv_files(study: &Study, draws: usize) -> (String, String) {
        (tables::cells(&cells::cells(study), study), tables::compared(&compared::judged(study, draws), study))
    }

    /// What the study shows.
    pub fn lead(&self, study: &Study) -> Lead {
        lead::lead(study, &self.cells, &self.compared, &self.spreads)
    }

    /// The figures of cells that a page shows: those that are compared, and what a mode finds, such as `rps.sustainedRate`.
    pub fn shown_cells(&self, study: &Study) -> impl Iterator<Item = &CellFigure> {
        lead::shown(study, &self.cells)
    }

    /// cells.csv: a row for each figure of each cell.
    pub fn cells_csv(&self, study: &Study) -> String {
        tables::cells(&self.cells, study)
    }

    /// compare.csv: a row for each figure of each cell against its baseline.
    pub fn compare_csv(&self, study: &Study) -> String {
        tables::compared(&self.compared, study)
    }
}
