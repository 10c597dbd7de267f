//! Knative's controllers: what becomes of a Service, in the steps of `watch/ksvc.hello-grpc.jsonl`, `rev` and `pa`.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, interval},
};

use super::{
    AUTOSCALERS, Failure, REVISIONS, SERVICES, Shared,
    function::{Function, Rules},
    pod::{PodLife, UNSCHEDULABLE},
};

/// The domain of `config-domain`.
const DOMAIN: &str = "example.com";
/// From a pod's creation to the `desiredScale` that made it: 35 to 110 ms.
const STATUS_DELAY: Duration = Duration::from_millis(70);
/// How often the autoscaler looks: it ticks every 2 s, but a request that waits wakes it.
const TICK: Duration = Duration::from_millis(20);

/// The labels that Knative gives to everything of a Service.
pub(super) fn labels(service: &str, revision: &str) -> Value {
    json!({
        "app": revision,
        "serving.knative.dev/configuration": service,
        "serving.knative.dev/revision": revision,
        "serving.knative.dev/service": service,
    })
}

/// The host of a Service's URL.
pub(super) fn host(name: &str, namespace: &str) -> String {
    format!("{name}.{namespace}.{DOMAIN}")
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    let mut condition = json!({"type": kind, "status": status});
    if !reason.is_empty() {
        condition["reason"] = json!(reason);
        condition["message"] = json!(message);
    }
    condition
}

/// A Service's conditions: of its configuration, of itself and of its route, which has the same reason.
fn conditions(configuration: [&str; 2], ready: [&str; 2], message: &str) -> Value {
    json!([
        condition("ConfigurationsReady", configuration[0], configuration[1], message),
        condition("Ready", ready[0], ready[1], message),
        condition("RoutesReady", ready[0], ready[1], message),
    ])
}

/// Sets a Service's status; false where it was deleted.
fn set_status(shared: &Shared, function: &Function, conditions: &Value, more: &[(&str, Value)]) -> bool {
    shared.service(function).is_some()
        && shared.edit(SERVICES, &function.namespace, &function.name, |service| {
            service["status"]["conditions"] = conditions.clone();
            service["status"]["observedGeneration"] = service["metadata"]["generation"].clone();
            for (field, value) in more {
                service["status"][field] = value.clone();
            }
        })
}

/// Lets a revision fail. The Service itself never says why: service.fn-crash.json.
fn fail(shared: &Shared, function: &Function, reason: &str, message: &str) {
    let name = &function.name;
    shared.edit(REVISIONS, &function.namespace, &format!("{name}-00001"), |object| {
        object["status"]["conditions"] = json!([condition("Ready", "False", reason, message)]);
    });
    let message = format!("Configuration \"{name}\" does not have any ready Revision.");
    let failed = conditions(["False", "RevisionFailed"], ["False", "RevisionMissing"], &message);
    set_status(shared, function, &failed, &[]);
}

