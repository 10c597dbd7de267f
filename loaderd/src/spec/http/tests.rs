use super::*;

/// What becomes of a function's message.
fn checked(kind: FunctionKind, protocol: &str, http: Option<v1::HttpRequest>) -> Result<FunctionProtocol, Vec<String>> {
    let mut check = Check::default();
    let read = super::protocol(&mut check, Some(kind), protocol, http.as_ref());
    check.finish(read).map_err(|violations| violations.iter().map(ToString::to_string).collect())
}

fn request(of: v1::HttpRequest) -> Result<HttpRequest, Vec<String>> {
    checked(FunctionKind::Trace, "http1", Some(of)).map(|protocol| match protocol {
        FunctionProtocol::Http(_, request) => HttpRequest::clone(&request),
        FunctionProtocol::Grpc => panic!("it was asked for"),
    })
}

#[test]
fn the_default_is_what_invitro_asks() {
    let HttpRequest { method, path, headers, body } = request(v1::HttpRequest::default()).unwrap();
    assert_eq!((method, path.text(), body.text()), (Method::POST, Some("/"), Some("")));
    let fill = |template: &Template| template.fill(|value| value.as_str().to_owned());
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), fill(value))).collect();
    let expected = [
        ("workload", "trace"),
        ("function", "function"),
        ("requested_cpu", "runtime_ms"),
        ("requested_memory", "memory_mib"),
        ("multiplier", "102"),
        ("io_percentage", "0"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name, value.to_owned())));
    let Ok(FunctionProtocol::Http(version, empty)) = checked(FunctionKind::Empty, "http2", None) else {
        panic!("is refused")
    };
    assert_eq!((version, empty.headers[0].1.text()), (HttpVersion::Http2, Some("empty")));
    assert_eq!(checked(FunctionKind::Trace, "", None), Ok(FunctionProtocol::Grpc));
}

#[test]
fn what_is_wrong_with_a_request_is_named_by_its_field() {
    let headers = |name: &str, value: &str| v1::HttpRequest {
        headers: [(name.to_owned(), value.to_owned())].into(),
        ..Default::default()
    };
    let path = |path: &str| v1::HttpRequest { path: path.to_owned(), ..Default::default() };
    let body = |body: String| v1::HttpRequest { body, ..Default::default() };
    let unknown = "placeholders are {function}, {runtime_ms} and {memory_mib}, and {{ is a literal {";
    for (message, expected) in [
        (path("/{fun}"), format!("function.http.path: {{fun}} is not a placeholder; {unknown}")),
        (
            path("x"),
            "function.http.path: is \"x\"; must be a path, with or without a query, that begins with /".to_owned(),
        ),
        (
            path("/a b"),
            "function.http.path: is \"/a b\"; must be a path, with or without a query, that begins with /".to_owned(),
        ),
        (
            v1::HttpRequest { method: "GE T".to_owned(), ..Default::default() },
            "function.http.method: is \"GE T\"; must be a method such as POST or GET, not CONNECT".to_owned(),
        ),
        (headers("a b", ""), "function.http.headers: \"a b\" is not a valid header name".to_owned()),
        (
            headers("x-a", "a\nb"),
            "function.http.headers.x-a: is not a valid header value: no control characters, and at most 8192 bytes".to_owned(),
        ),
        (headers("x-a", "{b}"), format!("function.http.headers.x-a: {{b}} is not a placeholder; {unknown}")),
        (
            headers("Content-Length", "1"),
            "function.http.headers.Content-Length: is set by the loader, from the endpoint, the body and the connection"
                .to_owned(),
        ),
        (
            body("x".repeat(MAX_BODY + 1)),
            "function.http.body: has 131073 bytes; must have at most 131072".to_owned(),
        ),
        (body("{x}".to_owned()), format!("function.http.body: {{x}} is not a placeholder; {unknown}")),
    ] {
        assert_eq!(request(message), Err(vec![expected]));
    }
    assert!(request(body("x".repeat(MAX_BODY))).is_ok());
}

#[test]
fn all_faults_of_a_request_are_found_at_once() {
    let message = v1::HttpRequest {
        method: " ".to_owned(),
        path: "{x}".to_owned(),
        headers: [("a".to_owned(), "\0".to_owned()), ("\n".to_owned(), String::new())].into(),
        body: "{y}".to_owned(),
    };
    assert_eq!(request(message).unwrap_err().len(), 5);
}

#[test]
fn options_of_http_are_for_http() {
    let http = Some(v1::HttpRequest::default());
    let faults = |kind, protocol, http| checked(kind, protocol, http).unwrap_err();
    assert_eq!(
        faults(FunctionKind::Trace, "", http.clone()),
        ["function.http: is for protocols http1 and http2 only; the protocol is grpc"]
    );
    assert_eq!(
        faults(FunctionKind::Hello, "http1", None),
        ["function.protocol: is http1; functions of kind hello speak grpc only"]
    );
    assert_eq!(
        faults(FunctionKind::Trace, "http3", http),
        ["function.protocol: \"http3\" is not known; known are grpc, http1, http2; did you mean http2?"]
    );
}
