//! slots.csv.

use super::{Rounded, Text, table::table};

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
        /// Invocations in the plan of the slot; those that came due where it was cut short.
        planned: u64,
        /// Invocations sent within the slot.
        issued: u64,
        /// Invocations of the slot that got a response, whenever it came.
        returned: u64,
        /// Invocations of the slot with any status other than `ok`.
        failed: u64,
        /// Cold starts, as reported by the functions.
        cold_starts: u64,
        /// 99th percentile of the dispatch lag.
        #[absent = "for fewer than 100 invocations that were sent"]
        lag_p99_us: Option<u64> [Micros],
        /// Whether the loader was the bottleneck.
        saturated: bool,
        /// 99th percentile of the loader's own lag: without the waits for connections and streams.
        #[absent = "for fewer than 100 invocations that were sent"]
        own_lag_p99_us: Option<u64> [Micros],
        /// Whether the peer let at least 99 % of the invocations go when they were due.
        #[absent = "in files of earlier versions"]
        open_loop: Option<bool>,
        /// Greatest memory that the invocations in flight, of this slot and of earlier ones, asked for together; those
        /// marked `step_warmup` are among them.
        #[absent = "in files of earlier versions"]
        memory_peak_mib: Option<u64> [Mib],
        /// The same, mean over the slot's time.
        #[absent = "for a slot without length, and in files of earlier versions"]
        memory_mean_mib: Option<Rounded<3>> [Mib],
    }
}
