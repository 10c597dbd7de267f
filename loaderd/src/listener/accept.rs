//! Takes connections, and greets those that come by TLS.

use std::{fs, io, sync::Arc, time::Duration};

use tokio::{
    net::TcpStream,
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Connection, Listener, Security, socket::Socket};

/// Most connections of a listener at the same time; further ones wait to be accepted.
const MOST_CONNECTIONS: usize = 1024;

/// How long the TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// After a failed accept, such as for want of file descriptors.
const RETRY: Duration = Duration::from_millis(100);

/// Takes connections until `end`, and hands them on. A Unix socket's file is gone then.
pub async fn accept(listener: Listener, connections: mpsc::Sender<io::Result<Connection>>, end: CancellationToken) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut greeting = JoinSet::new();
    let file = listener.file.clone();
    loop {
        let accepted = tokio::select! {
            () = end.cancelled() => break,
            Some(_) = greeting.join_next() => continue,
            accepted = next(&listener, &places) => accepted,
        };
        match accepted {
            Ok(Accepted::Ready(connection)) => {
                if connections.send(Ok(connection)).await.is_err() {
                    break;
                }
            }
            Ok(Accepted::Greet(greet)) => {
                let connections = connections.clone();
                greeting.spawn(async move {
                    match greet.await {
                        // Whoever served them has ended.
                        Ok(connection) => drop(connections.send(Ok(connection)).await),
                        Err(error) => log::debug!("a TLS connection came to nothing: {error}"),
                    }
                });
            }
            Err(error) => {
                log::warn!("cannot accept a connection at {}: {error}", listener.address());
                sleep(RETRY).await;
            }
        }
    }
    greeting.shutdown().await;
    drop(listener);
    if let Some(file) = file {
        // It may be gone already.
        let _gone = fs::remove_file(file);
    }
}

enum Accepted {
    Ready(Connection),
    Greet(std::pin::Pin<Box<dyn Future<Output = io::Result<Connection>> + Send>>),
}

async fn next(listener: &Listener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    let permit = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    match &listener.socket {
        Socket::Unix(socket) => Ok(Accepted::Ready(Connection::unix(socket.accept().await?.0, permit))),
        Socket::Tcp(socket) => {
            let (stream, address): (TcpStream, _) = socket.accept().await?;
            // Only a matter of speed.
            let _slower = stream.set_nodelay(true);
            match &listener.security {
                Security::Plain => Ok(Accepted::Ready(Connection::tcp(stream, address, permit))),
                Security::Tls(certificates, alpn) => {
                    let greeted = certificates.acceptor(*alpn).accept(stream);
                    Ok(Accepted::Greet(Box::pin(async move {
                        let stream = timeout(HANDSHAKE, greeted).await??;
                        Ok(Connection::tls(stream, address, permit))
                    })))
                }
            }
        }
    }
}
