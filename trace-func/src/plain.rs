//! Plain HTTP requests, HTTP/1.1 or HTTP/2, in the form of InVitro's HTTP functions, on the port that gRPC is served on.
//!
//! A request names its `workload`, `trace` (consumes the milliseconds of `requested_cpu` and the MiB of `requested_memory`) or
//! `empty` (nothing), by headers; method, path and body don't matter, but that the body is read, up to a MiB. `multiplier` and
//! `io_percentage`, if present, must be numbers; what an instance does with them is part of its own configuration. The
//! answer is JSON, `{"Status","Function","MachineName","ExecutionTime"}` with the time in microseconds, and has the headers that
//! a gRPC answer has as metadata; request headers that a gRPC request has as metadata are followed. Failures: 400 for headers that can't be used, 413 for a longer body, 507 with a text that
//! begins with `FAILURE - mem_alloc` for memory that is not available, 500 for other failures.

use std::{
    convert::Infallible,
    fmt::Display,
    future::Future,
    pin::Pin,
    str::FromStr,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use loader_proto::metadata;
use tonic::{body::Body, metadata::MetadataMap};
use tower::{Layer, Service};

use crate::{
    asked::Asked,
    clock,
    consumer::ConsumeError,
    executor::{self, Function, Work},
    instance::Stamp,
    memory::MemoryError,
};

/// Longest body of a request that is read.
const MAX_BODY: usize = 1 << 20;

/// How InVitro's functions report a failed allocation.
const NO_MEMORY: &str = "FAILURE - mem_alloc";

/// Serves plain requests with a function, where there is one, and leaves gRPC to the service within.
#[derive(Debug, Clone)]
pub(crate) struct PlainLayer(pub(crate) Option<Arc<Function>>);

impl<S> Layer<S> for PlainLayer {
    type Service = Plain<S>;

    fn layer(&self, grpc: S) -> Plain<S> {
        Plain { function: self.0.clone(), grpc }
    }
}

/// Plain HTTP in addition to gRPC.
#[derive(Debug, Clone)]
pub(crate) struct Plain<S> {
    function: Option<Arc<Function>>,
    grpc: S,
}

/// An answer under way.
type Answering<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S> Service<Request<Body>> for Plain<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering<Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.grpc.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match &self.function {
            Some(function) if !is_grpc(request.headers()) => {
                let function = Arc::clone(function);
                Box::pin(async move { Ok(answer(&function, request).await) })
            }
            Some(_) | None => Box::pin(self.grpc.call(request)),
        }
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Why a request was not served.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    fn new(status: StatusCode, text: impl Display) -> Self {
        Self { status, text: text.to_string() }
    }

    /// A request that can't be used.
    fn bad(text: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }
}

impl From<ConsumeError> for Refusal {
    fn from(error: ConsumeError) -> Self {
        match &error {
            ConsumeError::TooLong { .. } => Self::bad(error),
            ConsumeError::Memory(
                MemoryError::Exhausted { .. } | MemoryError::AboveBound { .. } | MemoryError::Refused { .. },
            ) => Self::new(StatusCode::INSUFFICIENT_STORAGE, format!("{NO_MEMORY}: {error}")),
            ConsumeError::Memory(MemoryError::Unmeasured(_)) | ConsumeError::Failed | ConsumeError::Cancelled => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error)
            }
        }
    }
}

async fn answer(function: &Function, request: Request<Body>) -> Response<Body> {
    let stamp = function.arrive();
    let mut metadata = MetadataMap::new();
    let mut response = match serve(function, &stamp, request, &mut metadata).await {
        Ok(response) => response,
        Err(Refusal { status, text }) => {
            log::info!("invocation not served: {text}");
            response(status, "text/plain; charset=utf-8", text)
        }
    };
    stamp.write_to(&mut metadata);
    response.headers_mut().extend(metadata.into_headers());
    response
}

