//! A fake of a Knative cluster: an API server, Knative's controllers and Kourier's gateway, in this process and on loopback.
//!
//! ```text
//! loaderd ──▶ api ──▶ store ◀── controllers (Service ─▶ Revision, PodAutoscaler ─▶ pods ─▶ trace-func processes)
//!    └─────▶ gateway ──▶ function (queue, autoscaler) ─────────────────────────────────────────▲
//! ```
//!
//! It follows what was recorded of Kubernetes 1.36 with Knative 1.23: each part names its recording. Waiting times are those that
//! were recorded, divided by a common factor, so that tests are quick.
#![expect(clippy::disallowed_methods, reason = "its tasks end with its runtime")]

mod api;
mod components;
mod controllers;
mod function;
mod garbage;
mod gateway;
mod jobs;
mod kubelet;
mod pod;
mod rbac;
mod refusal;
mod shape;
mod stamp;
mod startup;
mod store;
mod watches;

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime, sync::watch, time::sleep};

use self::{function::Function, rbac::Permissions, startup::Port, store::Store};
pub use self::{
    jobs::ContainerEnd,
    shape::{Ingress, Shape},
    startup::Early,
};

const SERVICES: &str = "services.serving.knative.dev";
const REVISIONS: &str = "revisions.serving.knative.dev";
const AUTOSCALERS: &str = "podautoscalers.autoscaling.internal.knative.dev";
const PODS: &str = "pods";

/// The file with the certificate of the gateway.
const GATEWAY_CA: &str = "gateway.pem";

/// The one token that the API server knows at first.
const TOKEN: &str = "token-1";

/// What goes wrong with a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The webhook refuses its Service.
    Webhook,
    /// Its process ends: `revision.fn-crash.json`.
    Crash,
    /// Its image cannot be pulled: `revision.fn-badimage.json`.
    BadImage,
    /// No node has room: `podstatus.pending-unschedulable.json`.
    Unschedulable,
    /// The namespace's quota is used up. Not recorded: as the sources of Knative 1.23 pass the Deployment's condition on.
    Quota,
}

impl Failure {
    /// What the revision says, where it is the first to say something.
    fn of_revision(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Crash => Some(("ExitCode0", "Container failed with: container exited with no error")),
            Self::Quota => Some((
                "FailedCreate",
                "pods \"f-00001-deployment-6f774d6c78-v57z2\" is forbidden: exceeded quota: compute, requested: cpu=25m, used: \
                 cpu=1, limited: cpu=1",
            )),
            Self::Webhook | Self::BadImage | Self::Unschedulable => None,
        }
    }
}

/// A request that the API server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// As Kubernetes names it: get, list, watch, patch, create, delete.
    pub verb: &'static str,
    /// With its group, such as `services.serving.knative.dev`.
    pub resource: String,
    /// The name of the object; empty for a request about several.
    pub name: String,
}

/// What is wrong with the cluster.
#[derive(Debug, Default)]
struct Faults {
    /// By the beginning of a Service's name.
    functions: Vec<(String, Failure)>,
    /// Verb and resource of each request that is refused.
    forbidden: Vec<(String, String)>,
    /// What the roles of the token's identity allow.
    permissions: Permissions,
    token: String,
    /// What the API server lacks, as it has just come back.
    early: Option<Early>,
    /// How long each event of a watch takes.
    slowness: Duration,
}

/// A pod that has not been asked to end: its name, and the sender that asks it to.
type PodHandle = (String, watch::Sender<bool>);

struct Shared {
    store: Mutex<Store>,
    version: watch::Sender<u64>,
    faults: Mutex<Faults>,
    asked: Mutex<Vec<Asked>>,
    functions: Mutex<BTreeMap<String, Arc<Function>>>,
    /// By the function's name, the oldest first.
    pods: Mutex<HashMap<String, Vec<PodHandle>>>,
    pods_made: Mutex<u64>,
    jobs: Mutex<jobs::Running>,
    /// Whether the API server can be reached.
    away: watch::Sender<bool>,
    /// Which components have no pod.
    components_away: watch::Sender<components::Away>,
    /// Raised to end all watches.
    cuts: watch::Sender<u64>,
    /// Whether watches deliver nothing.
    held: watch::Sender<bool>,
    /// How long the garbage collector takes to find what a Service owned that was deleted in the background.
    collection: Mutex<Duration>,
    /// Raised to replace the pods of the gateway.
    rollouts: watch::Sender<u64>,
    shape: Shape,
    /// Answers to GETs of whole paths: what nodes and pods expose.
    pages: Mutex<HashMap<String, String>>,
    haste: u32,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn haste(&self) -> u32 {
        self.haste
    }

