//! The connection to the coordinator.

use std::{error::Error, io, iter, time::Duration};

use http::Uri;
use hyper_util::rt::TokioIo;
use loader_proto::worker::loader_workers_client::LoaderWorkersClient;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, rustls, rustls::pki_types::ServerName};
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

/// There is no connection to the coordinator.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoConnection {
    /// Another try may do better.
    #[error("{0}")]
    Failed(String),
    /// Whoever listens there is not the coordinator of this run.
    #[error("the certificate of the coordinator at {coordinator} is not trusted: {error}")]
    Untrusted {
        /// Its address.
        coordinator: String,
        /// What is wrong with the certificate.
        error: rustls::Error,
    },
}

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
pub(super) async fn connect(settings: &Settings) -> Result<Client, NoConnection> {
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", settings.token)
        .parse()
        .map_err(|_| NoConnection::Failed("the token has characters that none has".to_owned()))?;
    value.set_sensitive(true);
    let failed = |error: tonic::transport::Error| match untrusted(&error) {
        Some(error) => NoConnection::Untrusted { coordinator: settings.coordinator.clone(), error: error.clone() },
        None => NoConnection::Failed(error_chain::of(&error)),
    };
    let endpoint = Endpoint::from_shared(format!("http://{}", settings.coordinator))
        .map_err(failed)?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE);
    let channel = match settings.tls.clone() {
        None => endpoint.connect().await,
        Some(tls) => endpoint.connect_with_connector(service_fn(move |uri| secured(uri, tls.clone()))).await,
    };
    let client = LoaderWorkersClient::with_interceptor(channel.map_err(failed)?, Bearer(value));
    Ok(client.max_decoding_message_size(LARGEST))
}

/// What is wrong with the certificate that was presented; absent when something else is.
fn untrusted<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    iter::successors(Some(error), |cause| (*cause).source()).find_map(|cause| {
        let inside = || cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
        let error: Option<&rustls::Error> = cause.downcast_ref().or_else(inside);
        error.filter(|error| matches!(error, rustls::Error::InvalidCertificate(_)))
    })
}

async fn secured(uri: Uri, tls: Tls) -> io::Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or_default())).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(TlsConnector::from(tls.config).connect(name, stream).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("transport error")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_certificate_is_untrusted_and_all_else_may_do_better_next_time() {
        let of = |error: rustls::Error| Outer(io::Error::new(io::ErrorKind::InvalidData, error));
        let unknown = || rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert_eq!(untrusted(&of(unknown())), Some(&unknown()));
        assert_eq!(untrusted(&unknown()), Some(&unknown()));
        assert_eq!(untrusted(&of(rustls::Error::DecryptError)), None);
        assert_eq!(untrusted(&Outer(io::Error::other("reset"))), None);
    }
}
