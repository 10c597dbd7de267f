//! Plain HTTP requests, of the form that the spec gives; by default as InVitro's HTTP client sends them.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use loader_proto::metadata;
use serde::Deserialize;

use super::common::{USER_AGENT, is_of_loader, origin, unexpected, write_context, write_runtime};
use crate::{
    endpoint::{Endpoint, HttpVersion},
    invoke::{
        call::Call,
        exchange::{Answer, Asked, Beyond, Exchange, Head, OwnFields, RequestHead, Wanted},
        outcome::{Failure, Reply, Status},
    },
    spec::{HttpRequest, Template, Value},
    units,
};

/// Most bytes of an answer that are kept: InVitro's form needs far less. The rest is counted.
const MAX_KEPT: usize = 64 << 10;

/// Longest text of a failed answer that is kept.
const MAX_TEXT: usize = 512;

/// Longest name of an instance that is taken from an answer.
const MAX_INSTANCE: usize = 253;

/// How InVitro's functions report failed memory allocation.
const NO_MEMORY: &[u8] = b"FAILURE - mem_alloc";

/// Something of a request.
#[derive(Debug)]
enum Part<T> {
    /// The same for all calls.
    Fixed(T),
    /// Filled in for each call.
    PerCall(Template),
}

/// Requests to one function.
#[derive(Debug)]
pub(super) struct Http {
    version: HttpVersion,
    method: Method,
    endpoint: Endpoint,
    /// The head, unless the path is filled in for each call.
    head: Part<Arc<Request<()>>>,
    /// Those that are the same for all calls.
    headers: HeaderMap,
    per_call: Vec<(HeaderName, Template)>,
    body: Part<Bytes>,
    /// Whether something of a request is its run time.
    holds_runtime: bool,
}

impl Http {
    /// Prepares requests to `function` at `endpoint`.
    pub(super) fn new(
        version: HttpVersion,
        request: &HttpRequest,
        function: &str,
        endpoint: &Endpoint,
    ) -> Result<Self, http::Error> {
        let HttpRequest { method, path, headers: templates, body } = request;
        let mut all = templates.iter().map(|(_, template)| template).chain([path, body]);
        let holds_runtime = all.any(|template| template.holds(Value::RuntimeMs));
        let of_function = |template: &Template| {
            template.with(|value| match value {
                Value::Function => Some(function.to_owned()),
                Value::RuntimeMs | Value::MemoryMib => None,
            })
        };
        let (path, body) = (of_function(path), of_function(body));
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let mut per_call = Vec::new();
        for (name, template) in templates {
            let template = of_function(template);
            match template.text() {
                Some(text) if !is_of_loader(name) => drop(headers.insert(name, HeaderValue::try_from(text)?)),
                _ => {
                    headers.remove(name);
                    per_call.push((name.clone(), template));
                }
            }
        }
        let body = match body.text() {
            Some(text) => Part::Fixed(Bytes::copy_from_slice(text.as_bytes())),
            None => Part::PerCall(body),
        };
        let head = match path.text() {
            Some(text) => Part::Fixed(Arc::new(head(method, endpoint.uri(text)?, &headers))),
            None => Part::PerCall(path),
        };
        let (method, endpoint) = (method.clone(), endpoint.clone());
        Ok(Self { version, method, endpoint, head, headers, per_call, body, holds_runtime })
    }
}

fn head(method: &Method, uri: Uri, headers: &HeaderMap) -> Request<()> {
    let mut head = Request::new(());
    *head.method_mut() = method.clone();
    *head.uri_mut() = uri;
    *head.headers_mut() = headers.clone();
    head
}

/// A template with what a call requests.
fn fill(template: &Template, call: &Call) -> String {
    template.fill(|value| match value {
        // It was filled in for all calls.
        Value::Function => String::new(),
        Value::RuntimeMs => call.runtime_ms.to_string(),
        Value::MemoryMib => call.memory_mib.to_string(),
    })
}

impl Exchange for Http {
    fn version(&self) -> HttpVersion {
        self.version
    }

    fn request(&self, call: &Call) -> Asked {
        let head = match &self.head {
            Part::Fixed(head) => RequestHead::Shared(Arc::clone(head)),
            // The spec's check has tried it with other numbers.
            Part::PerCall(path) => {
                let uri = self.endpoint.uri(&fill(path, call)).unwrap_or_default();
                RequestHead::Own(Box::new(head(&self.method, uri, &self.headers)))
            }
        };
        let mut own = OwnFields::new();
        for (name, template) in &self.per_call {
            if let Ok(value) = HeaderValue::try_from(fill(template, call)) {
                own.push((name.clone(), value));
            }
        }
        write_context(call, &mut own);
        if self.holds_runtime {
            write_runtime(call, &mut own);
        }
        let body = match &self.body {
            Part::Fixed(body) => body.clone(),
            Part::PerCall(template) => fill(template, call).into(),
        };
        Asked { head, own, body }
    }

