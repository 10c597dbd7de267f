use loader_proto::{json::from_value, v1::RunSpec};
use serde_json::{Map, Value, json};

use super::{Converted, disturb};

fn failure(changes: Value) -> Map<String, Value> {
    let mut all = json!({ "FailureEnabled": true, "FailAt": 600, "FailComponent": "data_plane", "FailNode": "" });
    let (Value::Object(all), Value::Object(changes)) = (&mut all, changes) else { panic!("two objects") };
    all.extend(changes);
    all.clone()
}

fn disturbed(failure: &Map<String, Value>, lenient: bool) -> Converted {
    let document = json!({ "platform": "knative" });
    let mut converted = Converted { document: document.as_object().cloned().expect("fields"), ..Converted::default() };
    disturb(&mut converted, failure, lenient);
    converted
}

/// The entries of a failure without faults, which can be read.
fn entries(changes: Value) -> Value {
    let Converted { document, faults, .. } = disturbed(&failure(changes), false);
    assert_eq!(faults, []);
    let spec = Value::Object(document);
    assert_eq!(from_value::<RunSpec>(&spec).1, []);
    spec.get("disturb").cloned().unwrap_or_default()
}

fn faults(changes: Value) -> Vec<String> {
    let faults = disturbed(&failure(changes), false).faults;
    faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.description)).collect()
}

#[test]
fn each_component_becomes_its_disturbances() {
    let pod = |of: &str| json!({ "at": "600s", "do": "deletePods", "of": of });
    assert_eq!(entries(json!({})), json!([pod("activator"), pod("gateway")]));
    let of_control = entries(json!({ "FailComponent": "control_plane", "FailNode": "n1" }));
    assert_eq!(of_control, json!([pod("autoscaler"), pod("controller")]));
    let cordoned = |node: &str| json!({ "at": "7s", "do": "cordon", "node": node });
    let of_nodes = json!({ "FailAt": 7, "FailComponent": "worker_node", "FailNode": " n1  n2.lab n1 " });
    assert_eq!(entries(of_nodes), json!([cordoned("n1"), cordoned("n2.lab")]));
}

#[test]
fn what_is_not_enabled_disturbs_nothing_and_is_said() {
    for (changes, expected) in [
        (json!({ "FailureEnabled": false }), "FailureEnabled: not enabled, as there: nothing is disturbed"),
        (json!({ "FailureEnabled": null }), "FailureEnabled: not enabled, as there: nothing is disturbed"),
        (json!({ "FailAt": 0 }), "FailAt: 0 disables the failure, as there: nothing is disturbed"),
        (json!({ "FailAt": null }), "FailAt: 0 disables the failure, as there: nothing is disturbed"),
    ] {
        assert_eq!(entries(changes.clone()), Value::Null);
        let notes = disturbed(&failure(changes), false).notes;
        assert!(notes.iter().any(|note| note == expected), "{expected:?} is not in {notes:?}");
    }
}

#[test]
fn what_is_left_and_what_it_needs_is_said() {
    let notes = |changes| disturbed(&failure(changes), false).notes.join("\n");
    let of_control = notes(json!({ "FailComponent": "control_plane", "FailNode": "n1" }));
    assert!(of_control.contains("dropped FailNode (\"n1\"): "), "{of_control}");
    assert!(of_control.contains("app=webhook") && of_control.contains("disturb = true"), "{of_control}");
    let of_nodes = notes(json!({ "FailComponent": "worker_node", "FailNode": "n1" }));
    assert!(of_nodes.contains("kubelet") && of_nodes.contains("do: drain"), "{of_nodes}");
}

#[test]
fn what_cannot_be_done_is_named() {
    for (changes, expected) in [
        (
            json!({ "FailComponent": "etcd" }),
            "InVitro's FailComponent: is \"etcd\": must be control_plane, data_plane or worker_node",
        ),
        (
            json!({ "FailComponent": "" }),
            "InVitro's FailComponent: is absent: must be control_plane, data_plane or worker_node",
        ),
        (
            json!({ "FailComponent": "worker_node" }),
            "InVitro's FailNode: is absent: worker_node needs names of nodes, separated by spaces",
        ),
        (
            json!({ "FailComponent": "worker_node", "FailNode": "n1 root@n2" }),
            "InVitro's FailNode: has \"root@n2\": must be names of nodes, as kubectl get nodes lists them, separated by spaces",
        ),
        (json!({ "FailAt": -1 }), "InVitro's FailAt: must be a whole number from 0, not -1"),
        (json!({ "FailAt": "1m" }), "InVitro's FailAt: must be a whole number from 0, not \"1m\""),
        (json!({ "FailureEnabled": "yes" }), "InVitro's FailureEnabled: must be true or false, not \"yes\""),
        (json!({ "failat": 1 }), "InVitro's FailAt: is given twice, as FailAt and failat"),
        (
            json!({ "FailNodes": "n1" }),
            "InVitro's FailNodes: is no key of InVitro's; did you mean FailNode? (--lenient leaves it out)",
        ),
    ] {
        assert_eq!(faults(changes), [expected]);
    }
    assert_eq!(disturbed(&failure(json!({ "FailNodes": "n1" })), true).faults, []);
}

#[test]
fn other_files_are_no_failures() {
    for (document, what) in [
        (json!({ "TracePath": "x" }), "InVitro's loader configuration"),
        (json!({ "Studies": [] }), "InVitro's multi-loader configuration"),
        (json!({ "x": 1 }), "no file of InVitro's"),
        (json!({}), "no file of InVitro's"),
    ] {
        let Converted { document, faults, .. } = disturbed(document.as_object().expect("fields"), false);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].field, "--failure");
        assert!(faults[0].description.starts_with(&format!("is {what}: ")), "{faults:?}");
        assert_eq!(document.get("disturb"), None);
    }
}

#[test]
fn other_platforms_are_not_disturbed_so() {
    let document = json!({ "platform": "attach" });
    let mut converted = Converted { document: document.as_object().cloned().expect("fields"), ..Converted::default() };
    disturb(&mut converted, &failure(json!({})), false);
    let fields: Vec<_> = converted.faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["InVitro's FailureEnabled"]);
}
