//! Access to the API server.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use http::Request;
use kube::{
    Client, Config, Error,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::watcher::{self, Event},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    cluster_error::{ClusterError, REQUEST_TIMEOUT, Server},
    credentials, failure,
    proxy::{self, ProxyError},
};
use crate::clock::Clock;

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

impl Access {
    /// Where the address of the server comes from.
    fn named_by(&self) -> String {
        let given = self.kubeconfig.clone().or_else(|| env::var_os("KUBECONFIG").map(PathBuf::from));
        let default = || env::home_dir().map(|home| home.join(".kube/config")).filter(|path| Path::exists(path));
        match given.or_else(default) {
            Some(path) => format!("kubeconfig {}", path.display()),
            None => "the pod's service account".to_owned(),
        }
    }
}

/// A client of the API server that retries.
pub(super) struct Cluster {
    access: Access,
    /// Created on first use, and again after a 401. With the namespace of its configuration.
    client: Mutex<Option<(Client, String)>>,
    /// The server that the client was made for.
    server: Mutex<Server>,
    clock: Clock,
}

impl Cluster {
    pub(super) fn new(access: Access, clock: Clock) -> Self {
        Self { access, client: Mutex::default(), server: Mutex::default(), clock }
    }

    /// Uses a client that a test has made.
    #[cfg(test)]
    pub(super) fn use_client(&self, client: Client, namespace: &str) {
        *self.client.lock().unwrap() = Some((client, namespace.to_owned()));
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
        let (url, named_by) = (config.cluster_url.to_string(), self.access.named_by());
        let (client, proxy) = proxy::client(config).map_err(|error| match error {
            ProxyError::Client(error) => ClusterError::Client(error),
            ProxyError::Unsupported { .. } => ClusterError::Proxy(error),
        })?;
        *self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Server { url, named_by, proxy };
        let made = (client, namespace);
        *self.client.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }

    /// The configuration, read now.
    ///
    /// # Errors
    /// One that is missing or can't be used.
    pub(super) async fn config(&self) -> Result<Config, ClusterError> {
        let Access { kubeconfig, context } = &self.access;
        credentials::check(kubeconfig.as_deref())?;
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

    fn server(&self) -> Server {
        self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The error of a request that failed for good.
    fn failed(&self, error: Error) -> ClusterError {
        let source = Box::new(error);
        if failure::is_of_the_connection(&source) {
            ClusterError::Unreachable { server: self.server(), source }
        } else {
            ClusterError::Refused(source)
        }
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

    /// The text at a path. Asked for once.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(super) async fn text(&self, path: &str) -> Result<String, ClusterError> {
        let request = |client: Client| async move {
            let request = Request::get(path).body(Vec::new()).map_err(Error::HttpError)?;
            client.request_text(request).await
        };
        self.ask(self.now(), &CancellationToken::new(), request).await
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
                    self.failed(error)
                }
                Ok(Err(error)) if is_transient(&error) => self.failed(error),
                Ok(Err(error)) => return Err(self.failed(error)),
                Err(_) => ClusterError::Timeout(self.server()),
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_server_that_cannot_be_reached_is_named_with_its_kubeconfig() {
        // A port that nobody listens at.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubeconfig");
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {}}],
        });
        std::fs::write(&path, config.to_string()).unwrap();
        let clock = Clock;
        let cluster = Cluster::new(Access { kubeconfig: Some(path.clone()), context: None }, clock);
        let never = CancellationToken::new();
        let asked = cluster.ask(clock.now(), &never, |client| async move { client.apiserver_version().await });
        let message = asked.await.unwrap_err().to_string();
        let expected = format!("cannot reach the API server http://127.0.0.1:{port} (kubeconfig {}): ", path.display());
        assert!(message.starts_with(&expected), "{message}");
        assert!(message.contains("refused"), "{message}");
    }
}
