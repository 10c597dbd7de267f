//! What a study shows, in sentences.

use super::{compared::Compared, input::Study};
use crate::compare::Verdict;

/// Most cells that are named.
const CELLS: usize = 6;

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

/// A sentence for each cell that differs from its baseline or is the same; a single one where nothing is shown.
pub(super) fn lead(study: &Study, compared: &[Compared]) -> (Tone, Vec<String>) {
    let mut cells: Vec<usize> = compared.iter().map(|it| it.cell).collect();
    cells.sort_unstable();
    cells.dedup();
    let lines: Vec<String> = cells.iter().filter_map(|cell| of_cell(study, compared, *cell)).collect();
    let more = lines.len().saturating_sub(CELLS);
    let mut said: Vec<String> = lines.into_iter().take(CELLS).collect();
    if more > 0 {
        said.push(format!("And {more} more cells."));
    }
    if said.is_empty() {
        let nothing = if compared.is_empty() {
            "No cell is compared with a baseline."
        } else {
            "No difference and no equality is shown."
        };
        said.push(nothing.to_owned());
    }
    let is_worse = compared.iter().any(|it| it.verdict == Verdict::Worse);
    (if is_worse { Tone::Care } else { Tone::Open }, said)
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