    /// Waits for a time that was recorded, in this cluster's haste.
    async fn pause(&self, recorded: Duration) {
        sleep(recorded / self.haste).await;
    }

    fn put(&self, resource: &str, object: Value) -> Value {
        let mut store = lock(&self.store);
        let stored = store.put(resource, object);
        self.version.send_replace(store.version());
        stored
    }

    fn edit(&self, resource: &str, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) -> bool {
        let mut store = lock(&self.store);
        let there = store.edit(resource, namespace, name, change);
        self.version.send_replace(store.version());
        there
    }

    fn remove(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let mut store = lock(&self.store);
        let removed = store.remove(resource, namespace, name);
        self.version.send_replace(store.version());
        removed
    }

    /// Its Service; absent when it is deleted, also while it is still there.
    fn service(&self, function: &Function) -> Option<Value> {
        let service = lock(&self.store).get(SERVICES, &function.namespace, &function.name).cloned();
        service.filter(|service| service["metadata"]["deletionTimestamp"].is_null())
    }

    fn failure_of(&self, service: &str) -> Option<Failure> {
        lock(&self.faults).functions.iter().find(|(name, _)| service.starts_with(name.as_str())).map(|(_, it)| *it)
    }

    fn functions(&self) -> Vec<Arc<Function>> {
        lock(&self.functions).values().cloned().collect()
    }

    fn function_of(&self, authority: &str) -> Option<Arc<Function>> {
        lock(&self.functions).get(authority).cloned()
    }

    /// A setting of `config-autoscaler`.
    fn autoscaler_setting(&self, name: &str) -> Option<String> {
        let store = lock(&self.store);
        let config = store.get("configmaps", "knative-serving", "config-autoscaler")?;
        config["data"][name].as_str().map(str::to_owned)
    }

    fn scales_to_zero(&self) -> bool {
        self.autoscaler_setting("enable-scale-to-zero").as_deref() != Some("false")
    }

    fn start_pod(self: &Arc<Self>, function: &Arc<Function>, failure: Option<Failure>) {
        let number = {
            let mut made = lock(&self.pods_made);
            *made += 1;
            *made
        };
        let name = format!("{}-00001-deployment-6f774d6c78-{number:05}", function.name);
        let stop = controllers::start(self, function, name.clone(), failure);
        lock(&self.pods).entry(function.name.clone()).or_default().push((name, stop));
    }

    /// Lets the youngest pods go, but for `keep`.
    fn stop_pods(&self, function: &Function, keep: usize) {
        let mut pods = lock(&self.pods);
        let Some(pods) = pods.get_mut(&function.name) else { return };
        while pods.len() > keep {
            if let Some((_, stop)) = pods.pop() {
                stop.send_replace(true);
            }
        }
    }

    /// A pod ends by itself.
    fn pod_ended(&self, function: &Function, pod: &str) {
        if let Some(pods) = lock(&self.pods).get_mut(&function.name) {
            pods.retain(|(name, _)| name != pod);
        }
    }

    fn pods_of(&self, function: &Function) -> usize {
        lock(&self.pods).get(&function.name).map_or(0, Vec::len)
    }

