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
}
