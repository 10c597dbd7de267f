//! What protocols share: the loader's own headers, and those of `trace-func`.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use loader_proto::metadata;

use crate::{
    clock::UnixMicros,
    invoke::{
        call::Call,
        exchange::OwnFields,
        outcome::{Failure, Origin, Status},
    },
};

pub(super) const USER_AGENT: &str = concat!("loaderd/", env!("CARGO_PKG_VERSION"));

/// The span that a function's work belongs to, by W3C Trace Context.
const PARENT: &str = "traceparent";

/// Whether the loader itself may write a field of this name, in the place of one that the spec gives.
pub(super) fn is_of_loader(name: &HeaderName) -> bool {
    [metadata::CLOCK, metadata::RUNTIME, PARENT].contains(&name.as_str())
}

/// Writes what no protocol defines: the clock of the run time, and the span that the function's work belongs to.
pub(super) fn write_context(call: &Call, fields: &mut OwnFields) {
    if let Some(clock) = call.clock {
        put(fields, metadata::CLOCK, HeaderValue::from_static(clock));
    }
    // Its form is always a valid header value.
    if let Some(Ok(parent)) = call.span.map(|span| HeaderValue::try_from(span.to_string())) {
        put(fields, PARENT, parent);
    }
}

/// Writes the exact run time of a call, for a protocol whose requests hold its milliseconds.
pub(super) fn write_runtime(call: &Call, fields: &mut OwnFields) {
    if let Some(micros) = call.exact_runtime_us {
        put(fields, metadata::RUNTIME, HeaderValue::from(micros));
    }
}

/// Adds a field, or replaces the one of this name.
fn put(fields: &mut OwnFields, name: &'static str, value: HeaderValue) {
    match fields.iter_mut().find(|(known, _)| known == name) {
        Some(known) => known.1 = value,
        None => fields.push((HeaderName::from_static(name), value)),
    }
}

/// An HTTP status that is no function's answer, with what came with it.
pub(super) fn unexpected(status: StatusCode, text: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(text);
    let text = text.trim();
    let text = if text.is_empty() { status.canonical_reason().unwrap_or("no reason given") } else { text };
    Failure::new(Status::Http(status.as_u16()), text)
}

/// The fields in which an answer of `trace-func` says where it comes from: names that are known need not be parsed.
static RUNTIME_EXACT: HeaderName = HeaderName::from_static(metadata::RUNTIME_EXACT);
static INSTANCE: HeaderName = HeaderName::from_static(metadata::INSTANCE);
static FIRST_INVOCATION: HeaderName = HeaderName::from_static(metadata::FIRST_INVOCATION);
static INSTANCE_STARTED: HeaderName = HeaderName::from_static(metadata::INSTANCE_STARTED);

/// The instance that answered, as reported in the headers of `trace-func`.
pub(super) fn origin(headers: &HeaderMap) -> Origin {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    Origin {
        exact_runtime: text(&RUNTIME_EXACT) == Some("true"),
        instance: text(&INSTANCE).unwrap_or_default().to_owned(),
        cold_start: text(&FIRST_INVOCATION).and_then(|value| value.parse().ok()),
        started: text(&INSTANCE_STARTED).and_then(|value| value.parse().ok()).map(UnixMicros),
    }
}
