//! Records: the outcome of every invocation, on disk during the run, and their statistics.
//!
//! ```text
//! workers ──rows──▶ recorder thread ──▶ invocations.csv, slots.csv   (flushed at least each second)
//! pacer ──slots──▶       │         └──▶ statistics ──▶ progress, metrics, summary.json
//! ```
//!
//! A row is written whatever became of its invocation. Rows are in order of completion.

mod arrivals;
mod export;
mod file;
mod functions;
mod host;
mod latencies;
mod progress;
mod recorder;
mod row;
mod samples;
mod scales;
mod slots;
mod spans;
mod starts;
mod statistics;
mod summary;
#[cfg(test)]
mod testkit;

pub use arrivals::{ArrivalTest, AskedArrivals};
pub use file::{CsvFile, RecordError};
pub(crate) use functions::FunctionRows;
pub(crate) use host::{HostRecorder, Occupancy};
pub use latencies::Latencies;
pub use progress::Progress;
pub use recorder::{Event, Recorded, Recorder, RecorderSettings};
pub use row::Row;
pub(crate) use samples::Samples;
pub(crate) use scales::Scales;
pub use slots::SlotRow;
pub use spans::RowSpans;
pub(crate) use starts::{Starts, fill_in};
pub use statistics::{FunctionStatistics, Slowdown, Statistics};
pub use summary::{ColdStarts, FunctionSummary, Saturation, Summary, SummaryFacts, WarmupFindings, summarise};
