//! slots.csv.

use super::{Text, table::table};

table! {
    /// One row per slot, once all its invocations have ended. Invocations marked `step_warmup` count in `start_unix_us`,
    /// `duration_us` and `rps` only.
    Slots in "slots.csv", row SlotRecord<'a> {
        /// Number of the slot, from 0.
        slot: u32,
        /// `warmup` or `measure`.
        phase: Text<'a>,
        /// When it began.
        start_unix_us: i64 [UnixMicros],
        /// How long it lasted.
        duration_us: u64 [Micros],
        /// The planned rate.
        rps: f64 [PerSecond],
        /// Invocations in the plan of the slot.
        planned: u64,
        /// Invocations sent within the slot.
        issued: u64,
        /// Invocations of the slot that got a response, whenever it came.
        returned: u64,
        /// Invocations of the slot with any status other than `ok`.
        failed: u64,
        /// Cold starts, as reported by the functions.
        cold_starts: u64,
        /// 99th percentile of the dispatch lag, `connect_us` excluded.
        lag_p99_us: u64 [Micros],
        /// Whether the loader was the bottleneck.
        saturated: bool,
    }
}
