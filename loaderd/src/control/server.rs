//! The listeners of the control API, and what is served on them: the service, health, and reflection.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::{fs::FileTypeExt as _, net::UnixStream as StdUnixStream},
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::StreamExt as _;
use loader_proto::v1::loader_control_server::LoaderControlServer;
use tokio::{
    net::{TcpListener, UnixListener},
    task::JoinSet,
};
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::Router};

use super::Service;

/// Largest request, in bytes: a spec, or a piece of an upload.
const MAX_REQUEST: usize = 4 << 20;

/// How often a silent connection is asked whether it still lives.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long open streams are given to end when the daemon ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// Why the control API can't be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address or path.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// Reflection can't be set up.
    #[error("cannot set up reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Where to listen.
#[derive(Debug, Clone, Default)]
pub struct Listeners {
    /// TCP addresses.
    pub tcp: Vec<SocketAddr>,
    /// A Unix socket.
    pub unix: Option<PathBuf>,
}

/// Sockets that are bound.
#[derive(Debug)]
pub struct Bound {
    tcp: Vec<TcpListener>,
    unix: Option<(UnixListener, PathBuf)>,
}

impl Listeners {
    /// Binds every listener, or none.
    ///
    /// # Errors
    /// The first address that can't be listened on.
    pub async fn bind(&self) -> Result<Bound, ServeError> {
        let failed = |address: String| move |source| ServeError::Listen { address, source };
        let mut tcp = Vec::new();
        for address in &self.tcp {
            tcp.push(TcpListener::bind(address).await.map_err(failed(address.to_string()))?);
        }
        let unix = match &self.unix {
            Some(path) => Some((bind_unix(path).map_err(failed(path.display().to_string()))?, path.clone())),
            None => None,
        };
        Ok(Bound { tcp, unix })
    }
}

/// Binds a Unix socket, in the place of one that a dead process left.
fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let left_behind = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if left_behind {
        if StdUnixStream::connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process serves there"));
        }
        fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

impl Bound {
    /// The addresses that are listened on, as `loaderctl --address` takes them.
    pub fn addresses(&self) -> Vec<String> {
        let tcp = self.tcp.iter().filter_map(|listener| listener.local_addr().ok());
        let unix = self.unix.iter().map(|(_, path)| format!("unix:{}", path.display()));
        tcp.map(|address| format!("http://{address}")).chain(unix).collect()
    }

    /// Serves until `shutdown`; then takes no new connections, and gives open streams a moment.
    ///
    /// # Errors
    /// Reflection that can't be set up.
    pub async fn serve(self, service: Service, shutdown: CancellationToken) -> Result<(), ServeError> {
        let mut serving = JoinSet::new();
        for listener in self.tcp {
            let router = router(service.clone()).await?;
            let (incoming, end) = (TcpListenerStream::new(listener), shutdown.clone().cancelled_owned());
            let incoming = incoming.inspect(|stream| {
                if let Ok(stream) = stream {
                    // Only a matter of speed.
                    let _slower = stream.set_nodelay(true);
                }
            });
            serving.spawn(router.serve_with_incoming_shutdown(incoming, end));
        }
        let socket = match self.unix {
            Some((listener, path)) => {
                let router = router(service).await?;
                let end = shutdown.clone().cancelled_owned();
                serving.spawn(router.serve_with_incoming_shutdown(UnixListenerStream::new(listener), end));
                Some(path)
            }
            None => None,
        };
        shutdown.cancelled().await;
        let ended = async { while serving.join_next().await.is_some() {} };
        if tokio::time::timeout(GOODBYE, ended).await.is_err() {
            log::info!("closing connections whose clients still listen");
        }
        serving.shutdown().await;
        if let Some(path) = socket {
            // It may be gone already.
            let _gone = fs::remove_file(path);
        }
        Ok(())
    }
}

async fn router(service: Service) -> Result<Router, ServeError> {
    let (health_reporter, health) = tonic_health::server::health_reporter();
    health_reporter.set_serving::<LoaderControlServer<Service>>().await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(loader_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // What refusals carry, so that foreign clients can show it.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("loader.v1.LoaderControl")
            .with_service_name("grpc.health.v1.Health")
    };
    Ok(Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .add_service(LoaderControlServer::new(service).max_decoding_message_size(MAX_REQUEST))
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}
