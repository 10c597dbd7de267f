//! Where an invocation goes: what a platform returns and an invoker takes, so that neither knows the other.

/// The address and the name under which a function is reached, HTTP/2 with prior knowledge.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// `host:port` to connect to.
    pub address: String,
    /// The request's `:authority`.
    pub authority: String,
}
