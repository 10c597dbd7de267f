//! The API's messages as text for people. Pure: the text depends on the message alone.

mod check;
mod counts;
mod description;
mod distributions;
pub(crate) mod disturbances;
mod findings;
mod listing;
mod plan;
pub(crate) mod progress;
mod record;
mod run;
mod study;
mod summary;
mod table;
mod traces;
pub(crate) mod units;
mod verdicts;

pub(crate) use check::checked;
pub(crate) use description::{description, description_json};
pub(crate) use distributions::IntervalsShown;
pub(crate) use listing::{cleaned, files, runs, status, values};
pub(crate) use plan::plan;
pub(crate) use record::{cells, columns, record};
pub(crate) use run::{run, state};
pub(crate) use study::study_plan;
pub(crate) use traces::traces;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
