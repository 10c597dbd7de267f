//! Serves a coordinator's calls, from its listener, until it has ended.

use std::{net::SocketAddr, time::Duration};

use http::uri::Authority;
use loader_proto::worker::loader_workers_server::LoaderWorkersServer;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::Router};

use super::{
    bounds::{MAX_MESSAGE, MOST_STREAMS, SPARE_CONNECTIONS},
    certificate,
    error::NoListener,
    service::Service,
};
use crate::{
    id::RunId,
    listener::{self, Alpn, Bounds, Listener, Security},
    platform::CoordinatorListen,
};

/// How often a silent connection is probed.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// How long it may take to answer.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Accepted connections that wait to be served.
const ACCEPTED: usize = 16;

/// A listener for the workers of a run. Who connects is served once it has a coordinator.
#[derive(Debug)]
pub struct Listening {
    listener: Listener,
    bounds: Bounds,
    /// `host:port` by which workers reach it.
    pub(super) address: String,
    /// The certificate of its CA (PEM); absent without TLS.
    pub(super) ca_pem: Option<String>,
}

fn own_address(listener: &Listener) -> Option<String> {
    let address = listener.address();
    let (_, address) = address.split_once("://")?;
    address.parse::<SocketAddr>().ok().map(|address| address.to_string())
}

/// The host of `host:port`, as certificates have it.
fn host(address: &str) -> Result<String, NoListener> {
    let authority: Authority = address.parse().map_err(|_| NoListener::Address(address.to_owned()))?;
    Ok(authority.host().trim_matches(['[', ']']).to_owned())
}

pub(super) fn router(service: Service) -> Router {
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(MOST_STREAMS)
        .add_service(LoaderWorkersServer::new(service).max_decoding_message_size(MAX_MESSAGE))
}

impl Listening {
    /// Listens for so many workers of a run.
    ///
    /// # Errors
    /// An address that can't be listened on, or is none.
    pub async fn bind(run: &RunId, listen: &CoordinatorListen, workers: u32) -> Result<Self, NoListener> {
        let CoordinatorListen { address, tls, advertise } = listen;
        let (security, ca_pem) = if *tls {
            let named = advertise.clone().unwrap_or_else(|| address.to_string());
            let (certificates, ca_pem) = certificate::made(run, &host(&named)?)?;
            (Security::Tls(certificates, Alpn::Http2), Some(ca_pem))
        } else {
            (Security::Plain, None)
        };
        let listener = Listener::tcp(*address, security).await?;
        let own = own_address(&listener);
        let address = advertise.clone().or(own).unwrap_or_else(|| address.to_string());
        // All local workers come from one address; those of a cluster may, too.
        let all = 2 * workers as usize + SPARE_CONNECTIONS;
        Ok(Self { listener, bounds: Bounds { all, each: all, reserve: 0 }, address, ca_pem })
    }

    /// Serves until `end`, and then until all streams have ended.
    pub(super) async fn serve(self, service: Service, end: CancellationToken) {
        let (connections, accepted) = mpsc::channel(ACCEPTED);
        let served =
            router(service).serve_with_incoming_shutdown(ReceiverStream::new(accepted), end.clone().cancelled_owned());
        let ((), served) = tokio::join!(listener::accept(self.listener, self.bounds, connections, end.clone()), served);
        if let Err(error) = served {
            log::error!("the coordinator of workers: {error}");
        }
    }
}
