//! What the disturbances of a run did to its invocations: read from its records, once they are complete.

use std::path::Path;

use crate::{
    record::{DisturbanceEvent, DisturbanceFindings, EffectRow, Effects},
    results::{ReadError, RecordReader},
};

/// The findings by the events and the records in `directory`; without figures where the records can't be read. `is_timed`: functions
/// run for as long as requested.
pub(in crate::run) fn findings(
    directory: &Path,
    events: &[DisturbanceEvent],
    is_timed: bool,
) -> Vec<DisturbanceFindings> {
    let mut effects = Effects::new(events);
    if effects.is_empty() {
        return effects.without_figures();
    }
    let read = rows(directory, is_timed, |row| effects.first_pass(row));
    let read = read.and_then(|()| rows(directory, is_timed, effects.second_pass()));
    match read {
        Ok(()) => effects.findings(),
        Err(error) => {
            log::error!("the effects of disturbances are not known: {error}");
            effects.without_figures()
        }
    }
}

fn rows(directory: &Path, is_timed: bool, mut take: impl FnMut(&EffectRow)) -> Result<(), ReadError> {
    let mut reader = RecordReader::new(directory);
    loop {
        let records = reader.read()?;
        if records.is_empty() {
            return Ok(());
        }
        records.iter().filter_map(|record| EffectRow::of(record, is_timed)).for_each(|row| take(&row));
    }
}
