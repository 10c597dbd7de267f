//! A table of percentiles per function or app: durations or memory.

use std::collections::HashMap;
use std::iter;

use super::fault::{Fault, Problem};
use super::reading::Reading;
use super::report::{Occurrences, Reason};
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
    pub(super) duplicate: Reason,
    pub(super) unmatched: Reason,
}

/// The profiles of the subjects that are kept.
pub(super) struct Profiles<P> {
    /// The profile of each subject, by its index; absent without a row.
    pub(super) found: Vec<Option<P>>,
    /// Whether the table could be read without a fault, so that what is missing is missing in the file.
    pub(super) whole: bool,
}

/// Reads the profiles of the `kept` subjects that have an index in `index`. Rows of others are skipped.
pub(super) fn read<P, const N: usize>(
    reading: &mut Reading<'_>,
    profile_table: ProfileTable<'_, P, N>,
    index: &Index,
    kept: usize,
) -> Profiles<P> {
    let before = reading.faults.total;
    let mut found: Vec<Option<P>> = iter::repeat_with(|| None).take(kept).collect();
    profile_table.read_into(&mut found, reading, index);
    Profiles { found, whole: reading.faults.total == before }
}

impl<P, const N: usize> ProfileTable<'_, P, N> {
    /// `None` when the table cannot be read at all; the faults have the reason.
    fn read_into(self, found: &mut [Option<P>], reading: &mut Reading<'_>, index: &Index) -> Option<()> {
        let mut table = Table::open(reading, self.file)?;
        let id_column = reading.faults.take(table.column(self.key));
        let columns = table.columns(self.columns.each_ref().map(String::as_str), &mut reading.faults);
        let (id_column, columns) = (id_column?, columns?);
        while let Some(row) = table.next_row(&mut reading.faults) {
            let Some(id) = reading.faults.take(row.id(id_column)) else { continue };
            match index.get(id) {
                None => reading.report.add(self.unmatched, id),
                Some(None) => {}
                Some(&Some(at)) if found[at].is_some() => reading.report.add(self.duplicate, id),
                Some(&Some(at)) => found[at] = reading.faults.take(self.profile(&row, columns)),
            }
        }
        Some(())
    }

    fn profile(&self, row: &Row<'_>, columns: [usize; N]) -> Result<P, Fault> {
        let mut values = [0.0; N];
        for (value, column) in values.iter_mut().zip(columns) {
            *value = row.number(column)?;
        }
        (self.profile)(values).map_err(|error| row.fault(columns[error.index()], Problem::Profile(error)))
    }
}

impl<P> Profiles<P> {
    /// The fault of a table that lacks functions with invocations.
    pub(super) fn missing(&self, file: &str, subjects: &'static str, functions: &[TraceFunction]) -> Option<Fault> {
        let mut missing = Occurrences::default();
        let lacking = functions.iter().zip(&self.found).filter(|(_, profile)| profile.is_none());
        lacking.for_each(|(function, _)| missing.add(&function.id));
        let Occurrences { count, examples } = missing;
        (self.whole && count > 0).then(|| Fault::in_file(file, Problem::FunctionsMissing { subjects, count, examples }))
    }
}
