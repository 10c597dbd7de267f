//! How long the report of a run's directory takes. For `scripts/bench`.
//!
//! usage: report_rate DIRECTORY    prints figures as JSON
#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::disallowed_types, reason = "it measures, and has no async runtime")]

use std::{path::PathBuf, time::Instant};

use loader_report::{page, run::Run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("usage: report_rate DIRECTORY")?);
    let begun = Instant::now();
    let run = Run::read(&directory)?;
    let read = begun.elapsed().as_secs_f64();
    let rows = run.row_count();
    let html = page::html(&[run]);
    let all = begun.elapsed().as_secs_f64();
    println!("{{\"rows\": {rows}, \"read_seconds\": {read}, \"seconds\": {all}, \"bytes\": {}}}", html.len());
    Ok(())
}
