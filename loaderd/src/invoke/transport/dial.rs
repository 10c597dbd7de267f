//! Makes a TCP connection to a function's address, with TLS where the endpoint requires it.

use std::{fmt::Display, io, sync::Arc, time::Duration};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{self, pki_types::ServerName},
};

use super::{
    count::Counted,
    sharing::Setup,
    stamped::{Receipt, Stamped},
};
use crate::{
    endpoint::Tls,
    invoke::{
        outcome::{Failure, Status},
        route::Route,
    },
};

/// A connection on which nothing has been sent yet.
pub(super) enum Dialled {
    Plain(Stamped),
    Secured(Box<TlsStream<Stamped>>),
}

/// Connects to `route`; what arrives is noted in `receipt`.
pub(super) async fn dial(route: &Route, receipt: &Receipt, setup: &Setup) -> Result<Dialled, Failure> {
    let failed = |what: &dyn Display| refused(route, what);
    let _connecting = Counted::new(&setup.count.connecting);
    let stream = TcpStream::connect(&route.address).await.map_err(|error| failed(&error))?;
    stream.set_nodelay(true).map_err(|error| failed(&error))?;
    let stream = Stamped::new(stream, receipt.clone(), setup.clock);
    let Some(Tls { config, roots_pem: _ }) = &route.tls else { return Ok(Dialled::Plain(stream)) };
    let name = ServerName::try_from(route.host.clone()).map_err(|error| failed(&error))?;
    let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
    stream.map(|stream| Dialled::Secured(Box::new(stream))).map_err(|error| match is_not_tls(&error) {
        true => failed(&format!("the peer does not speak TLS: {error}")),
        false => failed(&error),
    })
}

/// Whether the peer's answer to the handshake was not TLS.
fn is_not_tls(error: &io::Error) -> bool {
    let source = error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>());
    matches!(source, Some(rustls::Error::InvalidMessage(_)))
}

/// The failure of a connection to `route` that could not be made.
pub(super) fn refused(route: &Route, what: &dyn Display) -> Failure {
    Failure::new(Status::ConnectError, format!("{}: {what}", route.address))
}

/// The failure of a connection to `route` that was not made within `allowed`.
pub(super) fn late(route: &Route, allowed: Duration) -> Failure {
    let allowed = humantime::format_duration(allowed);
    Failure::new(Status::ConnectTimeout, format!("no connection to {} within {allowed}", route.address))
}
