//! Records and the values of metrics.

use loader_proto::{schema::InvocationRecord, v1};

use crate::{results::NodeState, scrape::Value};

/// A row of invocations.csv; the schema converts its fields.
pub(in crate::control) fn record(record: InvocationRecord<'_>) -> v1::Record {
    record.into()
}

/// The nearest sample of a record's node.
pub(in crate::control) fn nearest_node(state: &NodeState) -> v1::NearestNode {
    let NodeState { node, sampled_unix_us, cpu_ratio, memory_ratio, pods } = state;
    v1::NearestNode {
        node: node.clone(),
        sampled_unix_us: Some(*sampled_unix_us),
        cpu_ratio: *cpu_ratio,
        memory_ratio: *memory_ratio,
        pods: *pods,
    }
}

/// A value of a Prometheus query.
pub(in crate::control) fn metric_value(value: Value) -> v1::MetricValue {
    let Value { labels, unix_seconds, value } = value;
    v1::MetricValue { labels, value, unix_seconds }
}
