//! invocations.csv.

use super::{Text, table::table};
use crate::v1::Record;

table! {
    /// One row per invocation, in order of completion. A failed, late or unsent invocation has a row, too. After the run the
    /// file may be `invocations.csv.gz` or `invocations.parquet`, with the same columns.
    Invocations in "invocations.csv", row InvocationRecord<'a>, message Record {
        /// Id of the run.
        run_id: Text<'a>,
        /// `<min|sec><unit>.inv<i>`: the i-th invocation of the unit of time in which it was due.
        invocation_id: Text<'a>,
        /// Name of the function.
        function: Text<'a>,
        /// `warmup` or `measure`.
        phase: Text<'a>,
        /// Number of the slot, from 0.
        slot: u32,
        /// `step_warmup`, `burst`, `victim` or `cold`.
        #[absent = "for an invocation without a special role in its mode"]
        mark: Text<'a>,
        /// When it was due.
        due_unix_us: i64 [UnixMicros],
        /// When it was sent.
        #[absent = "when it was not sent"]
        sent_unix_us: Option<i64> [UnixMicros],
        /// Dispatch lag: sent minus due, `connect_us` and `stream_wait_us` included.
        #[absent = "when it was not sent"]
        dispatch_lag_us: Option<i64> [Micros],
        /// Time for which this invocation waited for a connection to be made.
        #[absent = "when a connection was open"]
        connect_us: Option<u64> [Micros],
        /// Response time: from the send until the response arrived. From the due time it is `dispatch_lag_us + response_us`.
        #[absent = "when there was no response"]
        response_us: Option<u64> [Micros],
        /// Run time that the function was asked for: the plan's, where the function follows exact run times (metadata
        /// `loader-runtime-us`), else the whole milliseconds of the request. Where the response does not say, or there was none, the
        /// function's earlier responses decide, and without one the milliseconds.
        requested_runtime_us: u64 [Micros],
        /// Run time that the function measured.
        #[absent = "when the function did not report it"]
        actual_runtime_us: Option<u64> [Micros],
        /// Requested memory.
        requested_memory_kib: u64 [Kib],
        /// Memory that the function held.
        #[absent = "when the function did not report it"]
        actual_memory_kib: Option<u64> [Kib],
        /// `ok`, `connect_timeout`, `connect_error`, `function_timeout`, `memory_allocation_failed`, `grpc_<CODE>`,
        /// `http_<STATUS>` (the response of a gateway, or of a function that is called by plain HTTP), `cancelled`, `unfinished` (no response before the
        /// end of the drain time) or `not_sent`.
        status: Text<'a>,
        /// The error message.
        #[absent = "when there was no error"]
        error: Text<'a>,
        /// Id of the instance that responded.
        #[absent = "when it did not report one"]
        instance: Text<'a>,
        /// Whether this was the first invocation of its instance.
        #[absent = "when the instance did not report it"]
        cold_start: Option<bool>,
        /// When the instance started.
        #[absent = "when the instance did not report it"]
        instance_started_unix_us: Option<i64> [UnixMicros],
        /// Whether the loader was the bottleneck: the invocation was late by more than `saturation.lag` (without
        /// `connect_us`), or was not sent.
        saturated: bool,
        /// Length of the response's body.
        #[absent = "when there was no response"]
        response_bytes: Option<u64> [Bytes],
        /// Time for which this invocation waited for a free stream or for flow control, on a connection that was open.
        #[absent = "when it did not wait"]
        stream_wait_us: Option<u64> [Micros],
        /// Receive lag: from the arrival of the response until the loader had read it.
        #[absent = "when there was no response"]
        receive_lag_us: Option<u64> [Micros],
        /// Instances of the function that were ready when it was due, by the last report of the platform before that.
        #[absent = "when the platform had reported none, and in files of earlier versions"]
        instances: Option<u32>,
        /// Instances of the function that its autoscaler wanted then.
        #[absent = "when the platform had reported none, and in files of earlier versions"]
        instances_desired: Option<u32>,
        /// Number of the worker whose share it was in, from 0.
        #[absent = "in a run without workers, and in files of earlier versions"]
        worker: Option<u32>,
    }
}
