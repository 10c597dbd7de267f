//! Jobs from their creation to their end, without a daemon.

use super::*;
use crate::eventually;

fn job(count: u32) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "w", "namespace": NAMESPACE, "labels": {"a": "b"}},
        "spec": {
            "completionMode": "Indexed", "completions": count, "parallelism": count, "backoffLimitPerIndex": 0,
            "podReplacementPolicy": "Failed",
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "worker", "env": [], "securityContext": {
                             "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true,
                             "seccompProfile": {"type": "RuntimeDefault"}}}],
                         "volumes": [{"name": "secret", "secret": {"secretName": "w"}}]},
            },
        },
    })
}

fn secret() -> Value {
    let owner = json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "w", "uid": "u"}]);
    json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"token": "t"},
           "metadata": {"name": "w", "namespace": NAMESPACE, "ownerReferences": owner}})
}

fn made(cluster: &Cluster, resource: &str, object: Value) -> Result<Value, Refusal> {
    let _entered = cluster.runtime.as_ref().expect("it has not ended").enter();
    create(&cluster.shared, resource, NAMESPACE, object)
}

/// Each pod's index and phase.
fn phases(cluster: &Cluster) -> Vec<(String, String)> {
    let pods = cluster.names(PODS).into_iter().filter_map(|name| cluster.get(PODS, NAMESPACE, &name));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    pods.map(|pod| (text(&pod["metadata"]["annotations"][INDEX]), text(&pod["status"]["phase"]))).collect()
}

fn are(expected: &[&str]) -> impl Fn(Vec<(String, String)>) -> Option<()> {
    let expected: Vec<_> =
        (0..).zip(expected).map(|(index, phase): (u32, _)| (index.to_string(), (*phase).to_owned())).collect();
    move |phases| (phases == expected).then_some(())
}

#[test]
fn a_job_has_a_pod_for_each_index_none_is_replaced_and_all_goes_with_it() {
    let cluster = Cluster::start();
    made(&cluster, JOBS, job(4)).expect("is taken");
    // Without the Secret that they mount they do not start.
    eventually("nodes", || {
        let pods: Vec<_> = cluster.names(PODS).into_iter().filter_map(|it| cluster.get(PODS, NAMESPACE, &it)).collect();
        let is_placed = |pod: &Value| pod["spec"]["nodeName"].is_string();
        (pods.len() == 4 && pods.iter().all(is_placed)).then_some(())
    });
    assert!(are(&["Pending"; 4])(phases(&cluster)).is_some());
    made(&cluster, SECRETS, secret()).expect("is taken");
    eventually("running pods", || are(&["Running"; 4])(phases(&cluster)));
    assert!(cluster.end_job_pod(0, ContainerEnd::Exit(0, String::new())));
    assert!(cluster.end_job_pod(1, ContainerEnd::OutOfMemory));
    assert!(cluster.end_job_pod(2, ContainerEnd::Evicted));
    eventually("ended pods", || are(&["Succeeded", "Failed", "Failed", "Running"])(phases(&cluster)));
    assert!(!cluster.end_job_pod(1, ContainerEnd::OutOfMemory), "it has ended");
    assert!(cluster.end_job_pod(3, ContainerEnd::NodeLost));
    eventually("a lost pod", || are(&["Succeeded", "Failed", "Failed"])(phases(&cluster)));
    eventually("the Job's end", || {
        let job = cluster.get(JOBS, NAMESPACE, "w").expect("it is there");
        (job["status"]["conditions"][0]["type"] == "Failed" && job["status"]["failed"] == 3).then_some(())
    });
    let _entered = cluster.runtime.as_ref().expect("it has not ended").enter();
    delete(&cluster.shared, NAMESPACE, "w", Cascade::Foreground).expect("is there");
    eventually("nothing", || (!cluster.has_anything_of_jobs()).then_some(()));
}

