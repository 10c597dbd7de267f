//! What a study shows, in sentences.

use super::{cells::CellFigure, compared::Compared, input::Study, spread::Spread};
use crate::compare::Verdict;

/// Most cells that are named.
const CELLS: usize = 6;

/// What figures begin with that a mode finds.
const FINDINGS: &str = "rps.";

/// How a study is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It shows what is better.
    Open,
    /// It shows something worse.
    Care,
}

impl Tone {
    /// The class of its box on a page.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Care => "care",
        }
    }
}

/// What a study shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// How it is to be taken.
    pub tone: Tone,
    /// All of it in a sentence.
    pub title: String,
    /// A sentence for each cell that differs from its baseline, or is the same; of a study of one cell, which is compared with nothing,
    /// one for each figure.
    pub cells: Vec<String>,
}

impl Lead {
    /// All of its sentences, in their order.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.title).chain(&self.cells).map(String::as_str)
    }
}

pub(super) fn lead(study: &Study, known: &[CellFigure], compared: &[Compared], spreads: &[Spread]) -> Lead {
    if study.cells.len() == 1 {
        return of_one(study, known);
    }
    let of_sizes: Vec<_> = spreads.iter().filter_map(of_size).collect();
    if !of_sizes.is_empty() {
        let title = "How much results vary between samples of one size, and between repeats of one sample:".to_owned();
        return Lead { tone: Tone::Open, title, cells: of_sizes };
    }
    let mut cells: Vec<usize> = compared.iter().map(|it| it.cell).collect();
    cells.sort_unstable();
    cells.dedup();
    let with = |verdict| {
        let has = |cell: &&usize| compared.iter().any(|it| it.cell == **cell && it.verdict == verdict);
        cells.iter().filter(has).count()
    };
    let (worse, better) = (with(Verdict::Worse), with(Verdict::Better));
    let are_same = !compared.is_empty() && compared.iter().all(|it| it.verdict == Verdict::Same);
    let title = if are_same { same(cells.len()) } else { title(cells.len(), worse, better) };
    let mut lines: Vec<String> = cells.iter().filter_map(|cell| of_cell(study, compared, *cell)).collect();
    let more = lines.len().saturating_sub(CELLS);
    lines.truncate(CELLS);
    lines.extend((more > 0).then(|| format!("And {more} more cells.")));
    Lead { tone: if worse > 0 { Tone::Care } else { Tone::Open }, title, cells: lines }
}

/// Equality is something that a study shows, and more than no difference.
fn same(compared: usize) -> String {
    match compared {
        1 => "The cell that is compared is the same as the baseline, within the margin, in all figures that runs have."
            .to_owned(),
        all => format!(
            "All {all} compared cells are the same as the baseline, within the margin, in all figures that runs have."
        ),
    }
}

/// How many cells are worse than their baselines, and how many better: a cell may be both.
fn title(compared: usize, worse: usize, better: usize) -> String {
    let is = if worse == 1 { "is" } else { "are" };
    match (compared, worse, better) {
        (0, ..) => "No cell is compared with a baseline.".to_owned(),
        (1, 0, 0) => "No difference to the baseline is shown.".to_owned(),
        (1, _, 0) => "The cell that is compared is shown to be worse than the baseline in some figure.".to_owned(),
        (1, 0, _) => "The cell that is compared is shown to be better than the baseline in some figure.".to_owned(),
        (1, ..) => {
            "The cell that is compared is shown to be worse than the baseline in some figure, and better in another."
                .to_owned()
        }
        (all, 0, 0) => format!("No difference is shown in any of {all} compared cells."),
        (all, ..) => format!(
            "Of {all} compared cells {worse} {is} shown to be worse than the baseline in some figure, {better} to be better."
        ),
    }
}

/// The figures that are shown of each cell: those that are compared, and what a mode finds.
pub(super) fn shown<'a>(study: &Study, cells: &'a [CellFigure]) -> impl Iterator<Item = &'a CellFigure> {
    let compared = study.compared_figures();
    cells.iter().filter(move |it| compared.contains(&it.indicator) || it.indicator.name.starts_with(FINDINGS))
}

/// A study of one cell: the medians of what is compared elsewhere, and of what its mode finds.
fn of_one(study: &Study, known: &[CellFigure]) -> Lead {
    let median = |it: &CellFigure| {
        let value = |value: f64| it.indicator.quantity().text(value);
        let interval = it.interval.map_or("too few runs for an interval".to_owned(), |bounds| {
            format!("{:.0} % interval {} to {}", 100.0 * (1.0 - it.alpha), value(bounds.low), value(bounds.high))
        });
        Some(format!("{}: median {} over {} runs ({interval}).", it.indicator.name, value(it.median?), it.n))
    };
    let title = "The study has one cell: nothing is compared.".to_owned();
    Lead { tone: Tone::Open, title, cells: shown(study, known).filter_map(median).collect() }
}

/// What samples of one size are asked for is how much they vary, not which of them is better than the first.
fn of_size(spread: &Spread) -> Option<String> {
    let Spread { indicator, size, cells, repeats: _, between, within, is_relative: _ } = spread;
    let samples = format!("{}, {cells} samples of {} functions", indicator.name, (*size)?);
    let within = spread.deviation(*within);
    Some(if *between > 0.0 {
        let between = spread.deviation(*between);
        format!("{samples}: standard deviation {between} between samples, {within} between repeats.")
    } else {
        format!("{samples}: they vary no more than repeats of one, whose standard deviation is {within}.")
    })
}

fn of_cell(study: &Study, compared: &[Compared], cell: usize) -> Option<String> {
    let of_cell = || compared.iter().filter(|it| it.cell == cell);
    let said = [Verdict::Worse, Verdict::Better, Verdict::Same].map(|verdict| {
        let figures: Vec<_> = of_cell().filter(|it| it.verdict == verdict).map(figure).collect();
        (!figures.is_empty()).then(|| format!("{} in {}", verdict.words(), figures.join(", ")))
    });
    let said: Vec<_> = said.into_iter().flatten().collect();
    let baseline = of_cell().next()?.baseline;
    (!said.is_empty()).then(|| format!("{} against {}: {}.", study.label(cell), study.label(baseline), said.join("; ")))
}

/// A figure with its ratio.
fn figure(compared: &Compared) -> String {
    let name = &compared.indicator.name;
    match (compared.ratio, compared.interval) {
        (Some(ratio), Some(it)) => format!("{name} (× {ratio:.2}, {:.2} – {:.2})", it.low, it.high),
        (Some(ratio), None) => format!("{name} (× {ratio:.2})"),
        (None, _) => name.clone(),
    }
}
