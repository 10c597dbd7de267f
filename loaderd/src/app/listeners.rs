//! Opens the daemon's listeners.

use std::net::SocketAddr;

use crate::{
    config::Config,
    listener::{self, Alpn, Certificates, ListenError, Listener, Security},
};

/// The listeners of the daemon.
pub(super) struct Listeners {
    pub(super) control: Vec<Listener>,
    pub(super) metrics: Option<Listener>,
}

impl Listeners {
    /// Takes the sockets that the service manager passes, and opens those of the configuration.
    pub(super) async fn open(config: &Config, certificates: Option<&Certificates>) -> Result<Self, ListenError> {
        let security = |address: &SocketAddr, alpn| match certificates {
            // Other addresses have TLS: the configuration was checked.
            Some(certificates) if config.tls.loopback || !address.ip().is_loopback() => {
                Security::Tls(certificates.clone(), alpn)
            }
            _ => Security::Plain,
        };
        let mut control = listener::inherited(certificates)?;
        let inherited = control.iter().any(Listener::is_unix);
        for address in &config.listen {
            control.push(Listener::tcp(*address, security(address, Alpn::Http2)).await?);
        }
        if let Some(path) = config.socket.as_ref().filter(|_| !inherited) {
            control.push(Listener::unix(path)?);
        }
        let metrics = match &config.metrics_listen {
            Some(address) => Some(Listener::tcp(*address, security(address, Alpn::Http1)).await?),
            None => None,
        };
        Ok(Self { control, metrics })
    }
}
