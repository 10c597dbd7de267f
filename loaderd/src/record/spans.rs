//! Exports the rows of invocations as spans.

use super::Row;
use crate::{
    clock::Anchor,
    spans::{RunTrace, Span, SpanStatus, Tracer},
};

/// Takes the spans of those invocations that have one.
#[derive(Debug, Clone)]
pub struct RowSpans {
    /// The queue of the span exporter.
    pub tracer: Tracer,
    /// The trace that the run's spans belong to.
    pub trace: RunTrace,
}

impl RowSpans {
    pub(super) fn take(&self, row: &Row, function: &str, t0: &Anchor) {
        let Row { planned, outcome, flight: _, worker: _ } = row;
        let Some(context) = self.trace.invocation(planned.id.unit, planned.id.number) else { return };
        let due = t0.unix_at(t0.instant + planned.due.as_duration());
        let start = outcome.sent.map_or(due, |sent| t0.unix_at(sent));
        let mut attributes = vec![
            ("loader.invocation.id", planned.id.to_string()),
            ("loader.invocation.status", outcome.status.as_str().into_owned()),
            ("loader.invocation.phase", planned.slot.phase.as_str().to_owned()),
            ("faas.invoked_name", function.to_owned()),
        ];
        attributes.extend(row.lag(t0.instant).map(|lag| ("loader.dispatch_lag_us", lag.as_micros().to_string())));
        attributes.extend(outcome.cold_start.map(|cold| ("faas.coldstart", cold.to_string())));
        attributes.extend((!outcome.instance.is_empty()).then(|| ("faas.instance", outcome.instance.clone())));
        self.tracer.take(Span {
            trace: context.trace,
            id: context.span,
            parent: Some(self.trace.root()),
            name: "invoke",
            is_call: true,
            start,
            end: start.plus(outcome.response.unwrap_or_default()),
            attributes,
            status: if row.succeeded() { SpanStatus::Ok } else { SpanStatus::Error(outcome.error.clone()) },
        });
    }
}
