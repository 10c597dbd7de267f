//! The API's messages as text for people. Pure: the text depends on the message alone.

mod chart;
mod check;
mod comparison;
mod counts;
mod description;
mod distributions;
mod findings;
mod listing;
mod plan;
pub(crate) mod progress;
mod record;
mod run;
mod summary;
mod table;
pub(crate) mod units;
mod verdicts;

pub(crate) use chart::History;
pub(crate) use check::checked;
pub(crate) use comparison::{comparison, comparison_json};
pub(crate) use description::{description, description_json};
pub(crate) use distributions::IntervalsShown;
pub(crate) use listing::{cleaned, figures, files, runs, status, values};
pub(crate) use plan::plan;
pub(crate) use record::{cells, columns, record};
pub(crate) use run::{run, state};

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
