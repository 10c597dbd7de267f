//! The life of a Job's pod.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    sync::watch,
};

use super::{
    super::{Failure, PODS, Shared, lock, pod::UNSCHEDULABLE, replace, stamp},
    ContainerEnd, JOBS, SECRETS,
};
use crate::bin;

/// From creation to being scheduled, and from there to a running container, as of a function's pod.
const SCHEDULED: Duration = Duration::from_millis(22);
const STARTED: Duration = Duration::from_millis(600);

/// How long a container may take to end by itself.
const GRACE: Duration = Duration::from_secs(30);

/// A pod that starts, runs and ends.
pub(super) struct Life {
    pub(super) shared: Arc<Shared>,
    pub(super) namespace: String,
    pub(super) job: String,
    pub(super) name: String,
    pub(super) index: u32,
    pub(super) ends: watch::Receiver<Option<ContainerEnd>>,
    pub(super) process: watch::Sender<Option<u32>>,
}

impl Life {
    pub(super) async fn live(mut self) {
        // What its volumes are.
        let Ok(volumes) = tempfile::tempdir() else { return };
        let mut child = None;
        let mut ends = self.ends.clone();
        let end = tokio::select! {
            exit = self.come_up(volumes.path(), &mut child) => exit,
            asked = ends.wait_for(Option::is_some) => asked.ok().and_then(|end| end.clone()).unwrap_or(ContainerEnd::Deleted),
        };
        self.end(end, child).await;
    }

    fn status(&self, change: impl FnOnce(&mut Value)) {
        self.shared.edit(PODS, &self.namespace, &self.name, |pod| change(&mut pod["status"]));
    }

    fn container(&self, state: &Value) -> Value {
        json!([{"name": "worker", "image": "dev.local/loaderd:v1", "imageID": "", "ready": !state["running"].is_null(),
                "restartCount": 0, "started": !state["running"].is_null(), "state": state, "lastState": {}}])
    }

    /// Comes up, and returns when its program has ended.
    async fn come_up(&mut self, volumes: &Path, child: &mut Option<Child>) -> ContainerEnd {
        let shared = Arc::clone(&self.shared);
        shared.schedulable().await;
        shared.pause(SCHEDULED).await;
        let failure = shared.failure_of(&self.name);
        if failure == Some(Failure::Unschedulable) {
            let refused =
                json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": UNSCHEDULABLE});
            self.status(|status| status["conditions"] = json!([refused]));
            return std::future::pending().await;
        }
        let node = shared.shape.node_of(&self.name);
        shared.edit(PODS, &self.namespace, &self.name, |pod| {
            pod["spec"]["nodeName"] = json!(node);
            pod["status"]["conditions"] = json!([{"type": "PodScheduled", "status": "True"}]);
            pod["status"]["containerStatuses"] = self.container(&json!({"waiting": {"reason": "ContainerCreating"}}));
        });
        shared.pause(STARTED).await;
        if failure == Some(Failure::BadImage) {
            let message = "Back-off pulling image \"dev.local/loaderd:v1\"";
            let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": message}});
            self.status(|status| status["containerStatuses"] = self.container(&waiting));
            return std::future::pending().await;
        }
        // A volume of a Secret that is not there yet holds the pod up.
        let Some(pod) = self.volumes(volumes).await else { return std::future::pending().await };
        let programs = lock(&shared.jobs).programs;
        if programs {
            let spawned = self.command(&pod, volumes).spawn().expect("loaderd was built");
            self.process.send_replace(spawned.id());
            *child = Some(spawned);
        }
        self.status(|status| {
            status["phase"] = json!("Running");
            status["containerStatuses"] = self.container(&json!({"running": {"startedAt": stamp::now()}}));
        });
        let Some(child) = child else { return std::future::pending().await };
        let ended = child.wait().await.expect("it is ours");
        let last = fs::read_to_string(volumes.join("stderr")).unwrap_or_default();
        let last: Vec<&str> = last.lines().rev().take(80).collect();
        let message = last.into_iter().rev().collect::<Vec<_>>().join("\n");
        let signal = std::os::unix::process::ExitStatusExt::signal(&ended);
        ContainerEnd::Exit(ended.code().unwrap_or(128 + signal.unwrap_or_default()), message)
    }

    /// Makes the volumes, once what they come from is there: the pod.
    async fn volumes(&self, to: &Path) -> Option<Value> {
        let mut versions = self.shared.version.subscribe();
        let pod = lock(&self.shared.store).get(PODS, &self.namespace, &self.name).cloned()?;
        for volume in pod["spec"]["volumes"].as_array().into_iter().flatten() {
            let directory = to.join(volume["name"].as_str()?);
            fs::create_dir(&directory).ok()?;
            let Some(secret) = volume["secret"]["secretName"].as_str() else { continue };
            let content = loop {
                let found = lock(&self.shared.store).get(SECRETS, &self.namespace, secret).cloned();
                match found {
                    Some(found) => break found["stringData"].clone(),
                    None => versions.changed().await.ok()?,
                }
            };
            for (file, text) in content.as_object().into_iter().flatten() {
                replace(&directory.join(file), text.as_str()?);
            }
        }
        Some(pod)
    }

