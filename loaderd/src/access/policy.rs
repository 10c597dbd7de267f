//! Who a caller is, and what it may do.

use std::collections::BTreeMap;

use super::{Credentials, Digest, ListenerKind, Refusal, Role, Token};

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its name, for the log.
    pub name: String,
    /// Its role; `None`: health only.
    pub role: Option<Role>,
}

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Role of callers on the Unix socket.
    pub socket: Option<Role>,
    /// Role of callers over loopback without TLS.
    pub loopback: Option<Role>,
    /// Bearer tokens, each with its owner's name and role.
    pub tokens: Vec<Token>,
    /// Roles by the name (CN) in client certificates.
    pub certificates: BTreeMap<String, Role>,
}

impl Default for Policy {
    /// Full access by Unix socket and loopback, none otherwise.
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
    /// Who has these credentials: by its token, else by its certificate, else by its listener.
    ///
    /// # Errors
    /// An unknown token or certificate, or neither where one is needed.
    pub fn holder(&self, credentials: &Credentials) -> Result<Caller, Refusal> {
        let Credentials { peer, token } = credentials;
        if let Some(token) = token {
            return self.bearer(token);
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

    fn bearer(&self, digest: &Digest) -> Result<Caller, Refusal> {
        // Every token is compared, so that the time reveals nothing.
        let found =
            self.tokens.iter().fold(None, |found, token| if token.digest.is(digest) { Some(token) } else { found });
        let token = found.ok_or(Refusal::Unknown("the token is not known"))?;
        Ok(Caller { name: token.name.clone(), role: Some(token.role) })
    }
}

impl Caller {
    /// Checks that the caller has the `needed` role.
    ///
    /// # Errors
    /// A role that is not sufficient.
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
    use crate::access::Peer;

    fn policy() -> Policy {
        Policy {
            tokens: vec![
                Token { name: "ci".to_owned(), role: Role::Submit, digest: Digest::of(b"secret") },
                Token { name: "dashboard".to_owned(), role: Role::Read, digest: Digest::of(b"other") },
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
            let credentials = Credentials::of(&peer(listener, certificate), authorization.map(str::as_bytes));
            let caller = credentials.and_then(|credentials| policy.holder(&credentials));
            caller.map(|caller| (caller.name, caller.role)).map_err(|refusal| refusal.to_string())
        };
        let socket = ListenerKind::Socket { uid: Some(7) };
        assert_eq!(ask(socket, None, None), Ok(("uid 7".to_owned(), Some(Role::Admin))));
        assert_eq!(ask(ListenerKind::Loopback, None, None), Ok(("loopback".to_owned(), Some(Role::Read))));
        assert_eq!(ask(ListenerKind::Tls, None, Some("Bearer secret")), Ok(("ci".to_owned(), Some(Role::Submit))));
        assert_eq!(
            ask(ListenerKind::Loopback, None, Some("bearer other ")),
            Ok(("dashboard".to_owned(), Some(Role::Read)))
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
    fn an_insufficient_role_is_refused() {
        let caller = |role| Caller { name: "x".to_owned(), role };
        assert_eq!(caller(Some(Role::Submit)).check(Some(Role::Read)), Ok(()));
        assert_eq!(caller(Some(Role::Submit)).check(Some(Role::Submit)), Ok(()));
        let refused = caller(Some(Role::Submit)).check(Some(Role::Admin)).expect_err("it is not").to_string();
        assert_eq!(refused, "x has the role submit; this needs admin");
        assert_eq!(caller(None).check(None), Ok(()));
        assert!(caller(None).check(Some(Role::Read)).is_err());
    }
}
