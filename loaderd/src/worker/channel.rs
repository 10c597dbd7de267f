//! The connection to the coordinator.

use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use loader_proto::worker::loader_workers_client::LoaderWorkersClient;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use tower::service_fn;

use super::Settings;
use crate::{endpoint::Tls, error_chain};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the connection is tried while nothing comes, and how long an answer may take.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Largest message of a coordinator: the assignment of a plan with many functions.
const LARGEST: usize = 64 << 20;

/// The coordinator as a worker calls it.
pub(super) type Client = LoaderWorkersClient<InterceptedService<Channel, Bearer>>;

/// Shows the run's token with each call.
#[derive(Clone)]
pub(super) struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Connects to the coordinator.
///
/// # Errors
/// Why it can't be reached.
pub(super) async fn connect(settings: &Settings) -> Result<Client, String> {
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", settings.token)
        .parse()
        .map_err(|_| "the token has characters that none has".to_owned())?;
    value.set_sensitive(true);
    let shown = |error: tonic::transport::Error| error_chain::of(&error);
    let endpoint = Endpoint::from_shared(format!("http://{}", settings.coordinator))
        .map_err(shown)?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE);
    let channel = match settings.tls.clone() {
        None => endpoint.connect().await,
        Some(tls) => endpoint.connect_with_connector(service_fn(move |uri| secured(uri, tls.clone()))).await,
    };
    let client = LoaderWorkersClient::with_interceptor(channel.map_err(shown)?, Bearer(value));
    Ok(client.max_decoding_message_size(LARGEST))
}

async fn secured(uri: Uri, tls: Tls) -> std::io::Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or_default())).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(TlsConnector::from(tls.config).connect(name, stream).await?))
}
