//! Figures by function, by name.

use std::collections::HashMap;

/// Functions that are told apart; the rows of more are in no figure by function, so that memory has a bound.
const MOST: usize = 1 << 20;

/// The figures of one function, over the measured phase.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FunctionFigures {
    /// Its name.
    pub name: String,
    /// Invocations that became due.
    pub requested: u64,
    /// Invocations with any status but ok.
    pub failed: u64,
    /// Cold starts.
    pub cold: u64,
    /// Number of response times of what succeeded, and their sum in microseconds.
    pub responses: (u64, f64),
    /// Number of scheduling latencies, and their sum in microseconds.
    pub latencies: (u64, f64),
    /// Number of slowdowns, and the sum of their logarithms.
    pub slowdowns: (u64, f64),
}

impl FunctionFigures {
    /// Mean response time in microseconds; absent when nothing succeeded.
    pub fn mean_response_us(&self) -> Option<f64> {
        mean(self.responses)
    }

    /// Mean scheduling latency in microseconds; absent without any.
    pub fn mean_latency_us(&self) -> Option<f64> {
        mean(self.latencies)
    }

    /// Geometric mean of the slowdown; absent without any.
    pub fn slowdown(&self) -> Option<f64> {
        mean(self.slowdowns).map(f64::exp)
    }
}

fn mean((count, sum): (u64, f64)) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

/// Functions by name.
#[derive(Debug, Default)]
pub(super) struct Functions {
    places: HashMap<Vec<u8>, usize>,
    figures: Vec<FunctionFigures>,
}

impl Functions {
    /// The figures of a function, to add to.
    pub(super) fn of(&mut self, name: &[u8]) -> Option<&mut FunctionFigures> {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None if self.figures.len() < MOST => {
                let place = self.figures.len();
                self.places.insert(name.to_owned(), place);
                let name = String::from_utf8_lossy(name).into_owned();
                self.figures.push(FunctionFigures { name, ..FunctionFigures::default() });
                place
            }
            None => return None,
        };
        self.figures.get_mut(place)
    }

    pub(super) fn finish(self) -> Vec<FunctionFigures> {
        let mut figures = self.figures;
        // The order of completion is chance; this one is the same whichever came first.
        figures.sort_by(|one, other| one.name.cmp(&other.name));
        figures
    }
}
