//! The accept loop, with TLS handshakes.

use std::{fs, io, time::Duration};

use tokio::{
    net::TcpStream,
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Bounds, Connection, Listener, Security,
    places::{Places, Who},
    socket::Socket,
};

/// How long the TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Delay after a failed accept, such as without free file descriptors.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Accepts connections until `end`, and passes them on; those beyond `bounds` are closed. The file of a Unix socket is removed at the
/// end.
pub async fn accept(
    listener: Listener,
    bounds: Bounds,
    connections: mpsc::Sender<io::Result<Connection>>,
    end: CancellationToken,
) {
    let places = Places::new(bounds);
    let mut handshakes = JoinSet::new();
    let file = listener.file.clone();
    loop {
        let accepted = tokio::select! {
            () = end.cancelled() => break,
            Some(_) = handshakes.join_next() => continue,
            accepted = next(&listener, &places) => accepted,
        };
        match accepted {
            Ok(Accepted::Ready(connection)) => {
                if connections.send(Ok(connection)).await.is_err() {
                    break;
                }
            }
            Ok(Accepted::Full(who)) => {
                let address = listener.address();
                log::warn!(WAY = address.as_str(); "too many connections to {address}: closed one of {who:?}");
            }
            Ok(Accepted::Handshake(handshake)) => {
                let connections = connections.clone();
                handshakes.spawn(async move {
                    match handshake.await {
                        // Fails when the server has ended.
                        Ok(connection) => drop(connections.send(Ok(connection)).await),
                        Err(error) => log::debug!("TLS handshake: {error}"),
                    }
                });
            }
            Err(error) => {
                log::warn!("cannot accept a connection at {}: {error}", listener.address());
                sleep(RETRY_DELAY).await;
            }
        }
    }
    handshakes.shutdown().await;
    drop(listener);
    if let Some(file) = file {
        // It may have been removed already.
        let _missing = fs::remove_file(file);
    }
}

enum Accepted {
    Ready(Connection),
    Full(Who),
    Handshake(std::pin::Pin<Box<dyn Future<Output = io::Result<Connection>> + Send>>),
}

async fn next(listener: &Listener, places: &Places) -> io::Result<Accepted> {
    match &listener.socket {
        Socket::Unix(socket) => {
            let (stream, _) = socket.accept().await?;
            let uid = stream.peer_cred().ok().map(|credentials| credentials.uid());
            let who = Who::user(uid);
            let place = places.take(who);
            Ok(place.map_or(Accepted::Full(who), |place| Accepted::Ready(Connection::unix(stream, uid, place))))
        }
        Socket::Tcp(socket) => {
            let (stream, address): (TcpStream, _) = socket.accept().await?;
            let who = Who::at(address.ip());
            let Some(place) = places.take(who) else { return Ok(Accepted::Full(who)) };
            // Without it the connection is only slower.
            let _slower = stream.set_nodelay(true);
            match &listener.security {
                Security::Plain => Ok(Accepted::Ready(Connection::tcp(stream, address, place))),
                Security::Tls(certificates, alpn) => {
                    let handshake = certificates.acceptor(*alpn).accept(stream);
                    Ok(Accepted::Handshake(Box::pin(async move {
                        let stream = timeout(HANDSHAKE_TIMEOUT, handshake).await??;
                        Ok(Connection::tls(stream, address, place))
                    })))
                }
            }
        }
    }
}
