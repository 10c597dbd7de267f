//! A table of percentiles per function or app: durations or memory.

use std::collections::HashMap;

use super::fault::Fault;
use super::problem::{Missing, Problem};
use super::reading::{Reading, Selection};
use super::repair::{Repaired, percentiles};
use super::report::{Occurrences, Reason, Repair};
use super::table::{Row, Table};
use crate::sizes::ProfileError;
use crate::trace::TraceFunction;

/// Which subjects (functions or apps) a trace has; those that are kept with their index among these.
pub(super) type Index = HashMap<String, Option<usize>>;

/// How one such table is read.
pub(super) struct ProfileTable<'a, P, const N: usize> {
    pub(super) file: &'a str,
    /// The name of the column that identifies the subject of a row.
    pub(super) key: &'static str,
    /// The names of the percentile columns.
    pub(super) columns: [String; N],
    /// Makes the profile of the values in `columns`.
    pub(super) profile: fn([f64; N]) -> Result<P, ProfileError>,
    /// The name of the column of averages, which may lack.
    pub(super) average: &'static str,
    /// The profile with the average that its row states.
    pub(super) with_average: fn(P, f64) -> P,
    /// Upper bound of a value.
    pub(super) most: f64,
    pub(super) duplicate: Reason,
    pub(super) unmatched: Reason,
    pub(super) repair: Repair,
}

/// What is known of a subject.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found<P> {
    /// There is no row.
    Absent,
    /// The row's values can't be repaired.
    Bad,
    Known(P),
}

impl<P> Found<P> {
    pub(super) fn map<Q>(&self, change: impl FnOnce(&P) -> Q) -> Found<Q> {
        match self {
            Self::Absent => Found::Absent,
            Self::Bad => Found::Bad,
            Self::Known(profile) => Found::Known(change(profile)),
        }
    }
}

/// The profiles of the subjects that are kept.
pub(super) struct Profiles<P> {
    /// The profile of each subject, by its index.
    pub(super) found: Vec<Found<P>>,
    /// The table; none where the trace has none.
    pub(super) file: Option<String>,
    /// Whether the table could be read without a fault, so that what is missing is missing in the file.
    pub(super) whole: bool,
}

impl<P> Profiles<P> {
    /// Those of a trace without such a table.
    pub(super) fn none(kept: usize) -> Self {
        Self { found: absent(kept), file: None, whole: true }
    }
}

fn absent<P>(kept: usize) -> Vec<Found<P>> {
    std::iter::repeat_with(|| Found::Absent).take(kept).collect()
}

/// Reads the profiles of the `kept` subjects that have an index in `index`. Rows of others are skipped.
pub(super) fn read<P, const N: usize>(
    reading: &mut Reading<'_>,
    selection: &Selection,
    profile_table: ProfileTable<'_, P, N>,
    index: &Index,
    kept: usize,
) -> Profiles<P> {
    let before = reading.faults.total;
    let file = profile_table.file.to_owned();
    let mut found = absent(kept);
    profile_table.read_into(&mut found, reading, index, selection.strict);
    Profiles { found, file: Some(file), whole: reading.faults.total == before }
}

impl<P, const N: usize> ProfileTable<'_, P, N> {
    /// `None` when the table cannot be read at all; the faults have the reason.
    fn read_into(self, found: &mut [Found<P>], reading: &mut Reading<'_>, index: &Index, strict: bool) -> Option<()> {
        let mut table = Table::open(reading, self.file)?;
        let id_column = reading.faults.take(table.column(self.key));
        let columns = table.columns(self.columns.each_ref().map(String::as_str), &mut reading.faults);
        let average = reading.faults.take(table.find(self.average));
        let (id_column, columns, average) = (id_column?, columns?, average?);
        let averaged = |row: &Row<'_>, profile: P| match average.map(|column| row.optional(column)) {
            Some(Ok(Some(average))) => Ok((self.with_average)(profile, average)),
            Some(Err(fault)) => Err(fault),
            Some(Ok(None)) | None => Ok(profile),
        };
        while let Some(row) = table.next_row(&mut reading.faults) {
            let Some(id) = reading.faults.take(row.id(id_column)) else { continue };
            match index.get(id) {
                None => reading.report.add(self.unmatched, id),
                Some(None) => {}
                Some(&Some(at)) if !matches!(found[at], Found::Absent) => reading.report.add(self.duplicate, id),
                Some(&Some(at)) if strict => {
                    let profile = self.profile(&row, columns).and_then(|profile| averaged(&row, profile));
                    found[at] = reading.faults.take(profile).map_or(Found::Bad, Found::Known);
                }
                Some(&Some(at)) => {
                    let repaired = reading.faults.take(self.repaired(&row, columns));
                    if let Some(Repaired::Changed(_)) = repaired {
                        reading.report.repair(self.repair, id);
                    }
                    found[at] = match repaired {
                        Some(Repaired::Sound(profile)) => {
                            reading.faults.take(averaged(&row, profile)).map_or(Found::Bad, Found::Known)
                        }
                        // What was repaired has no average to trust.
                        Some(Repaired::Changed(profile)) => Found::Known(profile),
                        Some(Repaired::Hopeless) | None => Found::Bad,
                    };
                }
            }
        }
        Some(())
    }

    /// The profile of a row's values as they stand.
    fn profile(&self, row: &Row<'_>, columns: [usize; N]) -> Result<P, Fault> {
        let mut values = [0.0; N];
        for (value, column) in values.iter_mut().zip(columns) {
            *value = row.number(column)?;
        }
        (self.profile)(values).map_err(|error| row.fault(columns[error.index()], Problem::Profile(error)))
    }

    /// The profile of a row's values, repaired where they need it. What is no number at all is a fault.
    fn repaired(&self, row: &Row<'_>, columns: [usize; N]) -> Result<Repaired<P>, Fault> {
        let mut values = [None; N];
        for (value, column) in values.iter_mut().zip(columns) {
            *value = row.optional(column)?;
        }
        Ok(match percentiles(values, self.most) {
            // Repaired values make a profile.
            Repaired::Sound(values) => (self.profile)(values).map_or(Repaired::Hopeless, Repaired::Sound),
            Repaired::Changed(values) => (self.profile)(values).map_or(Repaired::Hopeless, Repaired::Changed),
            Repaired::Hopeless => Repaired::Hopeless,
        })
    }
}

impl<P> Profiles<P> {
    /// The fault of a table that lacks functions with invocations.
    pub(super) fn missing(&self, of: Missing, functions: &[TraceFunction]) -> Option<Fault> {
        let mut missing = Occurrences::default();
        let lacking = functions.iter().zip(&self.found).filter(|(_, found)| matches!(found, Found::Absent));
        lacking.for_each(|(function, _)| missing.add(&function.id));
        let Occurrences { count, examples } = missing;
        let file = self.file.as_ref().filter(|_| self.whole && count > 0)?;
        Some(Fault::in_file(file, Problem::FunctionsMissing { of, count, examples }))
    }
}
