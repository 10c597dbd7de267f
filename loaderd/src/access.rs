//! Access control: roles, tokens, certificates, rate limits.

mod guard;
mod policy;
mod rate;
mod role;
mod token;

pub use guard::Guard;
pub use policy::{Caller, ListenerKind, Peer, Policy, Refusal};
pub use role::{InvalidRole, Role, needed};
pub use token::{Digest, InvalidDigest, Token};
