//! Studies as they come from a simulated platform.

use super::{Outcome, Study, StudyRun};
use crate::{indicator::Figures, statistics::Random};

/// The figures of a run.
pub(super) fn figures<const N: usize>(values: [(&str, f64); N]) -> Outcome {
    Outcome::Sample(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Figures>())
}

/// A study over one axis with so many values, `1` and up: in each round all cells, in an order drawn anew. `outcome` is told the cell, the
/// round and the place in the order of the runs.
pub(super) fn study(
    cells: usize,
    rounds: u32,
    seed: u64,
    mut outcome: impl FnMut(usize, u32, usize) -> Outcome,
) -> Study {
    let mut random = Random::new(seed);
    let mut runs = Vec::new();
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..cells).collect();
        (1..cells).rev().for_each(|last| order.swap(last, random.below(last + 1)));
        for cell in order {
            let outcome = outcome(cell, round, runs.len());
            runs.push(StudyRun { id: format!("run-{}", runs.len()), cell, repeat: round, round, outcome });
        }
    }
    Study {
        name: "window".to_owned(),
        id: "study-1".to_owned(),
        axes: vec!["scaling.stableWindow".to_owned()],
        cells: (1..=cells).map(|value| vec![format!("{}s", 30 * value)]).collect(),
        runs,
        margin: 0.05,
        order: "interleaved".to_owned(),
        seed,
        ..Study::default()
    }
}

/// A level that varies by a share of it from run to run, log-normally.
pub(super) fn noisy(level: f64, share: f64, random: &mut Random) -> f64 {
    level * (share * random.normal()).exp()
}
