//! Access control: roles, tokens, certificates, sessions of browsers, rate limits.

mod credentials;
mod guard;
mod peer;
mod policy;
mod rate;
mod refusal;
mod role;
mod seats;
mod sessions;
mod token;

pub use credentials::Credentials;
pub use guard::Guard;
pub use peer::{ListenerKind, Peer};
pub use policy::{Caller, Policy};
pub use refusal::Refusal;
pub use role::{InvalidRole, Role, needed};
pub use seats::{Most, Seat, Seats, Taken};
pub use sessions::{CODE_LIFE, SESSION_LIFE, Sessions, TooMany};
pub use token::{Digest, InvalidDigest, Token};
