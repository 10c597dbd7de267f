//! The way to the API server.

use std::{path::PathBuf, sync::Mutex, time::Duration};

use futures_util::{Stream, StreamExt as _, stream};
use kube::{
    Client, Config, Error,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::watcher::{self, Event},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failure;
use crate::clock::Clock;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From one try to the next: at first, and at the most.
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

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClusterError {
    /// The configuration can't be used.
    #[error("{0}")]
    Config(String),
    /// The server refuses, or stayed away for too long.
    #[error("{}", failure::words(.0))]
    Refused(#[source] Box<Error>),
    /// No answer in time.
    #[error("the API server did not answer within {}", humantime::format_duration(REQUEST_TIMEOUT))]
    Silent,
    /// Nobody waits any more.
    #[error("cancelled")]
    Cancelled,
}

impl ClusterError {
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(error) if failure::is_not_found(error))
    }
}

/// The API server, as far as it can be reached.
pub(super) struct Cluster {
    access: Access,
    /// Made when it is first needed; made anew when the server no longer knows us.
    client: Mutex<Option<(Client, String)>>,
    clock: Clock,
}

impl Cluster {
    pub(super) fn new(access: Access, clock: Clock) -> Self {
        Self { access, client: Mutex::default(), clock }
    }

    /// The instant that it is now.
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
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(|error| ClusterError::Config(failure::words(&error)))?;
        let made = (client, namespace);
        *self.client.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }

    async fn config(&self) -> Result<Config, ClusterError> {
        let Access { kubeconfig, context } = &self.access;
        let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
        if let Some(path) = kubeconfig {
            let told =
                |error: &dyn std::fmt::Display| ClusterError::Config(format!("kubeconfig {}: {error}", path.display()));
            let read = Kubeconfig::read_from(path).map_err(|error| told(&error))?;
            return Config::from_custom_kubeconfig(read, &options).await.map_err(|error| told(&error));
        }
        if context.is_some() {
            return Config::from_kubeconfig(&options).await.map_err(|error| ClusterError::Config(error.to_string()));
        }
        Config::infer().await.map_err(|_| {
            let words =
                "there is no kubeconfig ($KUBECONFIG, ~/.kube/config), and this is no pod: set knative.kubeconfig";
            ClusterError::Config(words.to_owned())
        })
    }

    /// Makes the next request ask the configuration again.
    pub(super) fn forget(&self) {
        *self.client.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// Watches as `open` does with a client, for as long as anybody listens. What goes wrong is told and passes by itself: a watch
    /// begins again, and a server that no longer knows us is asked with what the configuration says by then.
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
                    let words = crate::error_chain::of(&error);
                    if failure::ends_a_watch(&error) {
                        self.forget();
                        tokio::time::sleep(FIRST_PAUSE).await;
                        watch = None;
                    }
                    Some((Err(words), (open, watch)))
                }
            }
        })
    }

    /// Makes a request; what may pass is tried again until `deadline`.
    ///
    /// # Errors
    /// What did not pass.
    pub(super) async fn ask<T, F>(
        &self,
        deadline: Instant,
        cancel: &CancellationToken,
        request: impl Fn(Client) -> F + Send,
    ) -> Result<T, ClusterError>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let mut pause = FIRST_PAUSE;
        let mut unknown = false;
        loop {
            let (client, _) = self.client().await?;
            let answered = tokio::select! {
                answered = tokio::time::timeout(REQUEST_TIMEOUT, request(client)) => answered,
                () = cancel.cancelled() => return Err(ClusterError::Cancelled),
            };
            let failed = match answered {
                Ok(Ok(answer)) => return Ok(answer),
                // A token may have been renewed in its file: once, with what is there now.
                Ok(Err(error)) if failure::is_unauthorized(&error) && !unknown => {
                    unknown = true;
                    self.forget();
                    ClusterError::Refused(Box::new(error))
                }
                Ok(Err(error)) if failure::is_transient(&error) => ClusterError::Refused(Box::new(error)),
                Ok(Err(error)) => return Err(ClusterError::Refused(Box::new(error))),
                Err(_) => ClusterError::Silent,
            };
            if self.clock.now() + pause >= deadline {
                return Err(failed);
            }
            log::debug!("the API server is asked again: {failed}");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = cancel.cancelled() => return Err(ClusterError::Cancelled),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