/// Serves a request, and writes what a gRPC answer would have as metadata.
async fn serve(
    function: &Function,
    stamp: &Stamp<'_>,
    request: Request<Body>,
    metadata: &mut MetadataMap,
) -> Result<Response<Body>, Refusal> {
    let (head, body) = request.into_parts();
    if let Err(error) = Limited::new(body, MAX_BODY).collect().await {
        let too_long = error.is::<LengthLimitError>();
        let status = if too_long { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
        return Err(Refusal::new(status, format!("cannot read the body: {error}")));
    }
    let received = clock::now();
    let name = head.headers.get("function").and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    let wanted = wanted(head.headers)?;
    let (micros, memory_bytes) = match (function.work(), wanted) {
        (Work::Consume(consumer), Some(Wanted { runtime_ms, memory_mib, asked })) => {
            asked.confirm(metadata);
            let consumed = consumer.consume(received, asked.demand(runtime_ms, memory_mib)).await?;
            executor::write_times(consumed, metadata);
            (consumed.wall.as_micros(), Some(consumed.memory_bytes))
        }
        (Work::Empty { memory_bytes }, _) => (0, Some(*memory_bytes)),
        (Work::Consume(_), None) => (0, None),
    };
    let json = format!(
        r#"{{"Status":"OK","Function":"{}","MachineName":"{}","ExecutionTime":{micros}}}"#,
        escaped(&name),
        escaped(stamp.instance()),
    );
    let mut response = response(StatusCode::OK, "application/json", json);
    let headers = response.headers_mut();
    if let Some(bytes) = memory_bytes {
        headers.insert(metadata::MEMORY, HeaderValue::from(executor::kib(bytes)));
    }
    Ok(response)
}

/// What a request of workload `trace` asks for.
struct Wanted {
    runtime_ms: u32,
    memory_mib: u32,
    asked: Asked,
}

/// What a request asks for by its headers; nothing of workload `empty`.
fn wanted(headers: HeaderMap) -> Result<Option<Wanted>, Refusal> {
    for name in ["multiplier", "io_percentage"] {
        number::<i64>(&headers, name)?;
    }
    let runtime_ms: u32 = number(&headers, "requested_cpu")?.unwrap_or_default();
    let memory_mib = number(&headers, "requested_memory")?.unwrap_or_default();
    match headers.get("workload").map(HeaderValue::as_bytes) {
        Some(b"empty") => return Ok(None),
        Some(b"trace") => {}
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            return Err(Refusal::bad(format!("header workload is {other:?}; must be trace or empty")));
        }
        None => return Err(Refusal::bad("header workload is missing; must be trace or empty")),
    }
    let asked = Asked::read(&MetadataMap::from_headers(headers)).map_err(Refusal::bad)?;
    Ok(Some(Wanted { runtime_ms, memory_mib, asked }))
}

/// A header that holds a number; absent, where it is.
fn number<T: FromStr>(headers: &HeaderMap, name: &str) -> Result<Option<T>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let read = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    read.map(Some).ok_or_else(|| Refusal::bad(format!("header {name} is {value:?}; must be a whole number")))
}

/// Text inside a JSON string; it has no control characters, for it comes from a header.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\t', "\\t")
}

