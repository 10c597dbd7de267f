//! The API's messages as text for people. Pure: the text depends on the message alone.

mod chart;
mod check;
mod comparison;
mod counts;
mod description;
mod distributions;
pub(crate) mod disturbances;
mod expectations;
mod findings;
mod histogram;
mod listing;
mod mapping;
mod overview;
mod plan;
pub(crate) mod progress;
mod record;
mod room;
mod run;
mod sampling;
mod study;
mod study_results;
mod study_state;
mod summary;
mod table;
mod trace_figures;
mod trace_page;
mod traces;
pub(crate) mod units;
mod verdicts;
pub(crate) mod workers;

pub(crate) use chart::History;
pub(crate) use check::checked;
pub(crate) use comparison::{comparison, comparison_json};
pub(crate) use description::{description, description_json};
pub(crate) use distributions::IntervalsShown;
pub(crate) use expectations::{expected, expected_json};
pub(crate) use listing::{cleaned, figures, files, runs, status, values};
pub(crate) use mapping::{mapping, mapping_json};
pub(crate) use overview::{faults, overview, overview_json, side_by_side, side_by_side_json};
pub(crate) use plan::plan;
pub(crate) use record::{cells, columns, record};
pub(crate) use room::room;
pub(crate) use run::{emphasis, run, state};
pub(crate) use sampling::{difference, difference_json, samples, samples_json};
pub(crate) use study::study_plan;
pub(crate) use study_results::{study_results, study_results_json};
pub(crate) use study_state::{studies, study, study_line, study_stage};
pub(crate) use trace_figures::Described;
pub(crate) use trace_page::trace_page;
pub(crate) use traces::traces;
pub(crate) use verdicts::Weight;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
