//! `_deployment_scale_`: the instances of functions.

use loader_proto::schema::ScaleRecord;
use serde::Serialize;

use super::names::Names;

/// The columns of [`Scale`].
pub(super) const COLUMNS: [&str; 8] = [
    "timestamp",
    "function",
    "desired_pods",
    "running_pods",
    "unready_pods",
    "pending_pods",
    "terminating_pods",
    "activator_queue",
];

/// A row.
#[derive(Debug, Serialize)]
pub(super) struct Scale {
    timestamp: i64,
    function: String,
    desired_pods: u32,
    running_pods: u32,
    unready_pods: u32,
    pending_pods: u32,
    terminating_pods: u32,
    /// 0 where it is not known, as there.
    activator_queue: u32,
}

/// The row of a record.
pub(super) fn scale(record: ScaleRecord<'_>, names: &mut Names) -> Scale {
    let ScaleRecord { unix_us, function, desired, running, unready, pending, terminating, queue, source: _ } = record;
    Scale {
        timestamp: unix_us,
        function: names.function(&function),
        desired_pods: desired,
        running_pods: running,
        unready_pods: unready,
        pending_pods: pending,
        terminating_pods: terminating,
        activator_queue: queue.unwrap_or_default(),
    }
}