    fn pods_ready(&self, function: &Function) -> usize {
        let selector = format!("serving.knative.dev/service={}", function.name);
        let store = lock(&self.store);
        let pods = store.list(PODS, &function.namespace).filter(|pod| store::selects(&selector, pod));
        let ready = |pod: &&Value| {
            let conditions = pod["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
            pod["metadata"]["deletionTimestamp"].is_null()
                && conditions.iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
        };
        pods.filter(ready).count()
    }

    /// Reports the desired and the actual scale in the PodAutoscaler: the sequence of `watch/pa.hello-grpc.jsonl`.
    fn scaled(&self, function: &Function) {
        let (desired, actual) = (function.desired(), self.pods_ready(function));
        let (status, reason) = match (desired, actual) {
            (0, _) => ("False", "NoTraffic"),
            (_, 0) => ("Unknown", "Queued"),
            _ => ("True", ""),
        };
        let condition = |kind: &str| json!({"type": kind, "status": status, "reason": reason});
        let wanted = json!({
            "actualScale": actual, "desiredScale": desired, "conditions": [condition("Active"), condition("Ready")],
            "observedGeneration": 1,
        });
        let name = format!("{}-00001", function.name);
        let known = lock(&self.store).get(AUTOSCALERS, &function.namespace, &name).map(|it| it["status"].clone());
        if known.is_some_and(|known| stamp::without_transitions(known) != wanted) {
            self.edit(AUTOSCALERS, &function.namespace, &name, |object| {
                object["status"] = wanted;
                object["metadata"]["managedFields"] = stamp::written_by("autoscaler");
            });
        }
    }
}

/// A fake cluster; it ends when it is dropped, with everything that it started.
pub struct Cluster {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    directory: tempfile::TempDir,
    api: SocketAddr,
    authority: Arc<kubelet::Authority>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("api", &self.api).finish_non_exhaustive()
    }
}

/// The namespace that the kubeconfig names.
pub const NAMESPACE: &str = "loader";

