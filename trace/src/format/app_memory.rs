//! Memory per app, shared out evenly among the app's functions.

use super::invocations::Invocations;
use super::profiles::{self, Found, Index, ProfileTable, Profiles};
use super::reading::{Reading, Selection};
use crate::sizes::MemoryProfile;

/// Reads the profiles of apps, and gives each function of `invocations` its part.
///
/// An app is divided among all its functions in the table of invocations, also those that are not invoked in the units
/// that are read: so a function's memory does not depend on how much of the trace is needed.
pub(super) fn read(
    reading: &mut Reading<'_>,
    selection: &Selection,
    table: ProfileTable<'_, MemoryProfile, 8>,
    invocations: &Invocations,
) -> Profiles<MemoryProfile> {
    let mut index: Index = invocations.apps.keys().map(|app| (app.clone(), None)).collect();
    let mut kept = 0;
    for function in &invocations.functions {
        index.entry(function.app.clone()).or_default().get_or_insert_with(|| {
            kept += 1;
            kept - 1
        });
    }
    let Profiles { found, file, whole } = profiles::read(reading, selection, table, &index, kept);
    let parts = invocations.functions.iter().map(|function| {
        let at = index.get(&function.app).copied().flatten();
        let functions = invocations.apps.get(&function.app).copied().unwrap_or(1);
        at.and_then(|at| found.get(at)).map_or(Found::Absent, |found| found.map(|profile| profile.part(functions)))
    });
    Profiles { found: parts.collect(), file, whole }
}
