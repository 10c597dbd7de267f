//! Errors of platforms.

/// An error of a platform.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The deployment was cancelled.
    #[error("the deployment was cancelled")]
    Cancelled,
    /// A function could not be deployed.
    #[error("function {function}: {reason}")]
    Function {
        /// The name of the function.
        function: String,
        /// The cause, and what can be done about it.
        reason: String,
    },
    /// The platform as a whole can't be used.
    #[error("platform {platform}: {reason}")]
    Platform {
        /// The name of the platform.
        platform: &'static str,
        /// The cause, and what can be done about it.
        reason: String,
    },
    /// The platform can't be used now, and may be later: nothing is wrong with the request.
    #[error("platform {platform}: {reason}")]
    Unavailable {
        /// The name of the platform.
        platform: &'static str,
        /// The cause, and what can be done about it.
        reason: String,
    },
    /// No such platform is configured, so that there is nothing on it.
    #[error("platform {platform}: {reason}")]
    NotConfigured {
        /// The name of the platform.
        platform: &'static str,
        /// What is missing.
        reason: String,
    },
}

impl PlatformError {
    /// Whether a retry may help.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
