//! The streaming methods. A client that reads slowly or disconnects delays nothing else: streams are pulled, and their content
//! comes from files or from the latest view of a run.

mod pieces;
mod plan;
mod records;
mod results;
mod upload;
mod views;

pub(super) use plan::plan;
pub(super) use records::records;
pub(super) use results::{layout, results};
pub(super) use upload::upload;
pub(super) use views::{study_views, views};
