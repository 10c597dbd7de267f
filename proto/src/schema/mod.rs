//! The record schema: what the CSV files of a run's directory hold. Each column is declared once, with its name, type, unit
//! and meaning, and everything else derives from that declaration: the row type with a typed field per column, the header and
//! the order of the fields, the types in Parquet, the conversion to the message of the gRPC stream, and `docs/columns.md`.
//!
//! ```text
//! table! { … } ──▶ Invocations        the table: file, columns
//!              ──▶ InvocationRecord   a row: typed fields, written in the table's order, read by the columns' names
//! ```
//!
//! Columns are only ever added, at the end: readers find them by name, and a file without a column that is optional still
//! reads.

mod cluster;
mod column;
mod document;
mod events;
mod functions;
mod host;
mod invocations;
mod slots;
mod table;
mod value;

pub use cluster::{AutoscalerRecord, AutoscalerSamples, NodeRecord, NodeSamples, PodRecord, PodSamples};
pub use column::{Column, Kind, Schema, Unit};
pub use document::{TABLES, markdown};
pub use events::{EventRecord, Events};
pub use functions::{ColdStartRecord, ColdStarts, FunctionRecord, Functions, ScaleRecord, Scales};
pub use host::{HostRecord, HostSamples};
pub use invocations::{InvocationRecord, Invocations};
pub use slots::{SlotRecord, Slots};
pub use table::{FieldError, Fields, Positions, Row, Table};
pub use value::{Fixed, Rounded, Scratch, Text, Value};

#[cfg(test)]
mod tests;
