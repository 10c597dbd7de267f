//! What is served on the control API's sockets: the service, health, and reflection.

use std::time::Duration;

use loader_proto::v1::loader_control_server::LoaderControlServer;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::Router};
use tower::layer::util::{Identity, Stack};

use super::{Service, gate::GateLayer};
use crate::{
    access::Guard,
    listener::{self, Bounds, Listener},
};

/// Largest request, in bytes: a spec, or a piece of an upload.
const MAX_REQUEST: usize = 4 << 20;

/// Most requests of a connection that are answered at the same time.
const MOST_STREAMS: u32 = 1000;

/// Interval of keepalive pings on an idle connection.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long open streams may take to end when the daemon ends.
const STREAM_GRACE: Duration = Duration::from_secs(2);

/// Most connections of a listener.
const BOUNDS: Bounds = Bounds { all: 1024, each: 128, reserve: 16 };

/// Accepted connections that wait to be served.
const ACCEPTED: usize = 16;

/// The control API can't be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up reflection: {0}")]
pub struct ServeError(#[from] tonic_reflection::server::Error);

/// Serves until `shutdown`; then accepts no new connections, and gives open streams [`STREAM_GRACE`].
///
/// # Errors
/// Reflection that can't be set up.
pub async fn serve(
    listeners: Vec<Listener>,
    service: Service,
    guard: Guard,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let mut serving = JoinSet::new();
    let gate = GateLayer::new(guard);
    for listener in listeners {
        let router = router(service.clone(), gate.clone()).await?;
        let (connections, accepted) = mpsc::channel(ACCEPTED);
        let end = shutdown.clone();
        serving.spawn(async move {
            let served =
                router.serve_with_incoming_shutdown(ReceiverStream::new(accepted), end.clone().cancelled_owned());
            let ((), served) = tokio::join!(listener::accept(listener, BOUNDS, connections, end.clone()), served);
            if let Err(error) = served {
                log::error!("control API: {error}");
            }
        });
    }
    shutdown.cancelled().await;
    let ended = async { while serving.join_next().await.is_some() {} };
    if tokio::time::timeout(STREAM_GRACE, ended).await.is_err() {
        log::info!("closing connections with open streams");
    }
    serving.shutdown().await;
    gate.carried.close();
    if tokio::time::timeout(STREAM_GRACE, gate.carried.wait()).await.is_err() {
        log::warn!("{} requests did not come to their end", gate.carried.len());
    }
    Ok(())
}

async fn router(service: Service, gate: GateLayer) -> Result<Router<Stack<GateLayer, Identity>>, ServeError> {
    let (health_reporter, health) = tonic_health::server::health_reporter();
    health_reporter.set_serving::<LoaderControlServer<Service>>().await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(loader_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // The details of errors, so that other clients can show them.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("loader.v1.LoaderControl")
            .with_service_name("grpc.health.v1.Health")
    };
    Ok(Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .max_concurrent_streams(MOST_STREAMS)
        .layer(gate)
        .add_service(LoaderControlServer::new(service).max_decoding_message_size(MAX_REQUEST))
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}
