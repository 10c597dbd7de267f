//! Records: the outcome of every invocation, on disk during the run, and their statistics.
//!
//! ```text
//! workers ──rows──▶ recorder thread ──▶ invocations.csv, slots.csv   (flushed at least each second)
//! pacer ──slots──▶       │         └──▶ statistics ──▶ progress, metrics, summary.json
//! ```
//!
//! A row is written whatever became of its invocation. Rows are in order of completion.

mod aborts;
mod arrivals;
mod capacity;
mod counts;
mod distributions;
mod effects;
mod events;
mod export;
mod file;
mod flight;
mod functions;
mod gaps;
mod host;
mod latencies;
mod memory;
mod progress;
mod punctuality;
mod ratios;
mod recorder;
mod row;
mod samples;
mod scale_history;
mod scales;
mod slots;
mod spans;
mod stalls;
mod starts;
mod statistics;
mod steady_state;
mod summary;
#[cfg(test)]
pub(crate) mod testkit;
mod verdicts;
mod workers;

pub use aborts::{Aborts, Missed};
pub use arrivals::{ArrivalTest, AskedArrivals, KsTest};
pub use counts::Counts;
pub use distributions::TouchedPercentile;
pub use effects::{DisturbanceFindings, EffectFigures, EffectRow, Effects, UnknownRecovery};
pub(crate) use events::EventRows;
pub use events::{DisturbanceEvent, EventOutcome, Stage};
pub use file::{CsvFile, RecordError};
pub use flight::Flight;
pub(crate) use functions::FunctionRows;
pub use gaps::GapFigures;
pub(crate) use host::{HostRecorder, Occupancy};
pub use latencies::Latencies;
pub use memory::MemoryLevel;
pub use progress::Progress;
pub use ratios::{Slowdown, Slowdowns};
pub use recorder::{Event, Recorded, Recorder, RecorderSettings};
pub use row::Row;
pub(crate) use samples::Samples;
pub use scale_history::{Instances, ScaleHistory};
pub(crate) use scales::Scales;
pub use slots::SlotRow;
pub use spans::RowSpans;
pub use stalls::{Side, Stall, StallFigures};
pub(crate) use starts::{Starts, fill_in};
pub use statistics::{FunctionStatistics, Statistics};
pub use steady_state::SteadyState;
pub use summary::{
    ColdStarts, FunctionSummary, MemoryInFlight, OpenLoop, ResponseInclFailures, Saturation, Summary, SummaryFacts,
    WarmupFindings, summarise,
};
pub use workers::{
    ClockBound, ClockError, WorkerClock, WorkerFacts, WorkerLag, WorkerProgress, WorkerStanding, WorkerState,
    WorkerSummary,
};
