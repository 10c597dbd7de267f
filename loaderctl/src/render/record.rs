//! Records, as rows of `invocations.csv` and one by one.

use loader_proto::v1::Record;

use super::{table, units::micros};

/// The columns of `invocations.csv`.
pub(crate) const COLUMNS: [&str; 21] = [
    "run_id",
    "invocation_id",
    "function",
    "phase",
    "slot",
    "mark",
    "due_unix_us",
    "sent_unix_us",
    "dispatch_lag_us",
    "connect_us",
    "response_us",
    "requested_runtime_us",
    "actual_runtime_us",
    "requested_memory_kib",
    "actual_memory_kib",
    "status",
    "error",
    "instance",
    "cold_start",
    "instance_started_unix_us",
    "saturated",
];

/// A record's row; what is absent is empty.
pub(crate) fn cells(run_id: &str, record: Record) -> [String; 21] {
    let Record {
        invocation_id,
        function,
        phase,
        slot,
        mark,
        due_unix_us,
        sent_unix_us,
        dispatch_lag_us,
        connect_us,
        response_us,
        requested_runtime_us,
        actual_runtime_us,
        requested_memory_kib,
        actual_memory_kib,
        status,
        error,
        instance,
        cold_start,
        instance_started_unix_us,
        saturated,
    } = record;
    [
        run_id.to_owned(),
        invocation_id,
        function,
        phase,
        slot.to_string(),
        mark,
        due_unix_us.to_string(),
        optional(sent_unix_us),
        optional(dispatch_lag_us),
        optional(connect_us),
        optional(response_us),
        requested_runtime_us.to_string(),
        optional(actual_runtime_us),
        requested_memory_kib.to_string(),
        optional(actual_memory_kib),
        status,
        error,
        instance,
        optional(cold_start),
        optional(instance_started_unix_us),
        saturated.to_string(),
    ]
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The outcome of one invocation by hand.
pub(crate) fn record(record: &Record) -> String {
    let time = |us: Option<u64>| us.map(micros).unwrap_or_default();
    let memory = |kib: u64| format!("{kib} KiB");
    let cold = record.cold_start.map(|cold| if cold { "yes" } else { "no" }.to_owned());
    table::pairs([
        ("status", record.status.clone()),
        ("error", record.error.clone()),
        ("response", time(record.response_us)),
        ("connect", time(record.connect_us)),
        ("run time", time(record.actual_runtime_us)),
        ("  asked for", micros(record.requested_runtime_us)),
        ("memory", record.actual_memory_kib.map(memory).unwrap_or_default()),
        ("  asked for", memory(record.requested_memory_kib)),
        ("instance", record.instance.clone()),
        ("cold start", cold.unwrap_or_default()),
    ])
}