    fn wanted(&self, _head: Head<'_>) -> Wanted {
        Wanted::Body { keep: MAX_KEPT, beyond: Beyond::Dropped, trailers: false }
    }

    fn reply(&self, answer: Answer<'_>) -> Result<Reply, Failure> {
        let Answer { head, body, trailers: _ } = answer;
        let mut origin = origin(head.headers);
        let body = match body {
            Ok(body) => body,
            Err(failure) => return Err(Failure { origin, ..failure }),
        };
        let text = &body[..body.len().min(MAX_TEXT)];
        if body.starts_with(NO_MEMORY) {
            let error = String::from_utf8_lossy(text).trim().to_owned();
            return Err(Failure { origin, ..Failure::new(Status::MemoryAllocationFailed, error) });
        }
        if !head.status.is_success() {
            return Err(Failure { origin, ..unexpected(head.status, text) });
        }
        let InVitro { machine, execution_time } = InVitro::read(&body);
        if let Some(machine) = machine.filter(|_| origin.instance.is_empty()) {
            origin.instance = machine.chars().take(MAX_INSTANCE).collect();
        }
        let number = |name: &str| head.headers.get(name)?.to_str().ok()?.parse().ok();
        let runtime_us = execution_time.or_else(|| number(metadata::WALL_TIME));
        Ok(Reply { runtime_us, memory_kib: number(metadata::MEMORY), origin })
    }
}

/// What counts of the answer of InVitro's functions. Unreadable fields are absent.
#[derive(Debug, Default)]
struct InVitro {
    machine: Option<String>,
    /// The measured run time, in microseconds.
    execution_time: Option<u32>,
}

