//! The platform itself: deploys functions, follows their feeds, and cleans up.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    clean::Cleaner,
    cluster::Cluster,
    cluster_error::ClusterError,
    deploy::{Rollout, Rules, Wanted},
    error::{NAME, refused, uncleaned, unusable},
    feed::{Feed, FeedSenders},
    ingress::{self, Port},
    manifest::{self, Filling},
    names, preflight,
    settings::Settings,
    skew,
};
use crate::{
    clock::Clock,
    endpoint::{Endpoint, Tls},
    id::RunId,
    platform::{Allocate, Deploy, Deployment, Disturb, Inspect, Platform, PlatformError, Sampling, WarmUp, Workers},
};

/// Capacity of the channels of samples.
const SAMPLES: usize = 1 << 16;
/// Maximum time of the queries before a deployment, and of those of a status.
pub(super) const QUERY_TIMEOUT: Duration = Duration::from_secs(20);
/// Knative's default limit of an invocation's duration.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);

/// The platform `knative`: functions as Knative Services of a cluster.
pub struct Knative {
    pub(super) settings: Settings,
    pub(super) cluster: Arc<Cluster>,
    pub(super) clock: Clock,
    /// The feeds of runs that have not been cleaned.
    feeds: Mutex<HashMap<RunId, Following>>,
    /// Runs of this process that have not been cleaned.
    begun: Mutex<HashMap<RunId, Begun>>,
    /// The workers of runs that this process has started and not ended; nothing where they are not followed.
    workers: Mutex<HashMap<RunId, Option<Following>>>,
    pub(super) tasks: TaskTracker,
}

/// A task that follows something until it is stopped.
pub(super) struct Following {
    pub(super) stop: CancellationToken,
    pub(super) task: JoinHandle<()>,
}

/// What a run of this process has in the cluster.
#[derive(Debug, Clone, Copy)]
struct Begun {
    /// Whether something of it may be there.
    is_there: bool,
    /// Whether a clean-up waits for its pods.
    await_pods: bool,
}

impl Knative {
    /// A platform with `settings`. Nothing is requested of the cluster before it is used.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let cluster = Arc::new(Cluster::new(settings.access.clone(), clock));
        Self {
            settings,
            cluster,
            clock,
            feeds: Mutex::default(),
            begun: Mutex::default(),
            workers: Mutex::default(),
            tasks: TaskTracker::new(),
        }
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<RunId, Following>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn workers_followed(&self) -> MutexGuard<'_, HashMap<RunId, Option<Following>>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runs_begun(&self) -> MutexGuard<'_, HashMap<RunId, Begun>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run of this process begins: nothing of it is in the cluster yet.
    pub(super) fn begin(&self, run: &RunId) {
        self.runs_begun().entry(run.clone()).or_insert(Begun { is_there: false, await_pods: true });
    }

    /// Whether this process has begun a run, and not cleaned it up.
    pub(super) fn has_begun(&self, run: &RunId) -> bool {
        self.runs_begun().contains_key(run)
    }

    /// The namespace in which functions are deployed.
    ///
    /// # Errors
    /// A kubeconfig that can't be used.
    pub(super) async fn namespace(&self) -> Result<String, ClusterError> {
        match &self.settings.namespace {
            Some(namespace) => Ok(namespace.clone()),
            None => Ok(self.cluster.client().await?.1),
        }
    }

