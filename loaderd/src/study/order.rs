//! The order of a study's runs.

use loader_trace::{Purpose, StreamKey};
use rand::seq::SliceRandom as _;

use crate::units;

/// Most runs of a study.
pub const MOST_RUNS: u64 = 10_000;

/// The order of a study's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// In rounds of all cells, each in an order of its own, so that no drift over time is taken for an effect of the cells (Abedi and
    /// Brecht, "Conducting Repeatable Experiments in Highly Variable Cloud Computing Environments", ICPE 2017).
    Interleaved,
    /// All runs in one order.
    Random,
    /// In rounds of all cells, each in the order of the cells.
    AsGiven,
}

impl Order {
    pub(super) const ALL: [Self; 3] = [Self::Interleaved, Self::Random, Self::AsGiven];

    /// Its name in a study file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interleaved => "interleaved",
            Self::Random => "random",
            Self::AsGiven => "asGiven",
        }
    }
}

/// One run of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlannedRun {
    /// The number of its cell, from 0.
    pub cell: u32,
    /// Which of its cell's runs it is, from 0.
    pub repeat: u32,
    /// The round in which its turn comes, from 0: as many runs as there are cells make a round.
    pub round: u32,
}

/// The runs of `cells` cells, `repeats` of each, in the order in which they are made.
pub(super) fn runs(cells: u32, repeats: u32, order: Order, seed: u64) -> Vec<PlannedRun> {
    let key = StreamKey::new(seed, "", Purpose::Order);
    let in_rounds =
        (0..repeats).flat_map(|repeat| (0..cells).map(move |cell| PlannedRun { cell, repeat, round: repeat }));
    let mut runs: Vec<_> = in_rounds.collect();
    let each = (cells as usize).max(1);
    match order {
        Order::AsGiven => {}
        Order::Interleaved => {
            for (round, runs) in runs.chunks_mut(each).enumerate() {
                runs.shuffle(&mut key.unit(units::to_u32(round)));
            }
        }
        Order::Random => {
            runs.shuffle(&mut key.unit(0));
            for (round, runs) in runs.chunks_mut(each).enumerate() {
                runs.iter_mut().for_each(|run| run.round = units::to_u32(round));
            }
        }
    }
    runs
}
