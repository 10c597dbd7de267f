//! The secret by which a coordinator knows the workers of its run: drawn for the run, and worth nothing after it.

use std::{fmt, sync::Arc};

use rand::RngExt as _;
use subtle::ConstantTimeEq as _;
use tonic::{Status, metadata::MetadataMap};

/// Random bytes of a token.
const BYTES: usize = 32;

/// The token of a run.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl fmt::Debug for Token {
    /// Without the token, so that no log has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// A new one.
    pub(super) fn drawn() -> Self {
        let bytes: [u8; BYTES] = rand::rng().random();
        Self(bytes.map(|byte| format!("{byte:02x}")).concat().into())
    }

    /// The text, for those who must present it.
    pub fn secret(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Whether a request presents it, as `authorization: Bearer TOKEN`.
    pub(super) fn check(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let presented = metadata.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let is_same = presented.is_some_and(|token| token.as_bytes().ct_eq(self.0.as_bytes()).into());
        if is_same { Ok(()) } else { Err(Status::unauthenticated("the token is not that of this run")) }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn only_the_token_of_the_run_is_taken() {
        let (token, other) = (Token::drawn(), Token::drawn());
        assert_eq!(token.secret().len(), 2 * BYTES);
        let check = |value: Option<String>| {
            let mut metadata = MetadataMap::new();
            value.map(|value| metadata.insert("authorization", value.parse().unwrap()));
            token.check(&metadata).map_err(|status| status.code())
        };
        assert_eq!(check(Some(format!("Bearer {}", token.secret()))), Ok(()));
        let secret = token.secret().to_string();
        for wrong in [None, Some(String::new()), Some(secret), Some(format!("Bearer {}", other.secret()))] {
            assert_eq!(check(wrong), Err(Code::Unauthenticated));
        }
        assert_eq!(format!("{token:?}"), "Token");
    }
}
