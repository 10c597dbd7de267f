//! What a function is called by, and what plain HTTP requests to it look like.

mod template;

use std::{collections::BTreeMap, sync::Arc};

use ::http::{HeaderName, HeaderValue, Method, header, uri::PathAndQuery};
use loader_proto::v1;

use super::{check::Check, function::FunctionKind};
use crate::endpoint::HttpVersion;
pub use template::{Template, UnknownPlaceholder, Value};

/// Longest body of a request, in bytes: half of what a spec may have.
const MAX_BODY: usize = 128 << 10;
/// Longest path, in bytes: what servers take.
const MAX_PATH: usize = 8 << 10;
/// Longest value of a header, in bytes.
const MAX_VALUE: usize = 8 << 10;
/// Most headers of a request.
const MAX_HEADERS: usize = 64;

/// Headers that are the connection's, or follow from the body and the endpoint.
const RESERVED: [HeaderName; 7] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
];

/// What a function is called by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionProtocol {
    /// gRPC.
    Grpc,
    /// Plain HTTP requests of a version.
    Http(HttpVersion, Arc<HttpRequest>),
}

impl FunctionProtocol {
    /// The version of HTTP below it.
    pub const fn version(&self) -> HttpVersion {
        match self {
            Self::Grpc => HttpVersion::Http2,
            Self::Http(version, _) => *version,
        }
    }

    /// Bytes of the body that each invocation has of its own; 0 where all of a function have the same.
    pub fn own_body_bytes(&self) -> u64 {
        match self {
            Self::Http(_, request) if request.body.differs_by_call() => request.body.bytes(),
            Self::Grpc | Self::Http(..) => 0,
        }
    }
}

/// What a plain HTTP request looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The request's method.
    pub method: Method,
    /// Path and query, first a `/`.
    pub path: Template,
    /// Headers, of which none is the connection's.
    pub headers: Vec<(HeaderName, Template)>,
    /// The request's body; may be empty.
    pub body: Template,
}

/// Names of the protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Grpc,
    Http(HttpVersion),
}

impl Named {
    const ALL: [Self; 3] = [Self::Grpc, Self::Http(HttpVersion::Http1), Self::Http(HttpVersion::Http2)];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http(HttpVersion::Http1) => "http1",
            Self::Http(HttpVersion::Http2) => "http2",
        }
    }
}

/// Reads what functions of `kind` are called by.
pub(super) fn protocol(
    check: &mut Check,
    kind: Option<FunctionKind>,
    name: &str,
    http: Option<&v1::HttpRequest>,
) -> Option<FunctionProtocol> {
    let name = if name.is_empty() { Named::Grpc.as_str() } else { name };
    match (check.named("function.protocol", name, &Named::ALL, Named::as_str)?, http) {
        (Named::Grpc, None) => Some(FunctionProtocol::Grpc),
        (Named::Grpc, Some(_)) => {
            check.fault("function.http", "is for protocols http1 and http2 only; the protocol is grpc");
            None
        }
        (Named::Http(_), _) if kind == Some(FunctionKind::Hello) => {
            check.fault("function.protocol", format!("is {name}; functions of kind hello speak grpc only"));
            None
        }
        (Named::Http(version), http) => {
            let request = request(check, kind, http.unwrap_or(&v1::HttpRequest::default()))?;
            Some(FunctionProtocol::Http(version, Arc::new(request)))
        }
    }
}

fn request(check: &mut Check, kind: Option<FunctionKind>, message: &v1::HttpRequest) -> Option<HttpRequest> {
    let v1::HttpRequest { method: method_name, path: path_text, headers: of_message, body: body_text } = message;
    let method = method(check, method_name);
    let path = path(check, path_text);
    let headers = if of_message.is_empty() {
        Some(default_headers(kind.unwrap_or(FunctionKind::Trace)))
    } else {
        headers(check, of_message)
    };
    let body = body(check, body_text);
    Some(HttpRequest { method: method?, path: path?, headers: headers?, body: body? })
}