#[test]
fn a_job_that_breaks_the_rules_is_refused_with_all_that_is_wrong() {
    let per_index = "spec.backoffLimitPerIndex: Invalid value: requires indexed completion mode";
    let failing = json!({"rules": [{"action": "FailIndex", "onPodConditions": [{"type": "DisruptionTarget"}]}, {"action": "Stop"}]});
    let long = "w".repeat(62);
    for (at, value, expected) in [
        ("/metadata/name", json!(long), "its pods have no valid hostname"),
        ("/metadata/labels/a", json!("no value"), "a valid label must be 63 characters or less (a)"),
        ("/spec/completionMode", json!("NonIndexed"), per_index),
        ("/spec/completions", Value::Null, "spec.completions: Required value"),
        ("/spec/template/spec/restartPolicy", json!("OnFailure"), "only \"Never\""),
        ("/spec/podFailurePolicy", failing.clone(), "onPodConditions[]: type and status are required"),
        ("/spec/podFailurePolicy", failing.clone(), "action: Unsupported value: \"Stop\""),
        ("/spec/podFailurePolicy", failing, "specifying one of onExitCodes and onPodConditions is required"),
        ("/spec/template/spec/volumes/0/name", json!("A"), "volumes[].name: A"),
        ("/spec/template/spec/containers/0/resources", json!({"requests": {"cpu": "1.5x"}}), "quantities must match"),
        (
            "/spec/template/spec/containers/0/resources",
            json!({"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}),
            "cpu limit",
        ),
        ("/spec/template/spec/containers/0/volumeMounts", json!([{"name": "spool"}]), "Not found: \"spool\""),
        ("/spec/template/spec/topologySpreadConstraints", json!([{"maxSkew": 0}]), "topologySpreadConstraints[]"),
        (
            "/spec/template/spec/affinity",
            json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 0}]}}),
            "topologyKey: Required value",
        ),
    ] {
        let mut wrong = job(2);
        assert_eq!(validation::faults(&wrong), [""; 0]);
        let (parent, name) = at.rsplit_once('/').expect("a path");
        wrong.pointer_mut(parent).expect("is there")[name] = value;
        let faults = validation::faults(&wrong).join(", ");
        assert!(faults.contains(expected), "{at}: {faults}");
    }
    let cluster = Cluster::start();
    let mut wrong = job(2);
    wrong["spec"]["completions"] = Value::Null;
    let (code, body) = made(&cluster, JOBS, wrong).expect_err("is refused");
    assert_eq!(code, 422, "{body}");
}

#[test]
fn pods_that_are_not_admitted_leave_events_of_their_job() {
    let cluster = Cluster::start();
    let mut insecure = job(2);
    insecure["spec"]["template"]["spec"]["containers"][0]["securityContext"] = json!({"runAsUser": 0});
    made(&cluster, JOBS, insecure).expect("is taken: its pods are refused");
    let events: Vec<_> = cluster.names(EVENTS).iter().filter_map(|name| cluster.get(EVENTS, NAMESPACE, name)).collect();
    assert_eq!((events.len(), cluster.names(PODS).len()), (2, 0));
    let message = events[0]["message"].as_str().expect("text");
    for fault in ["violates PodSecurity", "runAsNonRoot != true", "runAsUser=0", "seccompProfile", "capabilities"] {
        assert!(message.contains(fault), "{message}");
    }
    assert_eq!(events[0]["involvedObject"]["name"], "w");
}

#[test]
fn a_job_that_is_deleted_without_a_word_about_its_pods_leaves_them() {
    let cluster = Cluster::start();
    made(&cluster, JOBS, job(1)).expect("is taken");
    let _entered = cluster.runtime.as_ref().expect("it has not ended").enter();
    delete(&cluster.shared, NAMESPACE, "w", Cascade::Unsaid).expect("is there");
    assert_eq!((cluster.names(JOBS).len(), cluster.names(PODS).len()), (0, 1));
}

#[test]
fn what_is_no_indexed_job_or_exists_already_is_refused() {
    let cluster = Cluster::start();
    let mut other = job(1);
    other["spec"]["completionMode"] = json!("NonIndexed");
    assert_eq!(made(&cluster, JOBS, other).expect_err("is refused").0, 422);
    made(&cluster, SECRETS, secret()).expect("is taken");
    let (code, body) = made(&cluster, SECRETS, secret()).expect_err("is refused");
    assert_eq!((code, &body["message"]), (409, &json!("secrets \"w\" already exists")));
}
