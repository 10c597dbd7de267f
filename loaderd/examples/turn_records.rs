//! Turns the invocations.csv of a directory into invocations.parquet, as a run does at its end. For `scripts/bench`.
//!
//! usage: turn_records DIRECTORY

use std::path::Path;

use anyhow::Context as _;
use loaderd::{results::finish, spec::Output};

fn main() -> anyhow::Result<()> {
    let directory = std::env::args().nth(1).context("usage: turn_records DIRECTORY")?;
    Ok(finish(Path::new(&directory), Output::Parquet)?)
}
