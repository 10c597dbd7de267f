//! Who a caller is, and what it may do.

use std::{collections::BTreeMap, net::SocketAddr};

use super::{Digest, Role, Token};

/// By which way a connection came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// The Unix socket, whose file says who may open it.
    Socket {
        /// The process's user, where the kernel tells.
        uid: Option<u32>,
    },
    /// TCP on loopback, without TLS.
    Loopback,
    /// TLS.
    Tls,
}

/// What is known of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its way in.
    pub listener: ListenerKind,
    /// Where it comes from, over TCP.
    pub address: Option<SocketAddr>,
    /// The name (CN) in its certificate, which was vouched for.
    pub certificate: Option<String>,
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// As the log says it.
    pub name: String,
    /// What it may do; `None`: nothing but ask for health.
    pub role: Option<Role>,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not known who asks.
    #[error("{0}")]
    Unknown(&'static str),
    /// It is known, and not enough.
    #[error("{caller} has the role {}; this needs {needed}", role.map_or("none".to_owned(), |role| role.to_string()))]
    NotEnough {
        /// Who asks.
        caller: String,
        /// What it has.
        role: Option<Role>,
        /// What it would need.
        needed: Role,
    },
    /// It asks too often.
    #[error("{caller} makes more requests a second than [access] requests_per_second allows")]
    TooMany {
        /// Who asks.
        caller: String,
    },
}

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What those may do who open the Unix socket.
    pub socket: Option<Role>,
    /// What those may do who come over loopback without TLS.
    pub loopback: Option<Role>,
    /// Tokens.
    pub tokens: Vec<Token>,
    /// Names in certificates, and what their owners may do.
    pub certificates: BTreeMap<String, Role>,
}

impl Default for Policy {
    /// The listeners that this machine guards are open, and there is no other.
    fn default() -> Self {
        Self {
            socket: Some(Role::Admin),
            loopback: Some(Role::Admin),
            tokens: Vec::new(),
            certificates: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// Who asks: by its token, else by its certificate, else by its way in.
    ///
    /// # Errors
    /// A token or certificate that is not known, and no sign of who it is where one is needed.
    pub fn caller(&self, peer: &Peer, authorization: Option<&[u8]>) -> Result<Caller, Refusal> {
        if let Some(authorization) = authorization {
            return self.bearer(authorization);
        }
        if let Some(name) = &peer.certificate {
            let role = self.certificates.get(name);
            let role =
                role.ok_or(Refusal::Unknown("the certificate's name (CN) has no role in [access.certificates]"))?;
            return Ok(Caller { name: name.clone(), role: Some(*role) });
        }
        match peer.listener {
            ListenerKind::Socket { uid } => {
                let name = uid.map_or("socket".to_owned(), |uid| format!("uid {uid}"));
                Ok(Caller { name, role: self.socket })
            }
            ListenerKind::Loopback => Ok(Caller { name: "loopback".to_owned(), role: self.loopback }),
            ListenerKind::Tls => Err(Refusal::Unknown("a bearer token or a client certificate is needed")),
        }
    }

    fn bearer(&self, authorization: &[u8]) -> Result<Caller, Refusal> {
        let (scheme, token) = authorization.split_at_checked("Bearer ".len()).unwrap_or((authorization, &[]));
        if !scheme.eq_ignore_ascii_case(b"Bearer ") {
            return Err(Refusal::Unknown("authorization must be \"Bearer TOKEN\""));
        }
        let digest = Digest::of(token.trim_ascii());
        // Every token is looked at, so that the time says nothing.
        let found =
            self.tokens.iter().fold(None, |found, token| if token.digest.is(&digest) { Some(token) } else { found });
        let token = found.ok_or(Refusal::Unknown("the token is not known"))?;
        Ok(Caller { name: token.name.clone(), role: Some(token.role) })
    }
}

impl Caller {
    /// # Errors
    /// A role that is not enough.
    pub fn check(&self, needed: Option<Role>) -> Result<(), Refusal> {
        match needed {
            Some(needed) if self.role.is_none_or(|role| role < needed) => {
                Err(Refusal::NotEnough { caller: self.name.clone(), role: self.role, needed })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            tokens: vec![
                Token { name: "ci".to_owned(), role: Role::Submit, digest: Digest::of(b"secret") },
                Token { name: "board".to_owned(), role: Role::Read, digest: Digest::of(b"other") },
            ],
            certificates: [("alice".to_owned(), Role::Admin)].into(),
            loopback: Some(Role::Read),
            ..Policy::default()
        }
    }

    fn peer(listener: ListenerKind, certificate: Option<&str>) -> Peer {
        Peer { listener, address: None, certificate: certificate.map(str::to_owned) }
    }

    #[test]
    fn callers_are_known_by_token_certificate_or_listener() {
        let policy = policy();
        let ask = |listener, certificate, authorization: Option<&str>| {
            let caller = policy.caller(&peer(listener, certificate), authorization.map(str::as_bytes));
            caller.map(|caller| (caller.name, caller.role)).map_err(|refusal| refusal.to_string())
        };
        let socket = ListenerKind::Socket { uid: Some(7) };
        assert_eq!(ask(socket, None, None), Ok(("uid 7".to_owned(), Some(Role::Admin))));
        assert_eq!(ask(ListenerKind::Loopback, None, None), Ok(("loopback".to_owned(), Some(Role::Read))));
        assert_eq!(ask(ListenerKind::Tls, None, Some("Bearer secret")), Ok(("ci".to_owned(), Some(Role::Submit))));
        assert_eq!(
            ask(ListenerKind::Loopback, None, Some("bearer other ")),
            Ok(("board".to_owned(), Some(Role::Read)))
        );
        assert_eq!(ask(ListenerKind::Tls, Some("alice"), None), Ok(("alice".to_owned(), Some(Role::Admin))));
        for (listener, certificate, authorization) in [
            (ListenerKind::Tls, None, None),
            (ListenerKind::Tls, Some("mallory"), None),
            (ListenerKind::Tls, Some("alice"), Some("Bearer wrong")),
            // A wrong token is refused by every listener.
            (socket, None, Some("Bearer wrong")),
            (ListenerKind::Tls, None, Some("Bearer ")),
            (ListenerKind::Tls, None, Some("Basic secret")),
            (ListenerKind::Tls, None, Some("")),
        ] {
            assert!(ask(listener, certificate, authorization).is_err(), "{certificate:?} {authorization:?}");
        }
    }

    #[test]
    fn a_role_must_be_enough() {
        let caller = |role| Caller { name: "x".to_owned(), role };
        assert_eq!(caller(Some(Role::Submit)).check(Some(Role::Read)), Ok(()));
        assert_eq!(caller(Some(Role::Submit)).check(Some(Role::Submit)), Ok(()));
        let words = caller(Some(Role::Submit)).check(Some(Role::Admin)).expect_err("it is not").to_string();
        assert_eq!(words, "x has the role submit; this needs admin");
        assert_eq!(caller(None).check(None), Ok(()));
        assert!(caller(None).check(Some(Role::Read)).is_err());
    }
}
