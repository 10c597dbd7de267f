//! How failures of a cluster become those of the platform.

use super::cluster::ClusterError;
use crate::platform::PlatformError;

/// The platform's name in a spec.
pub(super) const NAME: &str = "knative";

/// The platform as a whole can't be used, for a reason that its operator can act on.
pub(super) fn unusable(reason: String) -> PlatformError {
    PlatformError::Platform { platform: NAME, reason }
}

/// A request came to nothing.
pub(super) fn refused(error: &ClusterError) -> PlatformError {
    match error {
        ClusterError::Cancelled => PlatformError::Cancelled,
        ClusterError::Config(_) | ClusterError::Refused(_) | ClusterError::Silent => unusable(error.to_string()),
    }
}
