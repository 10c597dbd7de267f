//! Why requests to the API server fail.

use std::{fmt, io, path::PathBuf, time::Duration};

use http::Uri;
use kube::{Error, config::KubeconfigError};

use super::{credentials::Exposed, failure, proxy::ProxyError};

/// How long one request may take.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// An API server, for messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) url: String,
    /// Where that address comes from.
    pub(super) named_by: String,
    /// The proxy between here and there.
    pub(super) proxy: Option<String>,
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, named_by, proxy } = self;
        write!(formatter, "the API server {} ({named_by})", url.trim_end_matches('/'))?;
        let Some(proxy) = proxy else { return Ok(()) };
        let host = url.parse::<Uri>().ok().and_then(|url| url.host().map(str::to_owned)).unwrap_or_default();
        write!(formatter, " through the proxy {proxy} (NO_PROXY={host} goes without)")
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClusterError {
    /// The kubeconfig can't be used.
    #[error("kubeconfig{}: {source}", path.as_ref().map_or(String::new(), |path| format!(" {}", path.display())))]
    Kubeconfig {
        /// The file; absent for the default one.
        path: Option<PathBuf>,
        source: Box<KubeconfigError>,
    },
    /// Others can read the credentials.
    #[error(transparent)]
    Credentials(#[from] Exposed),
    /// There is no configuration.
    #[error("no kubeconfig found ($KUBECONFIG, ~/.kube/config), and not running in a pod: set knative.kubeconfig")]
    NoKubeconfig,
    /// A client can't be made of the configuration.
    #[error("{}", failure::describe(.0))]
    Client(#[source] Box<Error>),
    /// A proxy of a kind that can't be used.
    #[error("{0}")]
    Proxy(#[source] ProxyError),
    /// The identity lacks permissions.
    #[error("missing permissions{purpose}: {}; the roles in config/kubernetes/ grant them", missing.join(", "))]
    MissingPermissions {
        /// Empty, or what they are needed for, as in ` for a warm-up`.
        purpose: &'static str,
        missing: Vec<String>,
    },
    /// The identity lacks permissions for workers.
    #[error(
        "missing permissions for workers: {}; an administrator grants them by scripts/cluster/prepare --workers, or \
         kubectl apply -f config/kubernetes/workers.yaml",
        .0.join(", ")
    )]
    NoWorkers(Vec<String>),
    /// There is an object of this name that is not the run's.
    #[error("there is a Job {0} already, which is not the run's")]
    Occupied(String),
    /// Deleted objects have not disappeared.
    #[error("{left} Services or pods of the run were not deleted within {}", humantime::format_duration(*within))]
    NotDeleted { left: usize, within: Duration },
    /// The settings backup can't be read or written.
    #[error("settings backup {}: {source}", path.display())]
    Backup { path: PathBuf, source: io::Error },
    /// A response is not what it should be.
    #[error("unexpected response of {origin}: {source}")]
    Response { origin: String, source: serde_json::Error },
    /// A disturbance finds nothing that it could change.
    #[error("{0}")]
    Undisturbable(String),
    /// Knative's autoscaler has no pods.
    #[error("no autoscaler found in {0}")]
    NoAutoscaler(&'static str),
    /// The server refused the request.
    #[error("{}", failure::describe(.0))]
    Refused(#[source] Box<Error>),
    /// The server could not be reached for too long.
    #[error("cannot reach {server}: {}", failure::describe(.source))]
    Unreachable { server: Server, source: Box<Error> },
    /// The server did not answer in time.
    #[error("no answer within {timeout} from {0}", timeout = humantime::format_duration(REQUEST_TIMEOUT))]
    Timeout(Server),
    /// The caller has cancelled the request.
    #[error("cancelled")]
    Cancelled,
}

impl ClusterError {
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(error) if failure::is_not_found(error))
    }

    pub(super) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused(error) if failure::is_forbidden(error))
    }

    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused(error) if failure::is_conflict(error))
    }

    /// Whether a pod was asked through the API server that has closed the port.
    pub(super) fn is_port_closed(&self) -> bool {
        matches!(self, Self::Refused(error) if failure::is_port_closed(error))
    }

    /// Whether the same request may succeed later: the server is away, is starting, or has other permissions or credentials then.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Kubeconfig { .. }
            | Self::Credentials(_)
            | Self::Client(_)
            | Self::NotDeleted { .. }
            | Self::Unreachable { .. }
            | Self::Timeout(_) => true,
            Self::Refused(error) => failure::may_pass(error),
            Self::NoKubeconfig
            | Self::Proxy(_)
            | Self::MissingPermissions { .. }
            | Self::NoWorkers(_)
            | Self::Occupied(_)
            | Self::Backup { .. }
            | Self::Response { .. }
            | Self::Undisturbable(_)
            | Self::NoAutoscaler(_)
            | Self::Cancelled => false,
        }
    }
}
