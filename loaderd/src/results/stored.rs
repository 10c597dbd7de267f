//! A row of invocations.csv, read back.

use serde::Deserialize;

/// A row of invocations.csv; times in microseconds, memory in KiB. Columns are found by their names, so that a file with
/// columns added still reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StoredRecord {
    /// See the columns of invocations.csv.
    pub invocation_id: String,
    /// The function's name.
    pub function: String,
    /// `warmup` or `measure`.
    pub phase: String,
    /// Number of the slot.
    pub slot: u32,
    /// What was special about it; empty for nothing.
    pub mark: String,
    /// When it was due, since the Unix epoch.
    pub due_unix_us: i64,
    /// When it was sent, since the Unix epoch.
    pub sent_unix_us: Option<i64>,
    /// Sent minus due.
    pub dispatch_lag_us: Option<i64>,
    /// Time that a connection took.
    pub connect_us: Option<u64>,
    /// From the send to the answer.
    pub response_us: Option<u64>,
    /// Run time that was asked for.
    pub requested_runtime_us: u64,
    /// Run time that the function measured.
    pub actual_runtime_us: Option<u64>,
    /// Memory that was asked for.
    pub requested_memory_kib: u64,
    /// Memory that the function held.
    pub actual_memory_kib: Option<u64>,
    /// The outcome.
    pub status: String,
    /// What went wrong, in words.
    pub error: String,
    /// The instance that answered.
    pub instance: String,
    /// Whether it was the instance's first invocation.
    pub cold_start: Option<bool>,
    /// When the instance started, since the Unix epoch.
    pub instance_started_unix_us: Option<i64>,
    /// Whether the loader was too slow for it.
    pub saturated: bool,
}
