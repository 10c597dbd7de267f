//! One invocation over the wire: connection, call, outcome.
//!
//! The client speaks HTTP/2 through the `h2` crate and gRPC by hand on top of it. A gRPC client library costs more for
//! each call and turns a gateway's plain 502, 503 or 504 into an error of the function; here the HTTP status and the
//! content type are looked at before anything is decoded.
//!
//! Everything in this module lives on one thread: a worker owns an [`Invoker`] and all its connections.

mod abandon;
mod answer;
mod connection;
mod outcome;
mod protocol;

use std::time::Duration;

use http::{HeaderValue, Method, Request, Uri, header};
use loader_proto::metadata;
use tokio::time::timeout_at;

pub use abandon::Abandon;
pub use connection::{ConnectionCount, Connections, Policy};
pub use outcome::{Outcome, Status};
pub use protocol::Protocol;

use crate::{
    clock::Clock,
    endpoint::{Endpoint, Tls},
    spans,
};
use connection::{Connected, Ready};

/// A function as an invoker calls it: an endpoint, parsed once.
#[derive(Debug, Clone)]
pub struct Route {
    /// `host:port` to connect to.
    pub address: String,
    /// Names the function among all others.
    function: String,
    uri: Uri,
    protocol: Protocol,
    tls: Option<Tls>,
}

/// An endpoint that can't be called.
#[derive(Debug, thiserror::Error)]
#[error("{authority:?} is no host name to call a function by: {source}")]
pub struct BadEndpoint {
    authority: String,
    source: http::Error,
}

impl Route {
    /// Prepares calls to `endpoint`, which speaks `protocol`.
    ///
    /// # Errors
    /// An authority that no URI can hold.
    pub fn new(endpoint: &Endpoint, protocol: Protocol) -> Result<Self, BadEndpoint> {
        let uri = Uri::builder()
            .scheme(if endpoint.tls.is_some() { "https" } else { "http" })
            .authority(endpoint.authority.as_str())
            .path_and_query(protocol.path())
            .build()
            .map_err(|source| BadEndpoint { authority: endpoint.authority.clone(), source })?;
        let Endpoint { address, authority, tls } = endpoint;
        let function = format!("{address} {authority}");
        Ok(Self { address: address.clone(), function, uri, protocol, tls: tls.clone() })
    }
}

/// What one invocation asks for, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Run time, in milliseconds.
    pub runtime_ms: u32,
    /// Memory, in MiB.
    pub memory_mib: u32,
    /// The clock that the function shall count the run time by; absent: its own choice.
    pub clock: Option<&'static str>,
    /// The span that the function's work belongs to, where there is one.
    pub span: Option<spans::Context>,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long the answer may take, counted from the send.
    pub function_timeout: Duration,
}

/// Makes calls over connections that it shares among them.
pub struct Invoker {
    connections: Connections,
    clock: Clock,
}

impl Invoker {
    /// An invoker that calls over `connections`.
    pub fn new(connections: Connections, clock: Clock) -> Self {
        Self { connections, clock }
    }

    /// Makes the connections to `route` that calls will need, so that the first ones find them. Failures show later, in
    /// the calls.
    pub async fn prepare(&self, route: &Route, timeout: Duration) {
        self.connections.prepare(route, self.clock.now() + timeout).await;
    }

    /// Makes one call, unless it is given up. Every failure is an outcome.
    pub async fn call(&self, route: &Route, call: Call, abandon: &Abandon) -> Outcome {
        let deadline = self.clock.now() + call.connect_timeout;
        let connected = tokio::select! {
            connected = self.connections.ready(route, deadline) => connected,
            status = abandon.given_up() => return Outcome::bare(status, "given up before it was sent"),
        };
        let Connected { mut ready, connect } = match connected {
            Ok(connected) => connected,
            Err(failure) => return Outcome::unsent(failure),
        };
        let sent = self.clock.now();
        let outcome = match send(&mut ready, route, call) {
            Ok(answer) => tokio::select! {
                answer = timeout_at(sent + call.function_timeout, answer::read(answer, route.protocol)) => {
                    let took = self.clock.now().duration_since(sent);
                    match answer {
                        Ok(Ok(reply)) => Outcome::replied(reply, took),
                        Ok(Err(failure)) => Outcome::failed(failure, took),
                        Err(_) => Outcome::timed_out(call.function_timeout),
                    }
                }
                status = abandon.given_up() => Outcome::bare(status, "no answer until then"),
            },
            Err(error) => Outcome::unsent(error.into()),
        };
        Outcome { sent: Some(sent), connect, ..outcome }
    }
}

/// Puts the request on the wire.
fn send(ready: &mut Ready, route: &Route, call: Call) -> Result<h2::client::ResponseFuture, h2::Error> {
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = route.uri.clone();
    *request.version_mut() = http::Version::HTTP_2;
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("loaderd/", env!("CARGO_PKG_VERSION"))));
    headers.insert("grpc-timeout", grpc_timeout(call.function_timeout));
    if let Some(clock) = call.clock {
        headers.insert(metadata::CLOCK, HeaderValue::from_static(clock));
    }
    // Its form has nothing that a header may not have.
    if let Some(Ok(parent)) = call.span.map(|span| HeaderValue::try_from(span.to_string())) {
        headers.insert("traceparent", parent);
    }
    let (answer, mut body) = ready.send_request(request, false)?;
    body.send_data(route.protocol.request(call.runtime_ms, call.memory_mib), true)?;
    Ok(answer)
}

/// The header by which the function learns how long its client waits: at most eight digits, in milliseconds.
fn grpc_timeout(timeout: Duration) -> HeaderValue {
    let millis = timeout.as_millis().min(99_999_999);
    HeaderValue::try_from(format!("{millis}m")).unwrap_or_else(|_| HeaderValue::from_static("99999999m"))
}

#[cfg(test)]
mod tests;
