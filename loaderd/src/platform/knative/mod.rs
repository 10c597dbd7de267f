//! The platform `knative`: Services of a Knative cluster.
//!
//! ```text
//! deploy ─▶ preflight ─▶ manifests ─▶ apply (16 at a time) ─▶ watch until ready ─▶ endpoints
//!              │                          feed: pods, PodAutoscalers ─▶ scales, starts, trouble
//!              └─ every missing permission at once
//! clean  ─▶ Services with the run's label ─▶ delete ─▶ wait until they and their pods are gone
//! ```
//!
//! What is made carries the run's label, and only what carries it is ever taken away; so an earlier process's run is cleaned
//! like one's own. Requests that may pass are tried again, within bounds; watches go on whatever happens.

mod census;
mod clean;
mod cluster;
mod deploy;
mod failure;
mod feed;
mod hold;
mod ingress;
mod manifest;
mod names;
mod objects;
mod preflight;
mod quantity;
mod room;
mod scrape;
mod settings;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use cluster::Access;
#[cfg(any(test, fuzzing))]
pub(crate) use manifest::check::check_manifest;
pub use settings::Settings;

use self::{
    clean::Cleaner,
    cluster::{Cluster, ClusterError},
    deploy::{Rollout, Rules, Wanted, refused},
    feed::{Feed, Outlets},
    hold::Autoscaler,
    ingress::Port,
    manifest::Filling,
    scrape::{AutoscalerSource, NodeSource, Pace},
};
use super::{Deploy, Deployment, Fact, Platform, PlatformError, Room, Sampling};
use crate::{
    clock::Clock,
    endpoint::{Endpoint, Tls},
    id::RunId,
};

/// The platform's name in a spec.
const NAME: &str = "knative";
/// Samples that may wait to be recorded.
const SAMPLES: usize = 1 << 16;
/// How long the questions before a deployment, and those of a status, may take.
const QUESTIONS: Duration = Duration::from_secs(20);
/// How long the API server may stay away while settings of the cluster are put back.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest that Knative lets an invocation take, unless it is configured otherwise.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);

/// A Knative cluster.
pub struct Knative {
    settings: Settings,
    cluster: Arc<Cluster>,
    clock: Clock,
    /// The feeds of runs that have not been cleaned.
    feeds: Mutex<HashMap<RunId, Following>>,
    tasks: TaskTracker,
}

/// A feed that goes on.
struct Following {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Knative {
    /// One that is reached as `settings` say. Nothing is asked of it before it is used.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let cluster = Arc::new(Cluster::new(settings.access.clone(), clock));
        Self { settings, cluster, clock, feeds: Mutex::default(), tasks: TaskTracker::new() }
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<RunId, Following>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn namespace(&self) -> Result<String, ClusterError> {
        match &self.settings.namespace {
            Some(namespace) => Ok(namespace.clone()),
            None => Ok(self.cluster.client().await?.1),
        }
    }

    /// The run's Services.
    fn wanted(&self, deploy: &Deploy, namespace: &str) -> Result<Vec<Wanted>, PlatformError> {
        let own;
        let custom = match &self.settings.manifest {
            None => None,
            Some(path) => {
                own = std::fs::read_to_string(path)
                    .map_err(|error| unusable(format!("knative.manifest: {}: {error}", path.display())))?;
                Some(own.as_str())
            }
        };
        let image = deploy.image.as_deref().or(self.settings.image.as_deref()).ok_or_else(|| {
            unusable("there is no image of the function: set knative.image, or deploy.image in the spec".to_owned())
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
            let manifest = custom.unwrap_or_else(|| manifest::embedded(&function.kind));
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
                Err(words) => Err(unusable(words)),
            },
        }
    }

    /// Whom to believe where functions are reached by https.
    fn tls(&self) -> Result<Tls, PlatformError> {
        let file = self.settings.gateway_ca.as_deref();
        Tls::trusting(file).map_err(|error| match file {
            Some(file) => unusable(format!("knative.gateway_ca: {}: {error}", file.display())),
            None => unusable(error.to_string()),
        })
    }

