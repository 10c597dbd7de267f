//! The gateway: one listener that stands where Knative's ingress and activator stand.
//!
//! It speaks HTTP/2 with prior knowledge, finds the function by `:authority`, waits for a free slot in one of its
//! instances, and passes request and response through, bodies and trailers unchanged.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2::Builder, service::service_fn};
use hyper_util::rt::TokioIo;
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
/// Calls that a client gave up and hyper has not dealt with yet. Its default of 20 guards public servers; here whole
/// bursts of timeouts are part of the experiment.
const MAX_RESET_STREAMS: usize = 65_536;
/// How long a connection may take to end when the gateway does.
const LINGER: Duration = Duration::from_secs(1);
/// How long the gateway waits after it failed to accept, for instance for want of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// The gateway.
#[derive(Debug)]
pub(super) struct Gateway {
    /// Which functions there are.
    pub(super) routes: Routes,
    /// How long a call may take until its response begins, its wait included.
    pub(super) request_timeout: Duration,
    /// Ends the gateway.
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
                    log::warn!("the local gateway cannot take a connection: {error}");
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
        let Some(calls) = self.routes.find(request.uri()) else { return answer::no_route(grpc) };
        match timeout(self.request_timeout, call(&calls, request)).await {
            Ok(answered) => answered.unwrap_or_else(|| answer::no_route(grpc)),
            Err(_) => answer::request_timeout(),
        }
    }
}

/// Gets a slot and makes the call; `None` when the function has ended.
async fn call(calls: &Calls, mut request: Request<Incoming>) -> Option<Response<Answer>> {
    loop {
        let Lease { mut client, hold } = calls.lease().await?;
        match client.try_send_request(request).await {
            Ok(response) => return Some(answer::passing(response, hold)),
            // An instance that died before the call was sent has not seen it: another one may.
            Err(mut error) => match error.take_message() {
                Some(unsent) => request = unsent,
                None => return Some(answer::unexpected_eof()),
            },
        }
    }
}