fn response(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::{
        behaviour::Behaviour,
        consumer::Consumer,
        instance::Instance,
        memory::{Memory, SystemLimits},
    };

    fn function() -> Function {
        let memory = Memory::new(SystemLimits::of_this_process()).at_most(Some(8));
        let longest = Some(Duration::from_secs(1));
        let consumer = Consumer::new(memory, Behaviour::default(), longest, TaskTracker::new());
        Function::new(Instance::new("pod-7", Duration::from_micros(7)).unwrap(), Work::Consume(consumer))
    }

    async fn asked(function: &Function, headers: &[(&'static str, &str)], body: &str) -> (u16, HeaderMap, String) {
        let mut request = Request::post("/any");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::new(body.to_owned())).unwrap();
        let (head, body) = answer(function, request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_request_in_invitros_form_is_served() {
        let function = function();
        let asks = [
            ("workload", "trace"),
            ("function", r#"f"1"#),
            ("requested_cpu", "5"),
            ("requested_memory", "2"),
            ("multiplier", "102"),
            ("io_percentage", "0"),
            ("loader-clock", "wall"),
        ];
        let (status, headers, body) = asked(&function, &asks, "ignored").await;
        assert_eq!(status, 200, "{body}");
        let micros: u64 = headers["loader-wall-us"].to_str().unwrap().parse().unwrap();
        assert!(micros >= 5000);
        let expected = format!(r#"{{"Status":"OK","Function":"f\"1","MachineName":"pod-7","ExecutionTime":{micros}}}"#);
        assert_eq!((body, &headers["content-type"]), (expected, &HeaderValue::from_static("application/json")));
        assert!(headers["loader-memory-kib"].to_str().unwrap().parse::<u32>().unwrap() >= 2048);
        assert_eq!(headers["loader-instance"], "pod-7");
        assert_eq!(headers["loader-first-invocation"], "true");
        let (status, headers, _) = asked(&function, &[("workload", "empty")], "").await;
        assert_eq!((status, &headers["loader-first-invocation"]), (200, &HeaderValue::from_static("false")));
        assert!(!headers.contains_key("loader-wall-us"), "nothing was measured");
    }

    #[tokio::test]
    async fn an_exact_run_time_is_followed_and_confirmed() {
        let function = function();
        let trace = [("workload", "trace"), ("requested_cpu", "5")];
        let (status, headers, _) = asked(&function, &trace, "").await;
        assert_eq!((status, headers.get("loader-runtime-exact")), (200, None), "the milliseconds were followed");
        let exact = |micros| [&trace[..], &[("loader-runtime-us", micros)]].concat();
        let confirmed = Some(&HeaderValue::from_static("true"));
        let (status, headers, _) = asked(&function, &exact("7654"), "").await;
        assert_eq!((status, headers.get("loader-runtime-exact")), (200, confirmed));
        assert!(headers["loader-wall-us"].to_str().unwrap().parse::<u32>().unwrap() >= 7654);
        // What was asked for counts for its limit, too, and the refusal says what that was.
        let (status, headers, body) = asked(&function, &exact("1000001"), "").await;
        assert_eq!((status, headers.get("loader-runtime-exact")), (400, confirmed), "{body}");
        let (status, headers, _) = asked(&function, &[("workload", "empty"), ("loader-runtime-us", "7")], "").await;
        assert_eq!((status, headers.get("loader-runtime-exact")), (200, None), "nothing was consumed");
    }

    #[tokio::test]
    async fn an_invalid_request_is_answered_with_the_fault() {
        let function = function();
        let trace = ("workload", "trace");
        for (headers, status, text) in [
            (&[][..], 400, "header workload is missing; must be trace or empty"),
            (&[("workload", "busy")], 400, r#"header workload is "busy"; must be trace or empty"#),
            (&[trace, ("requested_cpu", "-1")], 400, r#"header requested_cpu is "-1"; must be a whole number"#),
            (&[trace, ("requested_memory", "x")], 400, r#"header requested_memory is "x"; must be a whole number"#),
            (&[trace, ("multiplier", "x")], 400, r#"header multiplier is "x"; must be a whole number"#),
            (&[trace, ("loader-clock", "sun")], 400, r#"unknown clock "sun": expected wall or cpu"#),
            (
                &[trace, ("requested_cpu", "2000")],
                400,
                "a run time of 2s is above this function's limit of 1s (--max-runtime)",
            ),
            (
                &[trace, ("requested_memory", "9")],
                507,
                "FAILURE - mem_alloc: 9 MiB requested, but this function's limit is 8 MiB (--max-memory)",
            ),
        ] {
            let (found, headers, body) = asked(&function, headers, "").await;
            assert_eq!((found, body.as_str()), (status, text));
            assert_eq!(headers["loader-instance"], "pod-7");
        }
        let (status, _, _) = asked(&function, &[trace], &"x".repeat(MAX_BODY)).await;
        assert_eq!(status, 200);
        let (status, _, text) = asked(&function, &[trace], &"x".repeat(MAX_BODY + 1)).await;
        assert_eq!(status, 413, "{text}");
    }
}
