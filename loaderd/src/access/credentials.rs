//! What a caller is known by.

use super::{Digest, Peer, Refusal};

/// What a caller is known by. A session of the page keeps them, so that each of its requests is judged by the policy in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The other end of the connection.
    pub peer: Peer,
    /// The digest of its bearer token, which takes precedence.
    pub token: Option<Digest>,
}

impl Credentials {
    /// Those of a request, by its connection and its `authorization` header.
    ///
    /// # Errors
    /// A header of another scheme.
    pub fn of(peer: &Peer, authorization: Option<&[u8]>) -> Result<Self, Refusal> {
        let token = authorization.map(bearer).transpose()?;
        Ok(Self { peer: peer.clone(), token })
    }
}

/// The digest of the token in an `authorization` header.
fn bearer(authorization: &[u8]) -> Result<Digest, Refusal> {
    let (scheme, token) = authorization.split_at_checked("Bearer ".len()).unwrap_or((authorization, &[]));
    if !scheme.eq_ignore_ascii_case(b"Bearer ") {
        return Err(Refusal::Unknown("authorization must be \"Bearer TOKEN\""));
    }
    Ok(Digest::of(token.trim_ascii()))
}
