//! Records, as rows of `invocations.csv` and one by one.

use loader_proto::{
    schema::{InvocationRecord, Invocations, Row as _, Table as _},
    v1::{NearestNode, Record},
};

use super::{table, units::micros};

/// The columns of the nearest sample of a record's node.
const NODE: [&str; 5] = ["node", "node_sampled_unix_us", "node_cpu_ratio", "node_memory_ratio", "node_pods"];

/// The header of `invocations.csv`, with the columns of nodes where they are joined.
pub(crate) fn columns(with_nodes: bool) -> Vec<String> {
    let joined = NODE.into_iter().filter(|_| with_nodes);
    Invocations::SCHEMA.header().chain(joined).map(str::to_owned).collect()
}

/// A record's row, with its node where nodes are joined; what is absent is empty.
pub(crate) fn cells(run_id: &str, record: Record, node: Option<NearestNode>) -> Vec<String> {
    let mut cells = InvocationRecord::from_message(run_id, record).fields();
    if let Some(NearestNode { node, sampled_unix_us, cpu_ratio, memory_ratio, pods }) = node {
        let text = |value: Option<String>| value.unwrap_or_default();
        cells.extend([
            node,
            text(sampled_unix_us.map(|it| it.to_string())),
            text(cpu_ratio.map(|it| it.to_string())),
            text(memory_ratio.map(|it| it.to_string())),
            text(pods.map(|it| it.to_string())),
        ]);
    }
    cells
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
