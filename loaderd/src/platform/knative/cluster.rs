//! Access to the API server.

use std::{io, path::PathBuf, sync::Mutex, time::Duration};

use futures_util::{Stream, StreamExt as _, stream};
use kube::{
    Client, Config, Error,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
    runtime::watcher::{self, Event},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failure;
use crate::clock::Clock;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause before a retry: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How the API server is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// A kubeconfig; absent: that of the environment, or of the pod that the daemon runs in.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; absent: its current one.
    pub context: Option<String>,
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
    /// There is no configuration.
    #[error("no kubeconfig found ($KUBECONFIG, ~/.kube/config), and not running in a pod: set knative.kubeconfig")]
    NoKubeconfig,
    /// A client can't be made of the configuration.
    #[error("{}", failure::describe(.0))]
    Client(#[source] Box<Error>),
    /// The identity lacks permissions.
    #[error("missing permissions{purpose}: {}; the roles in config/kubernetes/ grant them", missing.join(", "))]
    MissingPermissions {
        /// Empty, or what they are needed for, as in ` for a warm-up`.
        purpose: &'static str,
        missing: Vec<String>,
    },
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
    /// The server refused the request, or was unreachable for too long.
    #[error("{}", failure::describe(.0))]
    Refused(#[source] Box<Error>),
    /// The server did not answer in time.
    #[error("the API server did not answer within {}", humantime::format_duration(REQUEST_TIMEOUT))]
    Timeout,
    /// The caller has cancelled the request.
    #[error("cancelled")]
    Cancelled,
}

impl ClusterError {
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(error) if failure::is_not_found(error))
    }

    /// Whether a pod was asked through the API server that has closed the port.
    pub(super) fn is_port_closed(&self) -> bool {
        matches!(self, Self::Refused(error) if failure::is_port_closed(error))
    }

    /// Whether the same request may succeed later: the server is away, is starting, or has other permissions or credentials then.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Kubeconfig { .. } | Self::Client(_) | Self::NotDeleted { .. } | Self::Timeout => true,
            Self::Refused(error) => failure::may_pass(error),
            Self::NoKubeconfig
            | Self::MissingPermissions { .. }
            | Self::Backup { .. }
            | Self::Response { .. }
            | Self::Undisturbable(_)
            | Self::NoAutoscaler(_)
            | Self::Cancelled => false,
        }
    }
}

/// A client of the API server that retries.
pub(super) struct Cluster {
    access: Access,
    /// Created on first use, and again after a 401. With the namespace of its configuration.
    client: Mutex<Option<(Client, String)>>,
    clock: Clock,
}

impl Cluster {
    pub(super) fn new(access: Access, clock: Clock) -> Self {
        Self { access, client: Mutex::default(), clock }
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A client, and the namespace that its configuration names.
    ///
    /// # Errors
    /// A configuration that is missing or can't be used.
    pub(super) async fn client(&self) -> Result<(Client, String), ClusterError> {
        let known = self.client.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let mut config = self.config().await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Whether a failure is tried again depends on what was asked, which the library does not know: see `ask`.
        config.default_retry = false;
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(|error| ClusterError::Client(Box::new(error)))?;
        let made = (client, namespace);
        *self.client.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }

    async fn config(&self) -> Result<Config, ClusterError> {
        let Access { kubeconfig, context } = &self.access;
        let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
        if let Some(path) = kubeconfig {
            let failed = |source| ClusterError::Kubeconfig { path: Some(path.clone()), source: Box::new(source) };
            let read = Kubeconfig::read_from(path).map_err(failed)?;
            return Config::from_custom_kubeconfig(read, &options).await.map_err(failed);
        }
        if context.is_some() {
            let failed = |source| ClusterError::Kubeconfig { path: None, source: Box::new(source) };
            return Config::from_kubeconfig(&options).await.map_err(failed);
        }
        Config::infer().await.map_err(|_| ClusterError::NoKubeconfig)
    }

    /// Makes the next request read the configuration again.
    pub(super) fn reset_client(&self) {
        *self.client.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// Watches as `open` does with a client, until the stream is dropped. Errors are part of the stream and it goes on after them: a
    /// watch is started again, after a 401 with the configuration read again.
    pub(super) fn watch<K, S>(
        &self,
        open: impl Fn(Client) -> S + Send,
    ) -> impl Stream<Item = Result<Event<K>, String>> + Send
    where
        K: Send,
        S: Stream<Item = Result<Event<K>, watcher::Error>> + Send,
    {
        stream::unfold((open, None), async move |(open, mut watch)| {
            if watch.is_none() {
                match self.client().await {
                    Ok((client, _)) => watch = Some(Box::pin(open(client))),
                    Err(error) => {
                        tokio::time::sleep(LONGEST_PAUSE).await;
                        return Some((Err(error.to_string()), (open, None)));
                    }
                }
            }
            match watch.as_mut()?.next().await? {
                Ok(event) => Some((Ok(event), (open, watch))),
                Err(error) => {
                    let message = crate::error_chain::of(&error);
                    if failure::ends_a_watch(&error) {
                        self.reset_client();
                        tokio::time::sleep(FIRST_PAUSE).await;
                        watch = None;
                    }
                    Some((Err(message), (open, watch)))
                }
            }
        })
    }

    /// Makes a request; transient failures are retried until `deadline`.
    ///
    /// # Errors
    /// A permanent failure, or the last transient one.
    pub(super) async fn ask<T, F>(
        &self,
        deadline: Instant,
        cancel: &CancellationToken,
        request: impl Fn(Client) -> F + Send,
    ) -> Result<T, ClusterError>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        self.ask_while(failure::is_transient, deadline, cancel, request).await
    }

    /// The same for a request that is known to be allowed: that the server does not allow it now is transient too.
    ///
    /// # Errors
    /// A permanent failure, or the last transient one.
    pub(super) async fn ask_allowed<T, F>(
        &self,
        deadline: Instant,
        cancel: &CancellationToken,
        request: impl Fn(Client) -> F + Send,
    ) -> Result<T, ClusterError>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let is_transient = |error: &Error| failure::is_transient(error) || failure::is_of_startup(error);
        self.ask_while(is_transient, deadline, cancel, request).await
    }

    async fn ask_while<T, F>(
        &self,
        is_transient: impl Fn(&Error) -> bool + Send,
        deadline: Instant,
        cancel: &CancellationToken,
        request: impl Fn(Client) -> F + Send,
    ) -> Result<T, ClusterError>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let mut pause = FIRST_PAUSE;
        let mut reloaded = false;
        loop {
            let (client, _) = self.client().await?;
            let answered = tokio::select! {
                answered = tokio::time::timeout(REQUEST_TIMEOUT, request(client)) => answered,
                () = cancel.cancelled() => return Err(ClusterError::Cancelled),
            };
            let failed = match answered {
                Ok(Ok(answer)) => return Ok(answer),
                // The token may have been renewed in its file: retried once with the present one.
                Ok(Err(error)) if failure::is_unauthorized(&error) && !reloaded => {
                    reloaded = true;
                    self.reset_client();
                    ClusterError::Refused(Box::new(error))
                }
                Ok(Err(error)) if is_transient(&error) => ClusterError::Refused(Box::new(error)),
                Ok(Err(error)) => return Err(ClusterError::Refused(Box::new(error))),
                Err(_) => ClusterError::Timeout,
            };
            if self.clock.now() + pause >= deadline {
                return Err(failed);
            }
            log::debug!("retrying a request to the API server: {failed}");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = cancel.cancelled() => return Err(ClusterError::Cancelled),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
