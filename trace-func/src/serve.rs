//! The server: one listener, HTTP/2, and a drain.

use std::{io, net::SocketAddr};

use loader_proto::faas::executor_server::ExecutorServer;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::transport::{Server, server::TcpIncoming};

use crate::executor::Function;

/// Invocations that run at once: each has a thread of tokio's blocking pool, and a stream of a connection.
pub const MAX_CONCURRENT: u16 = 4096;

/// Requests and replies are a few bytes each, but thousands may share a connection, and an exhausted connection window
/// would show up as latency.
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// The listener could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address}: {source}")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

/// Listens on `address`; port 0 picks a free one. Returns the listener and where it really listens.
pub async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let bind_error = |source| BindError { address, source };
    let listener = TcpListener::bind(address).await.map_err(bind_error)?;
    let bound = listener.local_addr().map_err(bind_error)?;
    Ok((listener, bound))
}

/// Serves `function` on `listener` until `stop`; then takes no more connections and requests, and returns when the
/// running invocations are answered and their `threads` have ended.
pub async fn serve(
    listener: TcpListener,
    function: Function,
    threads: TaskTracker,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    Server::builder()
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(u32::from(MAX_CONCURRENT))
        .serve_with_incoming_shutdown(
            ExecutorServer::new(function),
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            stop.cancelled_owned(),
        )
        .await?;
    threads.close();
    threads.wait().await;
    Ok(())
}