impl InVitro {
    fn read(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Form {
            machine_name: Option<serde_json::Value>,
            execution_time: Option<serde_json::Value>,
        }
        let Ok(Form { machine_name, execution_time }) = serde_json::from_slice(body) else { return Self::default() };
        let micros = execution_time.and_then(|micros| micros.as_u64());
        Self {
            machine: machine_name.and_then(|name| name.as_str().map(str::to_owned)),
            execution_time: micros.map(units::to_u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What becomes of an answer.
    fn reply(http: &Http, status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Result<Reply, Failure> {
        let field = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let headers = headers.iter().map(field).collect();
        let head = Head { status: http::StatusCode::from_u16(status).expect("a status"), headers: &headers };
        http.reply(Answer { head, body: Ok(Bytes::copy_from_slice(body.as_bytes())), trailers: &HeaderMap::new() })
    }

    /// All header fields of a request, those of its head first.
    fn fields(asked: &Asked) -> BTreeMap<String, String> {
        let of_head = asked.head.request().headers().iter();
        let all = of_head.chain(asked.own.iter().map(|(name, value)| (name, value)));
        all.map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned())).collect()
    }

    fn http(request: &HttpRequest) -> Http {
        let endpoint = Endpoint::plain("10.0.0.7:80", "f.example");
        Http::new(HttpVersion::Http1, request, "f-7", &endpoint).expect("requests")
    }

    fn template(text: &str) -> Template {
        Template::parse(text).expect("a template")
    }

    fn call() -> Call {
        Call {
            runtime_ms: 12,
            exact_runtime_us: Some(12_345),
            memory_mib: 34,
            clock: Some("cpu"),
            span: None,
            connect_timeout: std::time::Duration::ZERO,
            function_timeout: std::time::Duration::ZERO,
        }
    }

    #[test]
    fn placeholders_of_a_request_are_filled_in() {
        let request = HttpRequest {
            method: Method::PUT,
            path: template("/{function}?ms={runtime_ms}"),
            headers: vec![
                (HeaderName::from_static("x-of"), template("{function}!")),
                (HeaderName::from_static("x-mib"), template("{memory_mib}")),
            ],
            body: template(r#"{"a": {"ms": {runtime_ms}, "mib": {memory_mib}, "f": "{function}"}}"#),
        };
        let asked = http(&request).request(&call());
        let head = asked.head.request();
        assert_eq!((head.method(), head.uri().to_string().as_str()), (&Method::PUT, "http://f.example/f-7?ms=12"));
        let expected = [
            ("loader-clock", "cpu"),
            ("loader-runtime-us", "12345"),
            ("user-agent", USER_AGENT),
            ("x-mib", "34"),
            ("x-of", "f-7!"),
        ];
        assert_eq!(fields(&asked), expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(asked.body, r#"{"a": {"ms": 12, "mib": 34, "f": "f-7"}}"#);
    }

    #[test]
    fn what_the_loader_says_of_a_call_stands_in_the_place_of_what_a_spec_does() {
        let field = |name| (HeaderName::from_static(name), template("theirs"));
        let headers = [metadata::CLOCK, metadata::RUNTIME, "traceparent", "x-mine"].map(field).into();
        let request = HttpRequest { method: Method::GET, path: template("/{runtime_ms}"), headers, body: template("") };
        let (http, call) = (http(&request), call());
        let shown = |call: &Call| {
            let asked = http.request(call);
            let of_head = asked.head.request().headers().len();
            let fields = fields(&asked);
            assert_eq!(fields.len(), of_head + asked.own.len(), "no name is there twice: {asked:?}");
            ["loader-clock", "loader-runtime-us", "traceparent", "x-mine"].map(|name| fields[name].clone())
        };
        let span = crate::spans::Context { trace: 7, span: 9 };
        let parent = span.to_string();
        assert_eq!(shown(&Call { span: Some(span), ..call }), ["cpu", "12345", &parent, "theirs"]);
        assert_eq!(shown(&Call { clock: None, exact_runtime_us: None, ..call }), ["theirs"; 4]);
    }

    #[test]
    fn the_exact_run_time_goes_along_where_a_request_holds_the_rounded_one() {
        let none = || HttpRequest {
            method: Method::POST,
            path: template("/{function}"),
            headers: vec![(HeaderName::from_static("requested_cpu"), template("50"))],
            body: template("{memory_mib}"),
        };
        let header = |value| vec![(HeaderName::from_static("requested_cpu"), template(value))];
        for (request, expected) in [
            (none(), None),
            (HttpRequest { headers: header("{runtime_ms}"), ..none() }, Some("12345")),
            (HttpRequest { path: template("/{runtime_ms}"), ..none() }, Some("12345")),
            (HttpRequest { body: template("{runtime_ms}"), ..none() }, Some("12345")),
        ] {
            let fields = fields(&http(&request).request(&call()));
            assert_eq!(fields.get(metadata::RUNTIME).map(String::as_str), expected, "{request:?}");
        }
        let asked = http(&HttpRequest { path: template("/{runtime_ms}"), ..none() })
            .request(&Call { exact_runtime_us: None, ..call() });
        assert!(!fields(&asked).contains_key(metadata::RUNTIME), "the milliseconds are exact");
    }

    #[test]
    fn answers_are_read_as_far_as_they_are_understood() {
        let request =
            HttpRequest { method: Method::POST, path: template("/"), headers: Vec::new(), body: Template::default() };
        let http = http(&request);
        let invitro = r#"{"Status":"OK","Function":"f","MachineName":"node-7","ExecutionTime":12345}"#;
        let ours = &[("loader-instance", "f-1"), ("loader-wall-us", "9"), ("loader-memory-kib", "2048")][..];
        for (status, headers, body, expected) in [
            (200, &[][..], invitro, ("node-7", Some(12_345), None)),
            (200, ours, invitro, ("f-1", Some(12_345), Some(2048))),
            (204, ours, "", ("f-1", Some(9), Some(2048))),
            (200, &[], "<html>", ("", None, None)),
            (200, &[], r#"{"MachineName": 7, "ExecutionTime": "x"}"#, ("", None, None)),
            (200, &[], r#"{"ExecutionTime": -7}"#, ("", None, None)),
            (299, &[], r#"{"ExecutionTime": 99999999999}"#, ("", Some(u32::MAX), None)),
        ] {
            let Reply { runtime_us, memory_kib, origin } = reply(&http, status, headers, body).expect("is ok");
            assert_eq!((origin.instance.as_str(), runtime_us, memory_kib), expected, "{body}");
        }
        for (status, body, expected, error) in [
            (503, "no room", Status::Http(503), "no room"),
            (404, "", Status::Http(404), "Not Found"),
            (302, " \n", Status::Http(302), "Found"),
            (200, "FAILURE - mem_alloc: 9 MiB", Status::MemoryAllocationFailed, "FAILURE - mem_alloc: 9 MiB"),
            (500, "FAILURE - mem_alloc", Status::MemoryAllocationFailed, "FAILURE - mem_alloc"),
        ] {
            let failure = reply(&http, status, &[], body).expect_err("fails");
            assert_eq!((failure.status, failure.error.as_str()), (expected, error));
        }
        let long = "é".repeat(MAX_TEXT);
        assert!(reply(&http, 500, &[], &long).expect_err("fails").error.len() <= MAX_TEXT + 3);
    }
}
