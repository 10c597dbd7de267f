//! The gateway: one listener in the role of Knative's ingress and activator.
//!
//! It speaks HTTP/2 with prior knowledge and HTTP/1.1, finds the function by `:authority` or `host`, waits for a free slot in one of its
//! instances, and passes request and response through, bodies and trailers unchanged.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, Request, Response, Uri, Version, header, uri::PathAndQuery};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{rt::TokioIo, server::conn::auto::Builder};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    answer::{self, Answer},
    lease::{Calls, Lease},
    route::Routes,
    tasks::Tasks,
    window::{CONNECTION_WINDOW, STREAM_WINDOW},
};

/// Calls in flight on one connection, as Envoy allows.
const MAX_CONCURRENT_STREAMS: u32 = 1024;
/// Calls that a client has cancelled and hyper has not handled yet. Its default of 20 protects public servers; here whole
/// bursts of timeouts are part of the experiment.
const MAX_RESET_STREAMS: usize = 65_536;
/// Maximum time for a connection to end when the gateway does.
const LINGER: Duration = Duration::from_secs(1);
/// The pause after a failure to accept, for instance for lack of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Gateway {
    /// The functions by authority.
    pub(super) routes: Routes,
    /// How long a call may take until its response begins, its wait included.
    pub(super) request_timeout: Duration,
    /// Cancelled when the gateway shall end.
    pub(super) stop: CancellationToken,
    /// The listener's and the connections' tasks.
    pub(super) tasks: TaskTracker,
}

impl Gateway {
    /// Takes connections until the gateway is stopped.
    pub(super) async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut stopped = pin!(self.stop.cancelled());
        loop {
            let accepted = tokio::select! {
                () = &mut stopped => return,
                accepted = listener.accept() => accepted,
            };
            match accepted.and_then(|(stream, _)| stream.set_nodelay(true).map(|()| stream)) {
                Ok(stream) => drop(self.tasks.spawn(Arc::clone(&self).serve(stream))),
                Err(error) => {
                    log::warn!("the local gateway cannot accept a connection: {error}");
                    sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }

    /// Serves one connection until it ends or the gateway is stopped.
    pub(super) async fn serve(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let gateway = Arc::clone(&self);
        let service = service_fn(move |request| {
            let gateway = Arc::clone(&gateway);
            async move { Ok::<_, Infallible>(gateway.answer(request).await) }
        });
        let mut builder = Builder::new(Tasks(self.tasks.clone()));
        builder
            .http2()
            .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
            .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
            .max_local_error_reset_streams(MAX_RESET_STREAMS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                timeout(LINGER, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            log::debug!("a connection to the local gateway ended: {error}");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        let grpc = answer::is_grpc(request.headers());
        let Some(request) = as_http2(request) else { return answer::no_route(grpc) };
        let Some(calls) = self.routes.find(request.uri()) else { return answer::no_route(grpc) };
        match timeout(self.request_timeout, call(&calls, request)).await {
            Ok(answered) => answered.unwrap_or_else(|| answer::no_route(grpc)),
            Err(_) => answer::request_timeout(),
        }
    }
}

/// Connection headers of HTTP/1.1, which HTTP/2 does not allow.
const OF_CONNECTION: [HeaderName; 7] = [
    header::HOST,
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A request as it is forwarded to an instance, by HTTP/2; `None` for one of HTTP/1.1 without a host.
fn as_http2(request: Request<Incoming>) -> Option<Request<Incoming>> {
    if request.version() == Version::HTTP_2 {
        return Some(request);
    }
    let (mut head, body) = request.into_parts();
    let named_in_line = head.uri.authority().map(|authority| authority.as_str().to_owned());
    let authority = named_in_line.or_else(|| host(&head.headers))?;
    let path = head.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    head.uri = Uri::builder().scheme("http").authority(authority).path_and_query(path).build().ok()?;
    for name in OF_CONNECTION {
        head.headers.remove(name);
    }
    head.version = Version::HTTP_2;
    Some(Request::from_parts(head, body))
}

fn host(headers: &HeaderMap) -> Option<String> {
    headers.get(header::HOST)?.to_str().ok().map(str::to_owned)
}

/// Gets a slot and makes the call; `None` when the function has ended.
async fn call(calls: &Calls, mut request: Request<Incoming>) -> Option<Response<Answer>> {
    loop {
        let Lease { mut client, hold } = calls.lease().await?;
        match client.try_send_request(request).await {
            Ok(response) => return Some(answer::passing(response, hold)),
            // An instance that ended before the call was sent has not received it: it is sent to another one.
            Err(mut error) => match error.take_message() {
                Some(unsent) => request = unsent,
                None => return Some(answer::unexpected_eof()),
            },
        }
    }
}
