//! The server: one listener for gRPC and plain HTTP of both versions, health, reflection, and a drain.

use std::{io, net::SocketAddr, sync::Arc};

use loader_proto::{
    FUNCTION_DESCRIPTORS, faas::executor_server::ExecutorServer, helloworld::greeter_server::GreeterServer,
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{executor::Function, hello::Hello, plain::PlainLayer};

/// Invocations that run at once: each has a thread of tokio's blocking pool, and a stream of a connection.
pub const MAX_CONCURRENT: u16 = 4096;

/// Invocations that were cancelled and that this server has not seen yet.
const MAX_RESET_STREAMS: usize = 65_536;

/// Requests and replies are a few bytes each, but thousands may share a connection, and an exhausted connection window
/// would show up as latency.
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// What is served. A function is served over plain HTTP, too.
#[derive(Debug)]
pub enum Service {
    /// `faas.Executor`.
    Function(Function),
    /// `helloworld.Greeter`.
    Hello(Hello),
}

/// The listener could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

/// Why serving failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The descriptors of the services are invalid.
    #[error("cannot set up reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The gRPC server failed.
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Listens on `address`; port 0 picks a free one. Returns the listener and where it really listens.
///
/// # Errors
/// The address cannot be bound.
pub async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let bind_error = |source| BindError { address, source };
    let listener = TcpListener::bind(address).await.map_err(bind_error)?;
    let bound = listener.local_addr().map_err(bind_error)?;
    Ok((listener, bound))
}

/// Serves `service` on `listener` until `stop`; then reports itself as not serving, takes no more connections and
/// requests, and returns when the running invocations are answered and their `threads` have ended.
///
/// # Errors
/// Why it could not be served.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    threads: TaskTracker,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    let name = match service {
        Service::Function(_) => "faas.Executor",
        Service::Hello(_) => "helloworld.Greeter",
    };
    report(&health, name, ServingStatus::Serving).await;
    let mut routes = Routes::builder();
    routes
        .add_service(health_service)
        .add_service(reflection(name).build_v1()?)
        .add_service(reflection(name).build_v1alpha()?);
    let plain = match service {
        Service::Function(function) => {
            let function = Arc::new(function);
            routes.add_service(ExecutorServer::from_arc(Arc::clone(&function)));
            PlainLayer(Some(function))
        }
        Service::Hello(hello) => {
            routes.add_service(GreeterServer::new(hello));
            PlainLayer(None)
        }
    };
    let stopped = async {
        stop.cancelled().await;
        report(&health, name, ServingStatus::NotServing).await;
    };
    Server::builder()
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(u32::from(MAX_CONCURRENT))
        // The default of 20, which protects public servers, ends the connection of an instance that was paused.
        .http2_max_pending_accept_reset_streams(Some(MAX_RESET_STREAMS))
        .http2_max_local_error_reset_streams(Some(MAX_RESET_STREAMS))
        .accept_http1(true)
        .layer(plain)
        .add_routes(routes.routes())
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stopped)
        .await?;
    threads.close();
    threads.wait().await;
    Ok(())
}

/// Reports the health of the server as a whole, and of its service.
async fn report(health: &HealthReporter, name: &str, status: ServingStatus) {
    health.set_service_status("", status).await;
    health.set_service_status(name, status).await;
}

fn reflection(name: &str) -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FUNCTION_DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(name)
        .with_service_name("grpc.health.v1.Health")
}
