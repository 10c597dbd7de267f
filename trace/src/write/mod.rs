//! Traces as files: what the toolbox makes is written here, whole or not at all.
//!
//! ```text
//! Trace ──tables──▶ invocations.csv, durations.csv, memory.csv ┐
//!       ──calls───▶ a table of single invocations              ┴─▶ Output: a folder beside the target, renamed at the end
//! ```

mod calls;
mod output;
mod tables;

pub use calls::{CALLS, Times, calls};
pub use output::{Output, WriteError};
pub(crate) use tables::{Has, Profiled, Row, Tables};
pub use tables::{TABLES, tables};

#[cfg(test)]
mod tests;
