//! Records and the values of metrics.

use loader_proto::{schema::InvocationRecord, v1};

use crate::scrape::Value;

/// A row of invocations.csv; the schema converts its fields.
pub(in crate::control) fn record(record: InvocationRecord<'_>) -> v1::Record {
    record.into()
}

/// A value of a Prometheus query.
pub(in crate::control) fn metric_value(value: Value) -> v1::MetricValue {
    let Value { labels, unix_seconds, value } = value;
    v1::MetricValue { labels, value, unix_seconds }
}
