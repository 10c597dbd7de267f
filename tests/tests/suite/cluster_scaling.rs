//! The scripts that change what runs in a cluster, against a stand-in for kubectl that keeps a function's object.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{fs, os::unix::fs::symlink, process::Command};

use loader_tests::root;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A cluster with the function `f`.
struct Cluster {
    directory: TempDir,
}

impl Cluster {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        symlink(root().join("tests/knative_service.py"), directory.path().join("kubectl")).expect("is made");
        let annotations = json!({
            "autoscaling.knative.dev/min-scale": "0", "autoscaling.knative.dev/max-scale": "200",
            "autoscaling.knative.dev/target": "1",
        });
        let service = json!({
            "apiVersion": "serving.knative.dev/v1", "kind": "Service",
            "metadata": { "name": "f", "namespace": "loader" },
            "spec": { "template": { "metadata": { "annotations": annotations }, "spec": { "containerConcurrency": 1 } } },
        });
        fs::write(directory.path().join("service.json"), service.to_string()).expect("writes");
        Self { directory }
    }

    /// Runs a script: whether it succeeded, and what it called.
    fn run(&self, line: &str, unready: &str) -> (bool, String) {
        let here = self.directory.path();
        let called = here.join("called");
        fs::write(&called, "").expect("writes");
        let mut arguments = line.split(' ');
        let path = std::env::var("PATH").expect("there is one");
        let ran = Command::new(root().join("scripts/cluster").join(arguments.next().expect("a name")))
            .args(arguments)
            .env("PATH", format!("{}:{path}", here.display()))
            .env("CALLED", &called)
            .env("SERVICE", here.join("service.json"))
            .env("UNREADY", unready)
            .output()
            .expect("it runs");
        (ran.status.success(), fs::read_to_string(called).expect("is there"))
    }

    /// The annotations of the function's template, without their common prefix.
    fn annotations(&self) -> Value {
        let text = fs::read_to_string(self.directory.path().join("service.json")).expect("is there");
        let service: Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(
            service["spec"]["template"]["spec"],
            json!({ "containerConcurrency": 1 }),
            "nothing else is changed"
        );
        let annotations = service["spec"]["template"]["metadata"]["annotations"].as_object().expect("fields").clone();
        annotations.into_iter().map(|(key, value)| (key.replace("autoscaling.knative.dev/", ""), value)).collect()
    }
}

#[test]
fn a_function_has_so_many_instances_until_it_is_given_back() {
    let cluster = Cluster::new();
    let (done, called) = cluster.run("scale f 3", "");
    assert!(done && called.ends_with("-n loader wait --for=condition=Ready ksvc/f --timeout=120s\n"), "{called}");
    let three = json!({ "initial-scale": "3", "min-scale": "3", "max-scale": "3", "target": "1" });
    assert_eq!(cluster.annotations(), three);
    assert!(cluster.run("scale --timeout 5s f 0", "").0);
    assert_eq!(cluster.annotations(), json!({ "initial-scale": "0", "min-scale": "0", "target": "1" }));
}

#[test]
fn what_fails_is_no_success() {
    let cluster = Cluster::new();
    let before = cluster.annotations();
    for line in ["scale g 3", "scale --namespace lab f 3"] {
        let (done, called) = cluster.run(line, "");
        assert!(!done && !called.contains("wait"), "{line}: {called}");
    }
    assert_eq!(cluster.annotations(), before);
    assert!(!cluster.run("scale f 3", "yes").0, "it is not ready in time");
    assert!(!cluster.run("restart-activator", "yes").0, "it is not there again in time");
}

#[test]
fn the_activator_is_restarted_and_awaited() {
    let (done, called) = Cluster::new().run("restart-activator --context lab --timeout 9s", "");
    let lines: Vec<_> = called.lines().collect();
    let of_activator = "--context lab -n knative-serving rollout";
    let expected = [
        format!("{of_activator} restart deployment activator"),
        format!("{of_activator} status deployment activator --timeout=9s"),
    ];
    assert!(done, "{called}");
    assert_eq!(lines, expected);
}
