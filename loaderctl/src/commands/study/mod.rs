//! `study`: what a study would do, studies submitted, followed, shown and ended.

mod directory;
mod follow;
mod hooks;
mod import;
mod manage;
mod plan;
mod plot;
mod prepare;
mod results;
mod run;
mod samples;

pub(super) use directory::{is_directory, sample_directories};
pub(super) use import::import;
pub(super) use manage::{cancel, delete, get, list};
pub(super) use plan::plan;
pub(super) use plot::{cells_of_runs, panels};
pub(super) use results::{compare, report};
pub(super) use run::{run, watch};
pub(super) use samples::{is_id, samples};
