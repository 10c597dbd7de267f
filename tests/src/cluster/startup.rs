//! An API server that goes away and comes back: refused connections, then a while in which it refuses what is allowed.
//!
//! `403-just-after-apiserver-start.audit.json`: 24 ms after its start the authoriser has not read the roles yet. What is not built in
//! is served once the custom resources have been read; until then its paths are unknown.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use super::rbac::Attributes;

/// What an API server that has just come back answers to requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Early {
    /// 503: it does not serve yet. Not recorded: as Kubernetes' API conventions have it.
    Unavailable,
    /// 403: the roles have not been read.
    Forbidden,
    /// 404 with a page: the custom resources have not been read.
    Unserved,
}

impl Early {
    /// Whether it refuses a request as forbidden.
    pub(super) fn forbids(early: Option<Self>) -> bool {
        early == Some(Self::Forbidden)
    }

    /// Whether it answers no request.
    pub(super) fn refuses(early: Option<Self>) -> bool {
        early == Some(Self::Unavailable)
    }

    /// Whether it does not know the resource of a request.
    pub(super) fn hides(early: Option<Self>, asked: &Attributes<'_>) -> bool {
        early == Some(Self::Unserved) && asked.group.ends_with("knative.dev")
    }
}

/// A port that is listened on time and again, and stays closed meanwhile.
#[derive(Debug)]
pub(super) struct Port {
    held: TcpSocket,
}

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

impl Port {
    /// Holds a port of the system's choice on loopback.
    pub(super) fn hold() -> Self {
        Self { held: bound(([127, 0, 0, 1], 0).into()) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.held.local_addr().expect("it is bound")
    }

    /// Listens until the listener is dropped.
    pub(super) fn listen(&self) -> TcpListener {
        bound(self.address()).listen(BACKLOG).expect("nobody else has it")
    }
}

/// A socket that shares its port with others, of which one may listen.
fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a TCP socket has this option");
    socket.bind(address).expect("a port");
    socket
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_port_refuses_connections_while_nobody_listens() {
        let port = Port::hold();
        for _ in 0..3 {
            assert!(TcpStream::connect(port.address()).await.is_err());
            let listener = port.listen();
            let (connected, accepted) = tokio::join!(TcpStream::connect(port.address()), listener.accept());
            connected.expect("is accepted");
            accepted.expect("accepts");
        }
    }

    #[test]
    fn what_is_built_in_is_served_first() {
        let asked = |group| Attributes { verb: "list", group, resource: "services", ..Attributes::default() };
        assert!(Early::hides(Some(Early::Unserved), &asked("serving.knative.dev")));
        assert!(!Early::hides(Some(Early::Unserved), &asked("")));
        assert!(Early::refuses(Some(Early::Unavailable)) && !Early::refuses(Some(Early::Forbidden)));
        assert!(!Early::hides(None, &asked("serving.knative.dev")) && !Early::forbids(None));
    }
}
