//! The address of the page, as `loaderctl dashboard` gets it.

use tokio::time::Instant;

use crate::access::{CODE_LIFE, Credentials, Guard, ListenerKind, Peer, Role, Sessions, TooMany};

/// The address of the page, with what it takes to be let in.
#[derive(Debug, Clone)]
pub struct Entrance {
    /// Such as `http://127.0.0.1:9480`.
    pub address: String,
    /// Who may read.
    pub guard: Guard,
    /// Where its codes are exchanged.
    pub sessions: Sessions,
}

impl Entrance {
    /// The address for a caller with these credentials, and for how many seconds it can be used. Where everybody who reaches the page
    /// may read it, that is always; else the address has a code, which opens one session.
    ///
    /// # Errors
    /// Too many codes are waiting.
    pub fn open(&self, credentials: Credentials, caller: &str, now: Instant) -> Result<(String, Option<u64>), TooMany> {
        let anybody = Peer { listener: ListenerKind::Loopback, address: None, certificate: None };
        let anybody = Credentials { peer: anybody, token: None };
        if self.address.starts_with("http://") && self.guard.allows(&anybody, Role::Read) {
            return Ok((format!("{}/", self.address), None));
        }
        let code = self.sessions.code(credentials, caller, now)?;
        Ok((format!("{}/#code={code}", self.address), Some(CODE_LIFE.as_secs())))
    }
}
