//! A function as an invoker calls it.

use std::sync::Arc;

use super::protocol::{Exchange, Protocol};
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

/// An endpoint that can't be called.
#[derive(Debug, thiserror::Error)]
#[error("{authority:?} is no host name to call a function by: {source}")]
pub struct BadEndpoint {
    authority: String,
    source: http::Error,
}

impl Route {
    /// Prepares calls to `endpoint`, which speaks `protocol`.
    ///
    /// # Errors
    /// An authority that no URI can hold.
    pub fn new(endpoint: &Endpoint, protocol: Protocol) -> Result<Self, BadEndpoint> {
        let Endpoint { address, authority, tls } = endpoint;
        let bad = |source| BadEndpoint { authority: authority.clone(), source };
        let host = endpoint.uri("/").map_err(bad)?.host().unwrap_or_default().to_owned();
        let exchange = protocol.prepare(endpoint).map_err(bad)?;
        Ok(Self {
            address: address.clone(),
            function: format!("{address} {authority}"),
            host,
            tls: tls.as_ref().map(|tls| tls.speaking(exchange.version())),
            exchange,
        })
    }
}