    /// The text of the manifest that the daemon is configured with, if there is one.
    pub(super) fn custom_manifest(&self) -> Result<Option<String>, PlatformError> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path)
                .map_err(|error| unusable(format!("knative.manifest: {}: {error}", path.display())))
        };
        self.settings.manifest.as_ref().map(read).transpose()
    }

    /// The Services of a deployment.
    fn wanted(&self, deploy: &Deploy, namespace: &str) -> Result<Vec<Wanted>, PlatformError> {
        let custom = self.custom_manifest()?;
        let image = deploy.image.as_deref().or(self.settings.image.as_deref()).ok_or_else(|| {
            unusable("no image for the functions: set knative.image, or deploy.image in the spec".to_owned())
        })?;
        let wanted = deploy.functions.iter().map(|function| {
            let name = names::service(&function.name, &deploy.run);
            let filling = Filling {
                service: &name,
                namespace,
                run: &deploy.run,
                image,
                function,
                timeout_seconds: deploy.function_timeout.clamp(Duration::from_secs(1), LONGEST_TIMEOUT).as_secs(),
                progress_deadline_seconds: deploy.timeout.as_secs().max(1),
                node_selector: &self.settings.node_selector,
            };
            let manifest = custom.as_deref().unwrap_or_else(|| manifest::embedded(&function.kind));
            let object = manifest::service(manifest, &filling).map_err(|error| unusable(error.to_string()))?;
            Ok(Wanted { function: function.name.clone(), name, object })
        });
        wanted.collect()
    }

    /// The address to dial: the configured one, or the ingress's.
    async fn gateway(
        &self,
        port: Port,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<String, PlatformError> {
        match &self.settings.gateway {
            Some(address) => Ok(address.clone()),
            None => match ingress::find(&self.cluster, port, deadline, cancel).await {
                Ok(found) => Ok(found.address),
                Err(_) if cancel.is_cancelled() => Err(PlatformError::Cancelled),
                Err(reason) => Err(unusable(reason)),
            },
        }
    }

    /// The trusted CA certificates for functions that are reached by https.
    fn tls(&self) -> Result<Tls, PlatformError> {
        let file = self.settings.gateway_ca.as_deref();
        Tls::trusting(file).map_err(|error| match file {
            Some(file) => unusable(format!("knative.gateway_ca: {}: {error}", file.display())),
            None => unusable(error.to_string()),
        })
    }

    async fn follow(&self, run: &RunId, namespace: &str, wanted: &[Wanted], senders: FeedSenders) {
        let stop = CancellationToken::new();
        let feed = Feed {
            run: run.clone(),
            cluster: Arc::clone(&self.cluster),
            namespace: namespace.to_owned(),
            services: wanted.iter().map(|wanted| wanted.name.clone()).collect(),
            senders,
            skew_us: skew::measure(&self.cluster, self.clock).await,
            clock: self.clock,
            stop: stop.clone(),
        };
        let task = self.tasks.spawn(feed.follow());
        self.feeds().insert(run.clone(), Following { stop, task });
    }

    async fn stop_feed(&self, run: &RunId) {
        let following = self.feeds().remove(run);
        if let Some(Following { stop, task }) = following {
            stop.cancel();
            // It has no result.
            let _ended = task.await;
        }
    }

    pub(super) fn cleaner<'a>(&'a self, namespace: &'a str) -> Cleaner<'a> {
        Cleaner { cluster: &self.cluster, namespace, now: self.clock.now() }
    }
}

/// The `:authority` of a Service's URL.
fn authority(url: &str) -> String {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.split('/').next().unwrap_or(host).to_owned()
}

#[tonic::async_trait]
impl Platform for Knative {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn deploy(
        &self,
        deploy: Deploy,
        ready: watch::Sender<u32>,
        cancel: CancellationToken,
    ) -> Result<Deployment, PlatformError> {
        self.begin(&deploy.run);
        let begun = self.clock.now();
        let deadline = begun + deploy.timeout;
        let query_deadline = deadline.min(begun + QUERY_TIMEOUT);
        let namespace = self.namespace().await.map_err(|error| refused(&error))?;
        let wanted = self.wanted(&deploy, &namespace)?;
        let missing = preflight::missing(&self.cluster, &preflight::NEEDS, &namespace, query_deadline, &cancel).await;
        let missing = missing.map_err(|error| refused(&error))?;
        if !missing.is_empty() {
            return Err(refused(&ClusterError::MissingPermissions { purpose: "", missing }));
        }
        let address = self.gateway(Port::Plain, query_deadline, &cancel).await?;
        // An invalid file fails before the deployment.
        let known = self.settings.gateway_ca.as_ref().map(|_| self.tls()).transpose()?;
        let (send_scales, scales) = mpsc::channel(SAMPLES);
        let (send_starts, starts) = mpsc::channel(SAMPLES);
        let (send_problems, problems) = mpsc::channel(SAMPLES);
        let senders = FeedSenders { scales: send_scales, starts: send_starts, problems: send_problems };
        self.follow(&deploy.run, &namespace, &wanted, senders).await;
        self.runs_begun().insert(deploy.run.clone(), Begun { is_there: true, await_pods: deploy.await_pods });
        let rollout = Rollout {
            cluster: &self.cluster,
            namespace: &namespace,
            run: &deploy.run,
            wanted: &wanted,
            rules: Rules { deadline, timeout: deploy.timeout, allow_failures: deploy.allow_failures },
            ready,
            cancel: cancel.clone(),
        };
        let urls = Box::pin(rollout.bring_up(problems)).await?;
        let is_secured = |url: &Result<String, String>| url.as_ref().is_ok_and(|url| url.starts_with("https://"));
        let secured = if urls.iter().any(is_secured) {
            let address = self.gateway(Port::Tls, self.clock.now() + QUERY_TIMEOUT, &cancel).await?;
            Some((address, known.map_or_else(|| self.tls(), Ok)?))
        } else {
            None
        };
        let endpoint = |url: Result<String, String>| {
            let (secured, tls) = secured.clone().filter(|_| is_secured(&url)).unzip();
            let address = secured.unwrap_or_else(|| address.clone());
            url.map(|url| Endpoint { address, authority: authority(&url), tls })
        };
        Ok(Deployment { endpoints: urls.into_iter().map(endpoint).collect(), scales, starts: Some(starts) })
    }