    fn follow(&self, run: &RunId, namespace: &str, wanted: &[Wanted], outlets: Outlets) {
        let stop = CancellationToken::new();
        let feed = Feed {
            run: run.clone(),
            cluster: Arc::clone(&self.cluster),
            namespace: namespace.to_owned(),
            services: wanted.iter().map(|wanted| wanted.name.clone()).collect(),
            outlets,
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
            // It has nothing to give back.
            let _ended = task.await;
        }
    }

    fn autoscaler<'a>(&'a self, run: &'a RunId) -> Autoscaler<'a> {
        Autoscaler { run, cluster: &self.cluster, deadline: self.clock.now() + PATIENCE }
    }

    fn cleaner<'a>(&'a self, namespace: &'a str) -> Cleaner<'a> {
        Cleaner { cluster: &self.cluster, namespace, now: self.clock.now() }
    }

    async fn facts(&self) -> Result<Vec<Fact>, ClusterError> {
        let (deadline, never) = (self.clock.now() + QUESTIONS / 4, CancellationToken::new());
        let namespace = self.namespace().await?;
        let version =
            self.cluster.ask(deadline, &never, |client| async move { client.apiserver_version().await }).await?;
        let serving = self
            .cluster
            .ask(deadline, &never, |client| async move { Api::<Namespace>::all(client).get("knative-serving").await });
        let serving = serving.await.map(|namespace| {
            let labels = namespace.metadata.labels.unwrap_or_default();
            labels.get("app.kubernetes.io/version").cloned().unwrap_or_else(|| "of unknown version".to_owned())
        });
        let gateway = match &self.settings.gateway {
            Some(address) => format!("{address} (configured)"),
            None => ingress::find(&self.cluster, Port::Plain, deadline, &never)
                .await
                .map_or_else(|words| words, |found| format!("{} at {}", found.ingress, found.address)),
        };
        let mut facts = vec![
            Fact::new("Kubernetes", version.git_version),
            Fact::new("Knative Serving", serving.unwrap_or_else(|error| error.to_string())),
            Fact::new("namespace", namespace.clone()),
            Fact::new("ingress", gateway),
        ];
        for (name, needs) in [
            ("missing permissions", &preflight::NEEDS[..]),
            ("missing for samples", &scrape::NEEDS),
            ("missing for warm-ups", &hold::NEEDS),
        ] {
            let missing = preflight::missing(&self.cluster, needs, &namespace, deadline, &never).await?;
            facts.push(Fact::new(name, if missing.is_empty() { "none".to_owned() } else { missing.join(", ") }));
        }
        let prometheus = self.settings.prometheus.clone();
        let origins = scrape::origins(&self.cluster, &namespace, prometheus, QUESTIONS / 4).await;
        facts.extend(origins.map(|(name, value)| Fact::new(name, value)));
        Ok(facts)
    }
}

fn unusable(reason: String) -> PlatformError {
    PlatformError::Platform { platform: NAME, reason }
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
        let begun = self.clock.now();
        let deadline = begun + deploy.timeout;
        let questions = deadline.min(begun + QUESTIONS);
        let namespace = self.namespace().await.map_err(|error| refused(&error))?;
        let wanted = self.wanted(&deploy, &namespace)?;
        let missing = preflight::missing(&self.cluster, &preflight::NEEDS, &namespace, questions, &cancel).await;
        let missing = missing.map_err(|error| refused(&error))?;
        if !missing.is_empty() {
            let words = format!("we may not: {}; config/kubernetes/ has the roles that grant it", missing.join(", "));
            return Err(unusable(words));
        }
        let address = self.gateway(Port::Plain, questions, &cancel).await?;
        // A file that is wrong shall not be found out after the deployment.
        let known = self.settings.gateway_ca.as_ref().map(|_| self.tls()).transpose()?;
        let (send_scales, scales) = mpsc::channel(SAMPLES);
        let (send_starts, starts) = mpsc::channel(SAMPLES);
        let (send_troubles, troubles) = mpsc::channel(SAMPLES);
        let outlets = Outlets { scales: send_scales, starts: send_starts, troubles: send_troubles };
        self.follow(&deploy.run, &namespace, &wanted, outlets);
        let rollout = Rollout {
            cluster: &self.cluster,
            namespace: &namespace,
            run: &deploy.run,
            wanted: &wanted,
            rules: Rules { deadline, timeout: deploy.timeout, allow_failures: deploy.allow_failures },
            ready,
            cancel: cancel.clone(),
        };
        let urls = Box::pin(rollout.bring_up(troubles)).await?;
        let is_secured = |url: &Result<String, String>| url.as_ref().is_ok_and(|url| url.starts_with("https://"));
        let secured = if urls.iter().any(is_secured) {
            let address = self.gateway(Port::Tls, self.clock.now() + QUESTIONS, &cancel).await?;
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
        let namespace = self.namespace().await.map_err(|error| refused(&error))?;
        let cleaned = Box::pin(self.cleaner(&namespace).clean(run, || self.clock.now())).await;
        self.stop_feed(run).await;
        cleaned.map_err(|error| refused(&error))
    }

    async fn release(&self, run: &RunId) -> Result<(), PlatformError> {
        self.stop_feed(run).await;
        Ok(())
    }

    async fn left_behind(&self) -> Result<BTreeMap<RunId, usize>, PlatformError> {
        let namespace = self.namespace().await.map_err(|error| refused(&error))?;
        self.cleaner(&namespace).runs().await.map_err(|error| refused(&error))
    }

    async fn room(&self) -> Result<Option<Room>, PlatformError> {
        let deadline = self.clock.now() + QUESTIONS;
        let room = room::room(&self.cluster, &self.settings.node_selector, deadline).await;
        room.map(Some).map_err(|error| refused(&error))
    }

    async fn hold(&self, run: &RunId, ledger: &Path) -> Result<(), PlatformError> {
        self.autoscaler(run).hold(ledger).await.map_err(|error| refused(&error))
    }

    async fn settle(&self, run: &RunId, ledger: &Path) -> Result<(), PlatformError> {
        self.autoscaler(run).settle(ledger).await.map_err(|error| refused(&error))
    }

    async fn sources(&self, deploy: &Deploy, sampling: Sampling) -> Vec<BoxFuture<'static, ()>> {
        let Ok(namespace) = self.namespace().await else { return Vec::new() };
        let Sampling { period, out, stop } = sampling;
        let pace = Pace { period, out, stop, clock: self.clock };
        let functions: HashMap<_, _> = (deploy.functions.iter())
            .map(|function| (names::service(&function.name, &deploy.run), function.name.clone()))
            .collect();
        let autoscaler = AutoscalerSource {
            cluster: Arc::clone(&self.cluster),
            prometheus: self.settings.prometheus.clone(),
            namespace: namespace.clone(),
            suffix: names::suffix(&deploy.run).to_owned(),
            services: functions.keys().cloned().collect(),
        };
        let (run, cluster) = (deploy.run.clone(), Arc::clone(&self.cluster));
        let nodes = NodeSource { run, cluster, namespace, functions, pace: pace.clone() };
        vec![Box::pin(nodes.follow()), Box::pin(autoscaler.follow(pace))]
    }

    async fn facts(&self) -> Vec<Fact> {
        match Box::pin(Self::facts(self)).await {
            Ok(facts) => facts,
            Err(error) => vec![Fact::new("unreachable", error.to_string())],
        }
    }

    async fn shutdown(&self) {
        let runs: Vec<_> = self.feeds().keys().cloned().collect();
        for run in runs {
            self.stop_feed(&run).await;
        }
        self.tasks.close();
        self.tasks.wait().await;
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
    async fn without_an_image_nothing_is_asked_of_the_cluster() {
        let knative = Knative::new(Settings { namespace: Some("n".to_owned()), ..Settings::default() }, Clock);
        let deploy = crate::platform::testkit::deploy(&["f"]);
        let deployed = knative.deploy(deploy, watch::Sender::new(0), CancellationToken::new()).await;
        assert_eq!(
            deployed.unwrap_err().to_string(),
            "platform knative: there is no image of the function: set knative.image, or deploy.image in the spec"
        );
    }
}