impl Cluster {
    /// Starts a cluster that is ten times as quick as the recorded one.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start() -> Self {
        Self::start_as(&Shape::default())
    }

    /// Starts one that is made in another way.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start_as(shape: &Shape) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let directory = tempfile::tempdir().expect("a directory");
        let listen = async || TcpListener::bind(SocketAddr::from((shape.gateway_node(), 0))).await.expect("a port");
        let (api, gateway, secured) = runtime.block_on(async { (Port::hold(), listen().await, listen().await) });
        let port = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
        let ports = (port(&gateway), if shape.tls { port(&secured) } else { 0 });
        let address = api.address();
        let shared = Arc::new(Shared {
            store: Mutex::default(),
            version: watch::Sender::new(0),
            faults: Mutex::new(Faults {
                token: TOKEN.to_owned(),
                permissions: Permissions::shipped(),
                ..Faults::default()
            }),
            asked: Mutex::default(),
            functions: Mutex::default(),
            pods: Mutex::default(),
            pods_made: Mutex::default(),
            jobs: Mutex::default(),
            away: watch::Sender::new(false),
            components_away: watch::Sender::new(components::Away::default()),
            cuts: watch::Sender::new(0),
            held: watch::Sender::new(false),
            collection: Mutex::new(garbage::COLLECTION),
            rollouts: watch::Sender::new(0),
            shape: shape.clone(),
            pages: Mutex::default(),
            haste: 10,
        });
        for (resource, object) in furniture(shape, ports) {
            shared.put(resource, object);
        }
        runtime.spawn(api::serve(api, Arc::clone(&shared)));
        runtime.spawn(gateway::serve(gateway, Arc::clone(&shared), None));
        if shape.tls {
            let (acceptor, certificate) = shape::secured();
            fs::write(directory.path().join(GATEWAY_CA), certificate).expect("writes");
            runtime.spawn(gateway::serve(secured, Arc::clone(&shared), Some(acceptor)));
        }
        runtime.spawn(controllers::autoscale(Arc::clone(&shared)));
        let authority = Arc::new(kubelet::Authority::new("kubernetes"));
        let cluster = Self { shared, runtime: Some(runtime), directory, api: address, authority };
        for node in shape.node_names() {
            cluster.start_kubelet(&node, Arc::clone(&cluster.authority));
        }
        cluster.write_kubeconfig(TOKEN);
        cluster
    }

    /// The kubeconfig by which it is reached.
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("kubeconfig")
    }

    /// A configuration for `loaderd` that names it, written next to the kubeconfig.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn loaderd_config(&self, more: &str) -> PathBuf {
        let path = self.directory.path().join("loaderd.toml");
        let kubeconfig = self.kubeconfig();
        let text = format!("[knative]\nkubeconfig = {kubeconfig:?}\nimage = \"dev.local/fn:v1\"\n{more}\n");
        fs::write(&path, text).expect("writes");
        path
    }

    /// Where it keeps its files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn write_kubeconfig(&self, token: &str) {
        let authority = self.directory.path().join("ca.pem");
        fs::write(&authority, self.authority.pem()).expect("writes");
        let mut credential = format!("token: {token}");
        if self.shared.shape.token_file {
            let file = self.directory.path().join("token");
            replace(&file, token);
            credential = format!("tokenFile: {}", file.display());
        }
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: fake\nclusters:\n- name: fake\n  \
             cluster: {{server: 'http://{}', certificate-authority: {authority:?}}}\nusers:\n- name: limited\n  user: {{{credential}}}\n\
             contexts:\n- name: fake\n  context: {{cluster: fake, user: limited, namespace: {NAMESPACE}}}\n",
            self.api
        );
        replace(&self.kubeconfig(), &text);
    }

    /// Makes a function fail: one whose Service's name begins so.
    pub fn fail(&self, function: &str, failure: Failure) {
        lock(&self.shared.faults).functions.push((format!("{function}-"), failure));
    }

    /// Lets all functions come up again.
    pub fn heal(&self) {
        lock(&self.shared.faults).functions.clear();
    }

    /// Takes a permission away.
    pub fn forbid(&self, verb: &str, resource: &str) {
        lock(&self.shared.faults).forbidden.push((verb.to_owned(), resource.to_owned()));
    }

    /// Makes the token that of an administrator, who may do everything.
    pub fn grant_everything(&self) {
        lock(&self.shared.faults).permissions = Permissions::of_administrator();
    }

    /// Lets the token expire; with `renewed`, the kubeconfig has a good one again.
    pub fn expire_token(&self, renewed: bool) {
        let mut faults = lock(&self.shared.faults);
        faults.token.push('1');
        // Before the new one is required.
        if renewed {
            self.write_kubeconfig(&faults.token);
        }
        drop(faults);
        self.cut_watches();
    }

    /// Makes every event of a watch take so long.
    pub fn slow_watches(&self, slowness: Duration) {
        lock(&self.shared.faults).slowness = slowness;
    }

    /// Ends all open watches; clients may resume them.
    pub fn cut_watches(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Ends all watches, and lets none resume: each gets a 410.
    pub fn forget_history(&self) {
        lock(&self.shared.store).forget();
        self.cut_watches();
    }

    /// Makes the API server unreachable, or reachable again. The gateway is not touched.
    pub fn set_away(&self, away: bool) {
        self.shared.away.send_replace(away);
    }

    /// Makes the API server answer as one that has just come back, or as always again.
    pub fn set_early(&self, early: Option<Early>) {
        lock(&self.shared.faults).early = early;
    }

    /// Replaces the pods of the gateway, one after the other: none is away at any time.
    pub fn roll_gateway(&self) {
        self.shared.rollouts.send_modify(|rollouts| *rollouts += 1);
    }

    /// The certificate by which functions are reached, where the cluster has TLS.
    pub fn gateway_ca(&self) -> PathBuf {
        self.directory.path().join(GATEWAY_CA)
    }

    /// Answers GETs of a path with a text.
    pub fn page(&self, path: &str, text: &str) {
        lock(&self.shared.pages).insert(path.to_owned(), text.to_owned());
    }

    /// Answers GETs of a path of the control plane's kubelet with a text, such as `/stats/summary`.
    pub fn kubelet_page(&self, path: &str, text: &str) {
        self.kubelet_page_of(pod::NODE, path, text);
    }

    /// Answers GETs of a path of a node's kubelet with a text.
    pub fn kubelet_page_of(&self, node: &str, path: &str, text: &str) {
        self.page(&kubelet::page(node, path), text);
    }

    /// Lets the node's kubelet have a certificate that the cluster's CA has not signed, as kubeadm's have unless they are told to.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn distrust_kubelet(&self) {
        self.start_kubelet(pod::NODE, Arc::new(kubelet::Authority::new("kubelet-ca")));
    }

    /// Starts a node's kubelet at its address, which takes the place of the one before.
    fn start_kubelet(&self, node: &str, authority: Arc<kubelet::Authority>) {
        let known = self.get("nodes", "", node).expect("it was made");
        let address = known["status"]["addresses"][0]["address"].as_str().expect("has one").to_owned();
        let runtime = self.runtime.as_ref().expect("it has not ended");
        let listener = runtime.block_on(TcpListener::bind((address, 0))).expect("a port");
        let endpoint = kubelet::status(listener.local_addr().expect("it is bound"));
        self.shared.edit("nodes", "", node, |node| node["status"]["daemonEndpoints"] = endpoint);
        runtime.spawn(kubelet::serve(Arc::from(node), listener, authority, Arc::clone(&self.shared)));
    }

    /// Applies `config/kubernetes/rbac-nodes-proxy.yaml`, too.
    pub fn opt_in_to_nodes_proxy(&self) {
        lock(&self.shared.faults).permissions = Permissions::with_nodes_proxy();
    }

    /// Writes an object as another client would.
    pub fn put(&self, resource: &str, object: Value) {
        self.shared.put(resource, object);
    }

    /// Deletes an object as another client would.
    ///
    /// # Panics
    /// After its end.
    pub fn delete(&self, resource: &str, name: &str) -> bool {
        let runtime = self.runtime.as_ref().expect("it has not ended");
        let _entered = runtime.enter();
        garbage::delete(&self.shared, resource, NAMESPACE, name, garbage::Cascade::Background).is_some()
    }

    /// Takes an object away that has no namespace, or lies in another one.
    pub fn remove(&self, resource: &str, namespace: &str, name: &str) {
        self.shared.remove(resource, namespace, name);
    }

    /// An object as it is stored; absent when it does not exist.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        lock(&self.shared.store).get(resource, namespace, name).cloned()
    }

    /// The names of a resource's objects in the loader's namespace.
    pub fn names(&self, resource: &str) -> Vec<String> {
        let store = lock(&self.shared.store);
        store.list(resource, NAMESPACE).filter_map(|it| it["metadata"]["name"].as_str().map(str::to_owned)).collect()
    }

    /// All requests to the API server so far.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.shared.asked).clone()
    }

    /// The requests, counted by verb and resource: for a message.
    pub fn asked_by_kind(&self) -> String {
        let mut counts = BTreeMap::new();
        for Asked { verb, resource, .. } in self.asked() {
            *counts.entry((verb, resource)).or_insert(0_u32) += 1;
        }
        counts.into_iter().fold(String::new(), |mut text, ((verb, resource), count)| {
            let _never_fails = write!(text, "{verb} {resource}: {count}; ");
            text
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(10));
        }
    }
}