fn method(check: &mut Check, name: &str) -> Option<Method> {
    if name.is_empty() {
        return Some(Method::POST);
    }
    let method = Method::from_bytes(name.as_bytes()).ok().filter(|method| *method != Method::CONNECT);
    if method.is_none() {
        check.fault("function.http.method", format!("is {name:?}; must be a method such as POST or GET, not CONNECT"));
    }
    method
}

fn path(check: &mut Check, text: &str) -> Option<Template> {
    const FIELD: &str = "function.http.path";
    if text.len() > MAX_PATH {
        check.fault(FIELD, format!("has {} bytes; must have at most {MAX_PATH}", text.len()));
        return None;
    }
    let template = template(check, FIELD, if text.is_empty() { "/" } else { text })?;
    let example = template.fill(example);
    let is_path = example.starts_with('/') && !example.contains('#') && example.parse::<PathAndQuery>().is_ok();
    if !is_path {
        check.fault(FIELD, format!("is {text:?}; must be a path, with or without a query, that begins with /"));
    }
    is_path.then_some(template)
}

fn body(check: &mut Check, text: &str) -> Option<Template> {
    const FIELD: &str = "function.http.body";
    if text.len() > MAX_BODY {
        check.fault(FIELD, format!("has {} bytes; must have at most {MAX_BODY}", text.len()));
        return None;
    }
    template(check, FIELD, text)
}

fn headers(check: &mut Check, of_message: &BTreeMap<String, String>) -> Option<Vec<(HeaderName, Template)>> {
    if of_message.len() > MAX_HEADERS {
        let count = of_message.len();
        check.fault("function.http.headers", format!("holds {count} headers; must hold at most {MAX_HEADERS}"));
        return None;
    }
    // Every header is read before the first fault counts.
    let read: Vec<_> = of_message.iter().map(|(name, value)| header(check, name, value)).collect();
    read.into_iter().collect()
}

fn header(check: &mut Check, name: &str, value: &str) -> Option<(HeaderName, Template)> {
    const FIELD: &str = "function.http.headers";
    let Some(parsed) = HeaderName::try_from(name).ok().filter(|_| name.len() <= MAX_VALUE) else {
        check.fault(FIELD, format!("{name:?} is not a valid header name"));
        return None;
    };
    let field = format!("{FIELD}.{name}");
    if RESERVED.contains(&parsed) {
        check.fault(field, "is set by the loader, from the endpoint, the body and the connection");
        return None;
    }
    let template = template(check, &field, value)?;
    let possible = value.len() <= MAX_VALUE && HeaderValue::try_from(template.fill(example)).is_ok();
    if !possible {
        let rule = format!("is not a valid header value: no control characters, and at most {MAX_VALUE} bytes");
        check.fault(field, rule);
    }
    possible.then_some((parsed, template))
}

fn template(check: &mut Check, field: &str, text: &str) -> Option<Template> {
    Template::parse(text).map_err(|unknown| check.fault(field, unknown.to_string())).ok()
}

/// What a value may be.
fn example(value: Value) -> String {
    match value {
        Value::Function => "f".to_owned(),
        Value::RuntimeMs | Value::MemoryMib => "0".to_owned(),
    }
}

/// The headers of InVitro's requests. Its functions count 102 iterations a millisecond unless the request sets another number.
fn default_headers(kind: FunctionKind) -> Vec<(HeaderName, Template)> {
    let (text, value) = (Template::of_text, Template::of_value);
    let name = HeaderName::from_static;
    vec![
        (name("workload"), text(if kind == FunctionKind::Empty { "empty" } else { "trace" })),
        (name("function"), value(Value::Function)),
        (name("requested_cpu"), value(Value::RuntimeMs)),
        (name("requested_memory"), value(Value::MemoryMib)),
        (name("multiplier"), text("102")),
        (name("io_percentage"), text("0")),
    ]
}

#[cfg(test)]
mod tests;
