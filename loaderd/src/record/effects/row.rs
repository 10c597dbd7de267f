//! What is read of a row for the effects of disturbances.

use loader_proto::schema::InvocationRecord;

/// What is read of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectRow {
    /// When it was due.
    pub(super) due: i64,
    /// Whether its latency counts: it does not in the warm-up of a step.
    pub(super) counts: bool,
    pub(super) succeeded: bool,
    /// Whether it was never answered, for another reason than that the loader did not send it, or was told to end it.
    pub(super) lost: bool,
    pub(super) latency_us: Option<u64>,
    pub(super) slowdown: Option<f64>,
}

impl EffectRow {
    /// The row of a record of the measured phase; absent for others. `is_timed`: functions run for as long as requested.
    pub fn of(record: &InvocationRecord<'_>, is_timed: bool) -> Option<Self> {
        if record.phase != "measure" {
            return None;
        }
        let (succeeded, requested) = (record.status == "ok", record.requested_runtime_us);
        let response = record.response_us.filter(|_| succeeded);
        let slowdown = response.filter(|_| is_timed && requested > 0).map(|it| it as f64 / requested as f64);
        let latency_us = response.zip(record.actual_runtime_us).and_then(|(response, run)| response.checked_sub(run));
        Some(Self {
            due: record.due_unix_us,
            counts: record.mark != "step_warmup",
            succeeded,
            lost: record.response_us.is_none() && !matches!(&*record.status, "not_sent" | "cancelled"),
            latency_us,
            slowdown,
        })
    }
}