/// Brings a Service up that was just created.
pub(super) async fn bring_up(shared: Arc<Shared>, function: Arc<Function>, failure: Option<Failure>) {
    let (name, namespace) = (function.name.clone(), function.namespace.clone());
    let revision = format!("{name}-00001");
    let status = |conditions: Value, more: &[(&str, Value)]| set_status(&shared, &function, &conditions, more);
    let out_of_date = "The Route/Configuration is still working to reflect the latest desired specification.";
    let missing = format!("Configuration \"{name}\" is waiting for a Revision to become ready.");
    shared.pause(Duration::from_millis(94)).await;
    if !status(conditions(["Unknown", "OutOfDate"], ["Unknown", "OutOfDate"], out_of_date), &[]) {
        return;
    }
    shared.pause(Duration::from_millis(41)).await;
    let scheme = if shared.shape.tls { "https" } else { "http" };
    let url = json!(format!("{scheme}://{}", host(&name, &namespace)));
    let waiting = conditions(["Unknown", "OutOfDate"], ["Unknown", "RevisionMissing"], &missing);
    status(waiting, &[("url", url)]);
    shared.pause(Duration::from_millis(65)).await;
    let object = json!({
        "apiVersion": "serving.knative.dev/v1", "kind": "Revision",
        "metadata": {"name": revision, "namespace": namespace, "labels": labels(&name, &revision)},
        "status": {"conditions": [condition("Ready", "Unknown", "Deploying", "")], "observedGeneration": 1},
    });
    shared.put(REVISIONS, object);
    let waiting = conditions(["Unknown", ""], ["Unknown", "RevisionMissing"], &missing);
    if !status(waiting, &[("latestCreatedRevisionName", json!(revision))]) {
        return;
    }
    let kpa = json!({
        "apiVersion": "autoscaling.internal.knative.dev/v1alpha1", "kind": "PodAutoscaler",
        "metadata": {"name": revision, "namespace": namespace, "labels": labels(&name, &revision)},
        "status": {"actualScale": 0, "desiredScale": -1, "conditions": [condition("Active", "Unknown", "Queued", "")]},
    });
    shared.put(AUTOSCALERS, kpa);
    if let Some((reason, message)) = failure.and_then(Failure::of_revision) {
        shared.pause(Duration::from_secs(2)).await;
        fail(&shared, &function, reason, message);
        return;
    }
    let initial = function.rules().initial;
    for _ in 0..initial {
        shared.start_pod(&function, failure);
    }
    if failure == Some(Failure::Unschedulable) {
        // Within seconds the revision repeats what its pod says.
        shared.pause(Duration::from_secs(5)).await;
        fail(&shared, &function, "Unschedulable", UNSCHEDULABLE);
        return;
    }
    while shared.pods_ready(&function) < initial {
        shared.pause(Duration::from_millis(50)).await;
        if shared.service(&function).is_none() {
            return;
        }
    }
    shared.edit(REVISIONS, &namespace, &revision, |object| {
        object["status"]["conditions"] = json!([condition("Ready", "True", "", "")]);
    });
    let configured = |ready: [&str; 2]| conditions(["True", ""], ready, &missing);
    shared.pause(Duration::from_millis(150)).await;
    status(configured(["Unknown", "RevisionMissing"]), &[("latestReadyRevisionName", json!(revision))]);
    shared.pause(Duration::from_millis(75)).await;
    status(configured(["Unknown", "IngressNotConfigured"]), &[]);
    shared.pause(Duration::from_millis(59)).await;
    status(configured(["Unknown", "Uninitialized"]), &[]);
    shared.pause(Duration::from_millis(165)).await;
    function.route(true);
    status(configured(["True", ""]), &[]);
    shared.scaled(&function);
}

/// Removes a deleted Service's route, its revision and its autoscaler.
pub(super) fn unroute(shared: &Shared, function: &Function) {
    function.route(false);
    let revision = format!("{}-00001", function.name);
    shared.remove(AUTOSCALERS, &function.namespace, &revision);
    shared.remove(REVISIONS, &function.namespace, &revision);
}

/// A Service was changed: what its template says now holds, without a new revision.
pub(super) fn take_over(function: &Function, service: &Value) {
    *function.rules.lock().expect("whole") = Rules::of(service);
}

/// Scales every function up and down until its task is ended.
pub(super) async fn autoscale(shared: Arc<Shared>) {
    let mut tick = interval(TICK);
    loop {
        tick.tick().await;
        if shared.components_away.borrow().autoscaler {
            continue;
        }
        let to_zero = shared.scales_to_zero();
        for function in shared.functions() {
            if !function.is_routed() {
                continue;
            }
            let changed = function.scale(Instant::now(), shared.haste(), to_zero);
            if let Some(desired) = changed {
                shared.stop_pods(&function, desired);
            }
            for _ in shared.pods_of(&function)..function.desired() {
                shared.start_pod(&function, None);
            }
            if changed.is_some() {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    shared.pause(STATUS_DELAY).await;
                    shared.scaled(&function);
                });
            }
        }
    }
}

/// Starts a pod's life.
pub(super) fn start(
    shared: &Arc<Shared>,
    function: &Arc<Function>,
    name: String,
    failure: Option<Failure>,
) -> watch::Sender<bool> {
    let (stop, go) = watch::channel(false);
    let life = PodLife {
        shared: Arc::clone(shared),
        function: Arc::clone(function),
        revision: format!("{}-00001", function.name),
        name,
        failure,
        go,
    };
    tokio::spawn(life.live());
    stop
}
