//! Serves connections within limits on their number and on the time of each.

use std::{io, time::Duration};

use axum::{Router, body::Body, response::Response};
use http::Request;
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::{
    dispatch::Running,
    listener::{self, Accepted, Bounds, Connection, Listener, OpenRequest},
};

/// How long a client may take to send a request's headers; also how long a connection may be idle before its next request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Most bytes of a request's headers, which are kept while they are incomplete.
const HEADER_BYTES: usize = 16 * 1024;

/// Most clients at the same time; further ones are turned away.
pub(super) const BOUNDS: Bounds = Bounds { all: 256, each: 128, reserve: 0 };

/// Serves as [`serve`] does, on a thread of its own that yields to those that send: who looks at metrics or at the page must not disturb
/// what is measured.
///
/// # Errors
/// The system refuses the thread or its runtime.
pub fn serve_apart(listener: Listener, router: Router, end: CancellationToken) -> io::Result<Running<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Running::start_yielding("http", move || runtime.block_on(serve(listener, router, end)))
}

/// Serves `router` until `end`; connections that are open then are closed. Each request has its [`crate::access::Peer`]
/// among its extensions.
pub async fn serve(listener: Listener, router: Router, end: CancellationToken) {
    let (connections, mut accepted) = mpsc::channel(1);
    let serve = async {
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                () = end.cancelled() => break,
                Some(_) = clients.join_next() => {}
                connection = accepted.recv() => match connection {
                    Some(Ok(connection)) => {
                        clients.spawn(serve_client(connection, router.clone()));
                    }
                    Some(Err(_)) => {}
                    None => break,
                },
            }
        }
        clients.shutdown().await;
    };
    tokio::join!(listener::accept(listener, BOUNDS, connections, end.clone()), serve);
}

/// Answers the requests of one connection, one after the other.
async fn serve_client(connection: Connection, router: Router) {
    let Accepted { peer, requests } = connection.accepted();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        let open = requests.begin();
        let answer = router.clone().oneshot(request);
        async move { answer.await.map(|answer| until_sent(answer, open)) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(HEADER_BYTES);
    if let Err(error) = server.serve_connection(TokioIo::new(connection), service).await {
        log::debug!("an HTTP client's connection ended: {error}");
    }
}

/// The answer, whose request counts as open until all of it has been sent.
fn until_sent(answer: Response, open: OpenRequest) -> Response {
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _open = &open;
            frame
        }))
    })
}
