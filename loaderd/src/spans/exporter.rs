//! Sends spans to a collector, in batches, away from everything that must be in time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, trace_service_client::TraceServiceClient},
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span as WireSpan, Status, span::SpanKind, status::StatusCode},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tonic::transport::Endpoint;

use super::RunTrace;
use crate::{
    clock::{Clock, UnixMicros},
    id::RunId,
};

/// Spans that may wait; further ones are dropped and counted.
const WAITING: usize = 1 << 14;

/// Spans in one message.
const BATCH: usize = 512;

/// How long a batch gathers.
const GATHER: Duration = Duration::from_secs(1);

/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An address that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("otlp.endpoint {address:?} is not an address such as \"http://127.0.0.1:4317\": {source}")]
pub struct ExporterError {
    address: String,
    source: tonic::transport::Error,
}

/// How a span ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanStatus {
    /// It ended without an error.
    Ok,
    /// It ended with this error message.
    Error(String),
}

/// A span as it is exported.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The id of the trace that it belongs to.
    pub trace: u128,
    /// The id of the span, unique in its trace.
    pub id: u64,
    /// The one that it is part of; none for a run.
    pub parent: Option<u64>,
    /// Its name, one of a few.
    pub name: &'static str,
    /// Whether it is a call to another service (span kind client).
    pub is_call: bool,
    /// When the span began.
    pub start: UnixMicros,
    /// When the span ended.
    pub end: UnixMicros,
    /// Attributes, as pairs of name and value.
    pub attributes: Vec<(&'static str, String)>,
    /// Whether the span ended with an error.
    pub status: SpanStatus,
}

/// Takes spans. Clones are the same.
#[derive(Debug, Clone)]
pub struct Tracer {
    spans: mpsc::Sender<Span>,
    dropped: Arc<AtomicU64>,
    sampled: f64,
}

impl Tracer {
    /// The trace of a run.
    pub fn run(&self, run: &RunId) -> RunTrace {
        RunTrace::new(run, self.sampled)
    }

    /// Queues a span; drops it when the queue is full.
    pub fn take(&self, span: Span) {
        if self.spans.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sends what its tracer takes.
#[derive(Debug)]
pub struct Exporter {
    endpoint: Endpoint,
    spans: mpsc::Receiver<Span>,
    dropped: Arc<AtomicU64>,
    clock: Clock,
}

impl Exporter {
    /// To a collector, with spans for the share `sampled` of invocations.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(address: &str, sampled: f64, clock: Clock) -> Result<(Self, Tracer), ExporterError> {
        let endpoint = Endpoint::from_shared(address.to_owned());
        let endpoint = endpoint.map_err(|source| ExporterError { address: address.to_owned(), source })?;
        let (sender, spans) = mpsc::channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let tracer = Tracer { spans: sender, dropped: Arc::clone(&dropped), sampled };
        Ok((Self { endpoint: endpoint.timeout(PATIENCE).connect_timeout(PATIENCE), spans, dropped, clock }, tracer))
    }

    /// Sends until all tracers are dropped. An unreachable collector costs the spans, and a line in the log when it goes and
    /// when it comes back.
    pub async fn run(mut self) {
        let mut client = TraceServiceClient::new(self.endpoint.connect_lazy());
        let (mut batch, mut away) = (Vec::new(), false);
        while let Some(first) = self.spans.recv().await {
            batch.push(first);
            self.gather(&mut batch, self.clock.now() + GATHER).await;
            let count = batch.len();
            let sent = client.export(request(batch.drain(..))).await;
            let was_away = std::mem::replace(&mut away, sent.is_err());
            match (sent, was_away) {
                (Ok(_), true) => log::info!("the collector of spans takes them again"),
                (Err(status), false) => log::warn!("spans are lost, {count} for a start: {}", status.message()),
                (Ok(_), false) | (Err(_), true) => {}
            }
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                log::warn!(
                    "{dropped} spans were dropped: the collector is slower than they come; sample fewer (otlp.sampled)"
                );
            }
        }
    }

    async fn gather(&mut self, batch: &mut Vec<Span>, until: Instant) {
        while batch.len() < BATCH
            && let Ok(Some(span)) = timeout_at(until, self.spans.recv()).await
        {
            batch.push(span);
        }
    }
}

fn request(spans: impl Iterator<Item = Span>) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope {
        name: "loaderd".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let spans = ScopeSpans { scope: Some(scope), spans: spans.map(wire).collect(), ..ScopeSpans::default() };
    let resource =
        Resource { attributes: vec![attribute("service.name", "loaderd".to_owned())], ..Resource::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![spans],
            ..ResourceSpans::default()
        }],
    }
}

fn wire(span: Span) -> WireSpan {
    let Span { trace, id, parent, name, is_call, start, end, attributes, status } = span;
    let nanos = |at: UnixMicros| u64::try_from(at.0).unwrap_or_default().saturating_mul(1000);
    let (code, message) = match status {
        SpanStatus::Ok => (StatusCode::Ok, String::new()),
        SpanStatus::Error(message) => (StatusCode::Error, message),
    };
    WireSpan {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: parent.map(|parent| parent.to_be_bytes().to_vec()).unwrap_or_default(),
        name: name.to_owned(),
        kind: if is_call { SpanKind::Client } else { SpanKind::Internal }.into(),
        start_time_unix_nano: nanos(start),
        end_time_unix_nano: nanos(end),
        attributes: attributes.into_iter().map(|(key, value)| attribute(key, value)).collect(),
        status: Some(Status { code: code.into(), message }),
        ..WireSpan::default()
    }
}

fn attribute(key: &str, value: String) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value)) };
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}
