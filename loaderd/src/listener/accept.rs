//! The accept loop, with TLS handshakes.

use std::{fs, io, sync::Arc, time::Duration};

use tokio::{
    net::TcpStream,
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Connection, Listener, Security, socket::Socket};

/// Most open connections of a listener; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 1024;

/// How long the TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Delay after a failed accept, such as without free file descriptors.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Accepts connections until `end`, and passes them on. The file of a Unix socket is removed at the end.
pub async fn accept(listener: Listener, connections: mpsc::Sender<io::Result<Connection>>, end: CancellationToken) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut handshakes = JoinSet::new();
    let file = listener.file.clone();
    loop {
        let accepted = tokio::select! {
            () = end.cancelled() => break,
            Some(_) = handshakes.join_next() => continue,
            accepted = next(&listener, &permits) => accepted,
        };
        match accepted {
            Ok(Accepted::Ready(connection)) => {
                if connections.send(Ok(connection)).await.is_err() {
                    break;
                }
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
    Handshake(std::pin::Pin<Box<dyn Future<Output = io::Result<Connection>> + Send>>),
}

async fn next(listener: &Listener, permits: &Arc<Semaphore>) -> io::Result<Accepted> {
    let permit = Arc::clone(permits).acquire_owned().await.map_err(io::Error::other)?;
    match &listener.socket {
        Socket::Unix(socket) => Ok(Accepted::Ready(Connection::unix(socket.accept().await?.0, permit))),
        Socket::Tcp(socket) => {
            let (stream, address): (TcpStream, _) = socket.accept().await?;
            // Without it the connection is only slower.
            let _slower = stream.set_nodelay(true);
            match &listener.security {
                Security::Plain => Ok(Accepted::Ready(Connection::tcp(stream, address, permit))),
                Security::Tls(certificates, alpn) => {
                    let handshake = certificates.acceptor(*alpn).accept(stream);
                    Ok(Accepted::Handshake(Box::pin(async move {
                        let stream = timeout(HANDSHAKE_TIMEOUT, handshake).await??;
                        Ok(Connection::tls(stream, address, permit))
                    })))
                }
            }
        }
    }
}
