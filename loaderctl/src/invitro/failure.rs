//! From a failure configuration to the disturbances of a spec. Pure.
//!
//! What counts is what InVitro does on Knative: it deletes one pod of each component of a group, or restarts the kubelet of
//! nodes over ssh. What a run may disturb by default is taken; of the rest it is noted how to ask for it.

use loader_proto::json::Fault;
use serde_json::{Map, Value, json};

use super::{
    given::{Given, LABEL},
    keys::FAILURE_KEYS,
    kinds::Kind,
    loader::Converted,
};

/// What of its control plane is not deleted here.
const NOT_DELETED: &str = "InVitro also deletes pods of webhook, net-istio-controller and net-istio-webhook (knative-serving), istiod \
                           (istio-system), and of kube-system, whose pods are static and go on; another one is disturbed by an entry \
                           such as { at: 1m, do: deletePods, of: { namespace: knative-serving, selector: app=webhook } } and a Role \
                           for it";

/// What becomes of the restart of a kubelet.
const KUBELET: &str = "InVitro restarts the kubelet over ssh, which is not possible here: the node takes no new pods, to the end of the \
                       load or for the time that `for` gives, and its pods go on, as there; do: drain evicts them";

/// What every disturbance of a cluster needs.
const ALLOWED_BY: &str =
    "disturb = true in section [knative] of the daemon, and config/kubernetes/disturb.yaml in the cluster";

/// Adds what a failure configuration asks for to the spec of the run that it is for. A document that is none is a fault.
pub(crate) fn disturb(converted: &mut Converted, failure: &Map<String, Value>, lenient: bool) {
    let kind = Kind::of(failure);
    if kind != Some(Kind::Failure) {
        let what = kind.map_or("no file of InVitro's".to_owned(), |kind| format!("{LABEL}{}", kind.name()));
        let description =
            format!("is {what}: must be a failure configuration, as InVitro takes it with --failureConfig");
        return converted.faults.push(Fault { field: "--failure".to_owned(), description });
    }
    let mut given = Given::new(failure, FAILURE_KEYS, lenient);
    let disturbances = disturbances(&mut given);
    if !disturbances.is_empty() {
        if converted.document.get("platform").is_some_and(|platform| platform != "knative") {
            given.fault("FailureEnabled", "is true: failures are for platform knative".to_owned());
        }
        given.note("FailureEnabled", &format!("needs {ALLOWED_BY}"));
        converted.document.insert("disturb".to_owned(), Value::Array(disturbances));
    }
    converted.notes.append(&mut given.notes);
    converted.faults.append(&mut given.faults);
}

/// The entries, in their order.
fn disturbances(given: &mut Given) -> Vec<Value> {
    let enabled = given.is_true("FailureEnabled");
    let at = given.whole("FailAt").unwrap_or_default();
    let component = given.text("FailComponent");
    let nodes = given.text("FailNode");
    if !enabled || at == 0 {
        let (key, why) = if enabled { ("FailAt", "0 disables the failure") } else { ("FailureEnabled", "not enabled") };
        FAILURE_KEYS.iter().for_each(|key| given.drop(key.name));
        given.note(key, &format!("{why}, as there: nothing is disturbed"));
        return vec![];
    }
    let at = format!("{at}s");
    given.note("FailAt", "counts from the start of the load, and in InVitro from the end of the deployment");
    let deleted = |of: &str| json!({ "at": at, "do": "deletePods", "of": of });
    match component.as_deref() {
        Some("control_plane") => {
            drop_nodes(given, nodes.as_deref());
            given.note("FailComponent", NOT_DELETED);
            ["autoscaler", "controller"].map(deleted).to_vec()
        }
        Some("data_plane") => {
            drop_nodes(given, nodes.as_deref());
            ["activator", "gateway"].map(deleted).to_vec()
        }
        Some("worker_node") => {
            given.note("FailComponent", KUBELET);
            let named = nodes_of(given, &nodes.unwrap_or_default());
            named.into_iter().map(|node| json!({ "at": at, "do": "cordon", "node": node })).collect()
        }
        other => {
            let is = other.map_or("is absent".to_owned(), |other| format!("is {other:?}"));
            given.fault("FailComponent", format!("{is}: must be control_plane, data_plane or worker_node"));
            vec![]
        }
    }
}

fn drop_nodes(given: &mut Given, nodes: Option<&str>) {
    if nodes.is_some() {
        given.drop("FailNode");
    }
}

/// The names of nodes, each once.
fn nodes_of(given: &mut Given, text: &str) -> Vec<String> {
    let mut nodes: Vec<String> = vec![];
    for name in text.split_whitespace() {
        if !nodes.iter().any(|known| known == name) {
            nodes.push(name.to_owned());
        }
    }
    let is_name = |name: &String| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'));
    if nodes.is_empty() {
        given.fault("FailNode", "is absent: worker_node needs names of nodes, separated by spaces".to_owned());
    } else if let Some(other) = nodes.iter().find(|name| !is_name(name)) {
        let rule =
            format!("has {other:?}: must be names of nodes, as kubectl get nodes lists them, separated by spaces");
        given.fault("FailNode", rule);
    }
    nodes
}

#[cfg(test)]
mod tests;
