//! An entry of the catalogue.

use crate::{figure::Figure, run::Run};

/// A figure that can be drawn of runs.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it shows, for a list.
    pub about: &'static str,
    /// The panel of a report in which it stands.
    pub panel: Panel,
    pub(super) draw: fn(&Entry, &[Run]) -> Figure,
}

/// The panels of a report that have figures, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Panel {
    /// What happened when.
    Time,
    /// Distributions of the measured phase.
    Distributions,
    /// Cold starts.
    ColdStarts,
    /// By function.
    Functions,
    /// What the mode set out to find.
    Mode,
    /// How true the figures are.
    Quality,
}

impl Entry {
    /// The figure of these runs; absent where they have nothing to be seen in it.
    pub fn draw(&self, runs: &[Run]) -> Option<Figure> {
        let mut figure = (!runs.is_empty()).then(|| (self.draw)(self, runs))?;
        figure.layers.retain(|layer| !layer.is_empty());
        (!figure.layers.is_empty()).then_some(figure)
    }
}
