//! `_duration_`: the invocations.

use loader_proto::schema::InvocationRecord;
use serde::Serialize;

use super::names::Names;

/// Their numbers of phases.
const WARMUP: u8 = 1;
const EXECUTION: u8 = 2;

/// The columns of [`Duration`].
pub(super) const COLUMNS: [&str; 15] = [
    "phase",
    "instance",
    "invocationID",
    "startTime",
    "requestedDuration",
    "grpcConnEstablish",
    "responseTime",
    "actualDuration",
    "connectionTimeout",
    "functionTimeout",
    "actualMemoryUsage",
    "memoryAllocationTimeout",
    "timeToSubmitMs",
    "userCodeExecutionMs",
    "timeToGetResponseMs",
];

/// A row. Its numbers are never absent there: 0 is what was not measured.
#[derive(Debug, Serialize)]
pub(super) struct Duration {
    phase: u8,
    instance: String,
    invocation_id: String,
    start_time: i64,
    requested_duration: u64,
    grpc_conn_establish: u64,
    response_time: u64,
    actual_duration: u64,
    connection_timeout: bool,
    function_timeout: bool,
    /// In MiB.
    actual_memory_usage: u64,
    memory_allocation_timeout: bool,
    /// These three are measured in its asynchronous mode only, and 0 elsewhere.
    time_to_submit_ms: u64,
    user_code_execution_ms: u64,
    time_to_get_response_ms: u64,
}

/// The row of a record.
pub(super) fn duration(record: InvocationRecord<'_>, names: &mut Names) -> Duration {
    let InvocationRecord {
        invocation_id,
        function,
        phase,
        due_unix_us,
        sent_unix_us,
        connect_us,
        response_us,
        requested_runtime_us,
        actual_runtime_us,
        actual_memory_kib,
        status,
        instance,
        ..
    } = record;
    Duration {
        phase: if phase == "warmup" { WARMUP } else { EXECUTION },
        instance: names.instance(&function, &instance),
        invocation_id: invocation_id.into_owned(),
        // What was not sent is not in their files; scripts place it where it was due.
        start_time: sent_unix_us.unwrap_or(due_unix_us),
        requested_duration: requested_runtime_us,
        grpc_conn_establish: connect_us.unwrap_or_default(),
        response_time: response_us.unwrap_or_default(),
        actual_duration: actual_runtime_us.unwrap_or_default(),
        connection_timeout: status == "connect_timeout" || status == "connect_error",
        // Every failure, so that a filter on these two columns finds all.
        function_timeout: status != "ok",
        actual_memory_usage: actual_memory_kib.unwrap_or_default() / 1024,
        memory_allocation_timeout: status == "memory_allocation_failed",
        time_to_submit_ms: 0,
        user_code_execution_ms: 0,
        time_to_get_response_ms: 0,
    }
}
