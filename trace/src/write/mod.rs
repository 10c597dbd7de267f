//! Traces as files: what the toolbox makes is written here, whole or not at all.
//!
//! ```text
//! Trace ──tables──▶ invocations, durations, memory; CSV, Parquet ┐
//!       ──calls───▶ a table of single invocations               ┴─▶ Output: a folder beside the target, renamed at the end
//! ```

mod calls;
mod cell;
mod columns;
mod output;
mod table;
mod tables;

pub use calls::{CALLS, Times, calls};
pub use output::{Output, WriteError};
pub use table::Form;
pub(crate) use tables::{Has, Profiled, Row, Tables};
pub use tables::{TABLE_FILES, tables};

#[cfg(test)]
mod tests;