/// Replaces a file by renaming, so that no reader gets half of it.
fn replace(path: &Path, text: &str) {
    let whole = path.with_extension("whole");
    fs::write(&whole, text).expect("writes");
    fs::set_permissions(&whole, fs::Permissions::from_mode(0o600)).expect("it is ours");
    fs::rename(whole, path).expect("renames");
}

/// The initial objects of a cluster: `node.json`, `kourier-service.json`, `configmaps/`. With the ports of the gateway.
fn furniture(shape: &Shape, (plain, secured): (u16, u16)) -> Vec<(&'static str, Value)> {
    let namespace = |name: &str| {
        let labels = json!({"kubernetes.io/metadata.name": name, "app.kubernetes.io/version": "1.23.0"});
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    };
    let config = |name: &str, data: Value| {
        let metadata = json!({"name": name, "namespace": "knative-serving"});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    };
    let ingress = shape.ingress.object(plain, secured);
    let mut all: Vec<_> = shape.nodes().into_iter().map(|node| ("nodes", node)).collect();
    all.push(("services", ingress));
    for name in [NAMESPACE, "default", "knative-serving", shape.ingress.service()[0]] {
        all.push(("namespaces", namespace(name)));
    }
    all.push(("configmaps", config("config-autoscaler", json!({"allow-zero-initial-scale": "true"}))));
    all.push(("configmaps", config("config-observability", json!({"metrics-protocol": "prometheus"}))));
    all.push(("configmaps", config("config-features", json!({}))));
    all
}
