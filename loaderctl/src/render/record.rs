//! Records, as rows of `invocations.csv` and one by one.

use loader_proto::{
    schema::{InvocationRecord, Invocations, Row as _, Table as _},
    v1::Record,
};

use super::{table, units::micros};

/// The header of `invocations.csv`.
pub(crate) fn columns() -> Vec<String> {
    Invocations::SCHEMA.header().map(str::to_owned).collect()
}

/// A record's row; what is absent is empty.
pub(crate) fn cells(run_id: &str, record: Record) -> Vec<String> {
    InvocationRecord::from_message(run_id, record).fields()
}

/// The outcome of a single invocation.
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
        ("  requested", micros(record.requested_runtime_us)),
        ("memory", record.actual_memory_kib.map(memory).unwrap_or_default()),
        ("  requested", memory(record.requested_memory_kib)),
        ("instance", record.instance.clone()),
        ("cold start", cold.unwrap_or_default()),
    ])
}
