//! Converts errors of a cluster into those of the platform.

use super::cluster_error::ClusterError;
use crate::platform::PlatformError;

/// The platform's name in a spec.
pub(super) const NAME: &str = "knative";

/// The platform as a whole can't be used; the reason says what its operator can do.
pub(super) fn unusable(reason: String) -> PlatformError {
    PlatformError::Platform { platform: NAME, reason }
}

/// The error of a step of a clean-up, which is tried again where that may help.
pub(super) fn uncleaned(error: &ClusterError) -> PlatformError {
    if error.may_pass() {
        return PlatformError::Unavailable { platform: NAME, reason: error.to_string() };
    }
    refused(error)
}

/// The error of a request to the API server that failed.
pub(super) fn refused(error: &ClusterError) -> PlatformError {
    match error {
        ClusterError::Cancelled => PlatformError::Cancelled,
        ClusterError::NoKubeconfig => PlatformError::NotConfigured { platform: NAME, reason: error.to_string() },
        ClusterError::Kubeconfig { .. }
        | ClusterError::Credentials(_)
        | ClusterError::Client(_)
        | ClusterError::Proxy(_)
        | ClusterError::MissingPermissions { .. }
        | ClusterError::NoWorkers(_)
        | ClusterError::Occupied(_)
        | ClusterError::NotDeleted { .. }
        | ClusterError::Backup { .. }
        | ClusterError::Response { .. }
        | ClusterError::NoAutoscaler(_)
        | ClusterError::Undisturbable(_)
        | ClusterError::Refused(_)
        | ClusterError::Unreachable { .. }
        | ClusterError::Timeout(_) => unusable(error.to_string()),
    }
}