    async fn clean(&self, run: &RunId) -> Result<(), PlatformError> {
        // A run of an earlier process may have left something, whose pods are waited for.
        let known = self.runs_begun().get(run).copied();
        let begun = known.unwrap_or(Begun { is_there: true, await_pods: true });
        if begun.is_there {
            let namespace = self.namespace().await.map_err(|error| uncleaned(&error))?;
            let cleaner = self.cleaner(&namespace);
            let cleaned = Box::pin(cleaner.clean(run, begun.await_pods, || self.clock.now())).await;
            self.stop_feed(run).await;
            cleaned.map_err(|error| uncleaned(&error))?;
        }
        // What a step of its own has not ended, or an earlier process has left.
        self.stop(run, &CancellationToken::new()).await?;
        self.runs_begun().remove(run);
        Ok(())
    }

    async fn release(&self, run: &RunId) -> Result<(), PlatformError> {
        self.stop_feed(run).await;
        self.runs_begun().remove(run);
        Ok(())
    }

    async fn left_behind(&self) -> Result<BTreeMap<RunId, usize>, PlatformError> {
        let namespace = self.namespace().await.map_err(|error| refused(&error))?;
        self.cleaner(&namespace).runs().await.map_err(|error| refused(&error))
    }

    async fn shutdown(&self) {
        let runs: Vec<_> = self.feeds().keys().cloned().collect();
        for run in runs {
            self.stop_feed(&run).await;
        }
        let runs: Vec<_> = self.workers_followed().keys().cloned().collect();
        for run in runs {
            self.stop_following_workers(&run).await;
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn warm_up(&self) -> Option<&dyn WarmUp> {
        Some(self)
    }

    fn allocate(&self) -> Option<&dyn Allocate> {
        Some(self)
    }

    fn sampling(&self) -> Option<&dyn Sampling> {
        Some(self)
    }

    fn disturb(&self) -> Option<&dyn Disturb> {
        Some(self)
    }

    fn workers(&self) -> Option<&dyn Workers> {
        Some(self)
    }

    fn inspect(&self) -> Option<&dyn Inspect> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_the_urls_host() {
        assert_eq!(authority("http://hello-grpc.default.example.com"), "hello-grpc.default.example.com");
        assert_eq!(authority("https://f.default.example.com:8443/"), "f.default.example.com:8443");
    }

    #[tokio::test]
    async fn without_an_image_nothing_is_requested_of_the_cluster() {
        let knative = Knative::new(Settings { namespace: Some("n".to_owned()), ..Settings::default() }, Clock);
        let deploy = crate::platform::testkit::deploy(&["f"]);
        let deployed = knative.deploy(deploy, watch::Sender::new(0), CancellationToken::new()).await;
        assert_eq!(
            deployed.unwrap_err().to_string(),
            "platform knative: no image for the functions: set knative.image, or deploy.image in the spec"
        );
    }
}
