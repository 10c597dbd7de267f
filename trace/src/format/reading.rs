//! What a reader is given, and what it carries from file to file.

use std::time::Duration;

use super::fault::{Fault, Faults, Problem};
use super::report::Report;
use super::source::Source;

/// Which part of a trace to read: [`super::Options`] once the format is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection {
    /// The day, by the number in its files' names; none: the only one.
    pub(super) day: Option<u32>,
    /// How long a unit is.
    pub(super) unit: Duration,
    /// Number of units, from the first; `None`: all.
    pub(super) units: Option<usize>,
    /// Whether functions that lack a profile are left out instead of being faults.
    pub(super) skip_incomplete: bool,
}

/// The files, and what was found of them so far.
pub(super) struct Reading<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) faults: Faults,
    pub(super) report: Report,
}

impl<'a> Reading<'a> {
    pub(super) fn of(source: &'a dyn Source) -> Self {
        Self { source, faults: Faults::default(), report: Report::default() }
    }

    /// The names of the files, sorted.
    pub(super) fn names(&mut self) -> Option<Vec<String>> {
        let names = self.source.names().map_err(|error| Fault::in_file(&self.source.location(), error.into()));
        let mut names = self.faults.take(names)?;
        names.sort();
        Some(names)
    }

    /// For formats without files for several days: `None`, and a fault when a day is requested.
    pub(super) fn refuse_day(&mut self, selection: &Selection) -> Option<()> {
        let Some(day) = selection.day else { return Some(()) };
        self.faults.push(Fault::in_file(&self.source.location(), Problem::NoDays(day)));
        None
    }
}