    /// The program as the pod's container has it. Where its arguments name a volume they name the directory that it is here.
    fn command(&self, pod: &Value, volumes: &Path) -> Command {
        let container = &pod["spec"]["containers"][0];
        let mounts: Vec<(&str, PathBuf)> = container["volumeMounts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|mount| Some((mount["mountPath"].as_str()?, volumes.join(mount["name"].as_str()?))))
            .collect();
        let here = |argument: &str| {
            let mounted = mounts.iter().find_map(|(path, directory)| {
                let rest = argument.strip_prefix(path)?;
                Some(format!("{}{rest}", directory.display()))
            });
            mounted.unwrap_or_else(|| argument.to_owned())
        };
        let mut command = Command::new(bin("loaderd"));
        command.args(container["args"].as_array().into_iter().flatten().filter_map(Value::as_str).map(here));
        for variable in container["env"].as_array().into_iter().flatten() {
            let value = match variable["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
                Some("spec.nodeName") => pod["spec"]["nodeName"].as_str().unwrap_or_default().to_owned(),
                Some("metadata.name") => self.name.clone(),
                Some(_) => self.index.to_string(),
                None => variable["value"].as_str().unwrap_or_default().to_owned(),
            };
            command.env(variable["name"].as_str().unwrap_or_default(), value);
        }
        let stderr = fs::File::create(volumes.join("stderr")).expect("writes");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).kill_on_drop(true);
        command
    }

    async fn end(&self, end: ContainerEnd, child: Option<Child>) {
        let is_deleted = end == ContainerEnd::Deleted;
        if is_deleted {
            self.shared.edit(PODS, &self.namespace, &self.name, |pod| {
                pod["metadata"]["deletionTimestamp"] = json!(stamp::later(GRACE));
                pod["metadata"]["deletionGracePeriodSeconds"] = json!(GRACE.as_secs());
            });
        }
        if let Some(mut child) = child {
            let asked = child.id().and_then(|pid| i32::try_from(pid).ok());
            if let Some(pid) = asked.filter(|_| is_deleted) {
                // It may end by itself, for as long as its grace period.
                let _ended = kill(Pid::from_raw(pid), Signal::SIGTERM);
                let _reaped = tokio::time::timeout(GRACE, child.wait()).await;
            }
            let _ended = child.start_kill();
            let _reaped = child.wait().await;
        }
        self.process.send_replace(None);
        self.status(|status| finish(status, &end, |state| self.container(state)));
        lock(&self.shared.jobs).pods.retain(|pod| pod.name != self.name);
        // It may have been deleted while it ended by itself.
        let is_deleted = is_deleted || *self.ends.borrow() == Some(ContainerEnd::Deleted);
        if is_deleted || end == ContainerEnd::NodeLost {
            self.shared.remove(PODS, &self.namespace, &self.name);
        }
        self.count(matches!(end, ContainerEnd::Exit(0, _)));
    }

    /// Counts a pod that has ended in its Job's status.
    fn count(&self, succeeded: bool) {
        let field = if succeeded { "succeeded" } else { "failed" };
        self.shared.edit(JOBS, &self.namespace, &self.job, |job| {
            let known = job["status"][field].as_u64().unwrap_or_default();
            job["status"][field] = json!(known + 1);
            let ended = ["succeeded", "failed"].map(|it| job["status"][it].as_u64().unwrap_or_default());
            if Some(ended.iter().sum()) == job["spec"]["completions"].as_u64() {
                let (kind, reason) =
                    if ended[1] == 0 { ("Complete", "CompletionsReached") } else { ("Failed", "FailedIndexes") };
                job["status"]["conditions"] = json!([{"type": kind, "status": "True", "reason": reason}]);
            }
        });
    }
}

/// The status of a pod that has ended.
fn finish(status: &mut Value, end: &ContainerEnd, container: impl Fn(&Value) -> Value) {
    let terminated = |code: i32, reason: &str, message: &str| {
        let mut end = json!({"exitCode": code, "reason": reason, "finishedAt": stamp::now()});
        if !message.is_empty() {
            end["message"] = json!(message);
        }
        container(&json!({"terminated": end}))
    };
    let target = |reason: &str, message: &str| json!([{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}]);
    status["phase"] = json!(if matches!(end, ContainerEnd::Exit(0, _)) { "Succeeded" } else { "Failed" });
    match end {
        ContainerEnd::OutOfMemory => status["containerStatuses"] = terminated(137, "OOMKilled", ""),
        ContainerEnd::Evicted => {
            let message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 62Mi. ";
            status["reason"] = json!("Evicted");
            status["message"] = json!(message);
            status["conditions"] = target("TerminationByKubelet", message);
            status["containerStatuses"] = terminated(137, "Error", "");
        }
        ContainerEnd::Exit(0, _) => status["containerStatuses"] = terminated(0, "Completed", ""),
        ContainerEnd::Exit(code, message) => status["containerStatuses"] = terminated(*code, "Error", message),
        // Nobody says how the container has ended.
        ContainerEnd::NodeLost => status["conditions"] = target("DeletionByPodGC", "PodGC: node no longer exists"),
        ContainerEnd::Deleted => status["containerStatuses"] = terminated(143, "Error", ""),
    }
}
