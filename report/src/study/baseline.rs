//! Which cell each cell is compared with.

use super::input::Study;

/// Of each cell the number of its baseline; absent of baselines themselves, and where there is no such cell.
pub(super) fn baselines(study: &Study) -> Vec<Option<usize>> {
    let first = study.cells.first();
    let of_cell = |(number, cell): (usize, &Vec<String>)| {
        let wanted = if study.baseline.is_empty() { first?.clone() } else { replaced(study, cell) };
        study.cells.iter().position(|other| *other == wanted).filter(|baseline| *baseline != number)
    };
    study.cells.iter().enumerate().map(of_cell).collect()
}

/// A cell with the values of the baseline.
fn replaced(study: &Study, cell: &[String]) -> Vec<String> {
    let of_axis = |(field, own): (&String, &String)| study.baseline.get(field).unwrap_or(own).clone();
    study.axes.iter().zip(cell).map(of_axis).collect()
}

/// Whether a cell is what others are compared with.
pub(super) fn is_baseline(study: &Study, cell: usize) -> bool {
    let Some(values) = study.cells.get(cell) else { return false };
    if study.baseline.is_empty() { cell == 0 } else { replaced(study, values) == *values }
}
