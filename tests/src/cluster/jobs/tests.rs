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
                "spec": {"restartPolicy": "Never", "containers": [{"name": "worker", "env": []}],
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
fn what_is_no_indexed_job_or_exists_already_is_refused() {
    let cluster = Cluster::start();
    let mut other = job(1);
    other["spec"]["completionMode"] = json!("NonIndexed");
    assert_eq!(made(&cluster, JOBS, other).expect_err("is refused").0, 422);
    made(&cluster, SECRETS, secret()).expect("is taken");
    let (code, body) = made(&cluster, SECRETS, secret()).expect_err("is refused");
    assert_eq!((code, &body["message"]), (409, &json!("secrets \"w\" already exists")));
}
