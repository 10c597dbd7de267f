//! A pod from its creation to its end, with the events of `watch/pods.hello-grpc.jsonl`; its container is a `trace-func` process.

use std::{process::Stdio, sync::Arc, time::Duration};

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::watch,
};

use super::{Failure, PODS, Shared, controllers::labels, function::Function, stamp};
use crate::bin;

/// The name of the first node.
pub(super) const NODE: &str = "knative-control-plane";

/// Why a pod has no node: podstatus.pending-unschedulable.json.
pub(super) const UNSCHEDULABLE: &str = "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are \
                                        available: 1 No preemption victims found for incoming pod.";

/// From creation to being scheduled, and from there to a sandbox: the medians of `coldstart-breakdown.txt`.
const SCHEDULED: Duration = Duration::from_millis(22);
const SANDBOX: Duration = Duration::from_millis(510);
/// From running containers to readiness.
const READY: Duration = Duration::from_millis(64);
/// From the wish to delete to the end.
const GRACE: Duration = Duration::from_secs(30);

fn condition(kind: &str, holds: bool) -> Value {
    json!({"type": kind, "status": if holds { "True" } else { "False" }})
}

/// Conditions as a pod has them that has a node.
fn conditions(sandbox: bool, ready: bool) -> Value {
    json!([
        condition("PodReadyToStartContainers", sandbox),
        condition("Initialized", true),
        condition("Ready", ready),
        condition("ContainersReady", ready),
        condition("PodScheduled", true),
    ])
}

fn containers(state: &Value, ready: bool) -> Value {
    let one = |name: &str, image: &str| {
        json!({"name": name, "image": image, "imageID": image, "ready": ready, "restartCount": 0, "started": ready,
               "state": state, "lastState": {}})
    };
    json!([one("queue-proxy", "dev.local/queue:v1"), one("user-container", "dev.local/fn:v1")])
}

pub(super) struct PodLife {
    pub(super) shared: Arc<Shared>,
    pub(super) function: Arc<Function>,
    pub(super) revision: String,
    pub(super) name: String,
    pub(super) failure: Option<Failure>,
    /// Becomes true when it is asked to end.
    pub(super) go: watch::Receiver<bool>,
}

impl PodLife {
    pub(super) async fn live(mut self) {
        let shared = Arc::clone(&self.shared);
        let resources = shared.service(&self.function).map(|service| {
            let template = &service["spec"]["template"];
            (template["spec"]["containers"][0]["resources"].clone(), template["metadata"]["labels"].clone())
        });
        let Some((resources, of_template)) = resources else { return };
        let mut labelled = labels(&self.function.name, &self.revision);
        for (name, value) in of_template.as_object().into_iter().flatten() {
            labelled[name] = value.clone();
        }
        let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{}-deployment-6f774d6c78", self.revision),
                            "uid": "u", "controller": true}]);
        shared.put(
            PODS,
            json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": self.name, "namespace": self.function.namespace, "labels": labelled, "ownerReferences": owner},
                "spec": {"nodeName": shared.shape.node_of(&self.name), "containers": [
                    {"name": "user-container", "image": "dev.local/fn:v1", "resources": resources},
                    {"name": "queue-proxy", "image": "dev.local/queue:v1", "resources": {"requests": {"cpu": "25m"}}}]},
                "status": {"phase": "Pending", "qosClass": "Burstable"},
            }),
        );
        let mut child = None;
        let mut go = self.go.clone();
        tokio::select! {
            () = self.come_up(&mut child) => {}
            _ = go.wait_for(|go| *go) => {}
        }
        self.end(child).await;
    }

    fn status(&self, status: Value) {
        self.shared.edit(PODS, &self.function.namespace, &self.name, |pod| pod["status"] = status);
    }

    /// Comes up, and then never returns but when its process ends.
    async fn come_up(&mut self, child: &mut Option<Child>) {
        let shared = Arc::clone(&self.shared);
        shared.schedulable().await;
        shared.pause(SCHEDULED).await;
        if self.failure == Some(Failure::Unschedulable) {
            let mut refused = condition("PodScheduled", false);
            refused["reason"] = json!("Unschedulable");
            refused["message"] = json!(UNSCHEDULABLE);
            self.status(json!({"phase": "Pending", "conditions": [refused]}));
            return std::future::pending().await;
        }
        self.status(json!({"phase": "Pending", "conditions": [condition("PodScheduled", true)]}));
        shared.pause(SANDBOX).await;
        let creating = json!({"waiting": {"reason": "ContainerCreating"}});
        let waits = |state: &Value| json!({"phase": "Pending", "conditions": conditions(true, false), "containerStatuses": containers(state, false)});
        self.status(waits(&creating));
        if self.failure == Some(Failure::BadImage) {
            let message = "Back-off pulling image \"dev.local/nope:v1\"";
            self.status(waits(&json!({"waiting": {"reason": "ErrImagePull", "message": message}})));
            shared.pause(SANDBOX).await;
            self.status(waits(&json!({"waiting": {"reason": "ImagePullBackOff", "message": message}})));
            return std::future::pending().await;
        }
        let kind = self.function.rules().kind;
        let started = Command::new(bin("trace-func"))
            .args(["--host", "127.0.0.1", "--port", "0", "--die-with-parent"])
            .env("HOSTNAME", &self.name)
            .env("FUNC_TYPE_ENV", kind)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let process = child.insert(started.expect("trace-func was built"));
        let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let address = loop {
            let Ok(Some(line)) = lines.next_line().await else { return };
            if let Some(address) = line.strip_prefix("listening on ") {
                break address.to_owned();
            }
        };
        let state = json!({"running": {"startedAt": stamp::now()}});
        let running = containers(&state, false);
        self.status(json!({"phase": "Running", "conditions": conditions(true, false), "containerStatuses": running}));
        // The activator probes the pod itself, so that it is used before its readiness is reported.
        let stream = TcpStream::connect(&address).await.expect("it listens");
        let _without = stream.set_nodelay(true);
        let (connection, driver) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("it speaks HTTP/2");
        tokio::spawn(async move {
            // It ends with the process.
            let _ended = driver.await;
        });
        self.function.join(&self.name, connection);
        shared.pause(READY).await;
        let running = containers(&state, true);
        self.status(json!({"phase": "Running", "conditions": conditions(true, true), "containerStatuses": running}));
        shared.scaled(&self.function);
        let _died = process.wait().await;
    }

    async fn end(&self, child: Option<Child>) {
        let shared = &self.shared;
        self.function.leave(&self.name);
        shared.pod_ended(&self.function, &self.name);
        shared.scaled(&self.function);
        let namespace = &self.function.namespace;
        shared.edit(PODS, namespace, &self.name, |pod| {
            pod["metadata"]["deletionTimestamp"] = json!(stamp::later(GRACE));
            pod["metadata"]["deletionGracePeriodSeconds"] = json!(GRACE.as_secs());
        });
        if let Some(mut child) = child {
            if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
                // It drains what it works on; it may have ended.
                let _ended = kill(Pid::from_raw(pid), Signal::SIGTERM);
            }
            let _reaped = child.wait().await;
        }
        shared.pause(GRACE).await;
        // As the kubelet deletes it, which is the end.
        shared.edit(PODS, namespace, &self.name, |pod| {
            pod["metadata"]["deletionTimestamp"] = json!(stamp::now());
            pod["metadata"]["deletionGracePeriodSeconds"] = json!(0);
            pod["status"]["phase"] = json!("Succeeded");
        });
        shared.remove(PODS, namespace, &self.name);
    }
}
