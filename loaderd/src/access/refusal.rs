//! Why a request is refused. Pure.

use super::Role;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The caller is unknown.
    #[error("{0}")]
    Unknown(&'static str),
    /// The role is not sufficient.
    #[error("{caller} has the role {}; this needs {needed}", role.map_or("none".to_owned(), |role| role.to_string()))]
    NotEnough {
        /// The name of the caller.
        caller: String,
        /// The role of the caller; `None`: no access.
        role: Option<Role>,
        /// The role that the method needs.
        needed: Role,
    },
    /// The caller makes too many requests.
    #[error("{caller} makes more requests a second than [access] requests_per_second allows")]
    TooMany {
        /// The name of the caller.
        caller: String,
    },
}

impl Refusal {
    /// The name of the caller, where it is known.
    pub fn caller(&self) -> Option<&str> {
        match self {
            Self::Unknown(_) => None,
            Self::NotEnough { caller, .. } | Self::TooMany { caller } => Some(caller),
        }
    }
}
