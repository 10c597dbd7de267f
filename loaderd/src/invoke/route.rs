//! A function as an invoker calls it.

use std::sync::Arc;

use super::{exchange::Exchange, protocol::Protocol};
use crate::endpoint::{Endpoint, Tls};

/// A function as an invoker calls it: an endpoint, parsed once, and what all its requests share.
#[derive(Debug, Clone)]
pub struct Route {
    /// `host:port` to connect to.
    pub address: String,
    /// Names the function among all others.
    pub(super) function: String,
    /// The name that its certificate must be for.
    pub(super) host: String,
    pub(super) exchange: Arc<dyn Exchange>,
    pub(super) tls: Option<Tls>,
}

/// An endpoint that cannot be called.
#[derive(Debug, thiserror::Error)]
#[error("{authority:?} is not a valid host name of a function: {source}")]
pub struct BadEndpoint {
    authority: String,
    source: http::Error,
}

impl BadEndpoint {
    fn new(endpoint: &Endpoint, source: http::Error) -> Self {
        Self { authority: endpoint.authority.clone(), source }
    }
}

impl Route {
    /// Prepares calls to `endpoint`, which speaks `protocol`.
    ///
    /// # Errors
    /// An authority that no URI can hold.
    pub fn new(endpoint: &Endpoint, protocol: Protocol) -> Result<Self, BadEndpoint> {
        let exchange = protocol.prepare(endpoint).map_err(|source| BadEndpoint::new(endpoint, source))?;
        Self::with_exchange(endpoint, exchange)
    }

    /// Prepares calls to `endpoint` by `exchange`.
    pub(super) fn with_exchange(endpoint: &Endpoint, exchange: Arc<dyn Exchange>) -> Result<Self, BadEndpoint> {
        let uri = endpoint.uri("/").map_err(|source| BadEndpoint::new(endpoint, source))?;
        let Endpoint { address, authority, tls } = endpoint;
        Ok(Self {
            address: address.clone(),
            function: format!("{address} {authority}"),
            host: uri.host().unwrap_or_default().to_owned(),
            tls: tls.as_ref().map(|tls| tls.speaking(exchange.version())),
            exchange,
        })
    }
}
