//! Listening sockets: bound here, or passed by the service manager.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net::UnixStream as StdUnixStream,
    },
    path::{Path, PathBuf},
};

use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener};

use super::{Alpn, Certificates};

/// Mode of the Unix socket: open to its user and group.
const SOCKET_MODE: u32 = 0o660;

/// A socket cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ListenError {
    /// The address or path.
    pub address: String,
    /// The error of the operating system.
    pub source: io::Error,
}

pub(super) enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// How connections of a listener are secured.
#[derive(Debug, Clone)]
pub enum Security {
    /// Not secured; for loopback only.
    Plain,
    /// TLS, with these certificates and this protocol.
    Tls(Certificates, Alpn),
}

/// A socket that accepts connections.
pub struct Listener {
    pub(super) socket: Socket,
    pub(super) security: Security,
    /// The file of a Unix socket, which is removed at the end.
    pub(super) file: Option<PathBuf>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Listener").field(&self.address()).finish()
    }
}

impl Listener {
    /// Listens on a TCP address.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn tcp(address: SocketAddr, security: Security) -> Result<Self, ListenError> {
        let bound = TcpListener::bind(address).await;
        let bound = bound.map_err(|source| ListenError { address: address.to_string(), source })?;
        Ok(Self { socket: Socket::Tcp(bound), security, file: None })
    }

    /// Listens on a Unix socket; replaces one that a dead process left.
    ///
    /// # Errors
    /// The path cannot be listened on.
    pub fn unix(path: &Path) -> Result<Self, ListenError> {
        let bound = bind(path).map_err(|source| ListenError { address: path.display().to_string(), source })?;
        Ok(Self { socket: Socket::Unix(bound), security: Security::Plain, file: Some(path.to_owned()) })
    }

    /// The address, as `loaderctl --address` takes it.
    pub fn address(&self) -> String {
        let scheme = match self.security {
            Security::Plain => "http",
            Security::Tls(..) => "https",
        };
        match &self.socket {
            Socket::Tcp(listener) => {
                listener.local_addr().map_or_else(|error| error.to_string(), |address| format!("{scheme}://{address}"))
            }
            Socket::Unix(listener) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                format!("unix:{}", path.unwrap_or(Path::new("?")).display())
            }
        }
    }

    /// Whether it is a Unix socket.
    pub fn is_unix(&self) -> bool {
        matches!(self.socket, Socket::Unix(_))
    }
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    let left_behind = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if left_behind {
        if StdUnixStream::connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens on it"));
        }
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE))?;
    Ok(listener)
}

/// The sockets that the service manager passes. Without `certificates`, TCP addresses must be loopback.
///
/// # Errors
/// A socket of another kind, or one on another address without TLS.
pub fn inherited(certificates: Option<&Certificates>) -> Result<Vec<Listener>, ListenError> {
    let failed = |source| ListenError { address: "a socket of the service manager".to_owned(), source };
    let mut inherited = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..inherited.len() {
        let listener = match inherited.take_unix_listener(index) {
            Ok(Some(socket)) => {
                socket.set_nonblocking(true).map_err(failed)?;
                let socket = Socket::Unix(UnixListener::from_std(socket).map_err(failed)?);
                Listener { socket, security: Security::Plain, file: None }
            }
            Ok(None) => continue,
            Err(_) => {
                let Some(socket) = inherited.take_tcp_listener(index).map_err(failed)? else { continue };
                socket.set_nonblocking(true).map_err(failed)?;
                let address = socket.local_addr().map_err(failed)?;
                let security = match certificates {
                    Some(certificates) => Security::Tls(certificates.clone(), Alpn::Http2),
                    None if address.ip().is_loopback() => Security::Plain,
                    None => {
                        let source = io::Error::other("not a loopback address, and TLS is not configured: see [tls]");
                        return Err(ListenError { address: address.to_string(), source });
                    }
                };
                Listener { socket: Socket::Tcp(TcpListener::from_std(socket).map_err(failed)?), security, file: None }
            }
        };
        listeners.push(listener);
    }
    Ok(listeners)
}
