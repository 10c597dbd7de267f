//! The manifests of `config/`: each is an object of Kubernetes with no field that its kind does not have, as `kubectl create
//! --dry-run --validate=strict` would find, by the types of the version that the daemon is built with.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{fs, path::Path};

use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, Namespace, PersistentVolumeClaim, Secret, Service, ServiceAccount},
        rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
    },
    kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Kinds that are not Kubernetes' own, and the fields of each at its top.
const OTHERS: [(&str, &str, &[&str]); 4] = [
    ("monitoring.coreos.com/v1", "PodMonitor", &["metadata", "spec"]),
    ("monitoring.coreos.com/v1", "ServiceMonitor", &["metadata", "spec"]),
    ("kubeadm.k8s.io/v1beta4", "ClusterConfiguration", &["networking", "scheduler", "controllerManager"]),
    (
        "kubelet.config.k8s.io/v1beta1",
        "KubeletConfiguration",
        &["cgroupDriver", "maxPods", "serializeImagePulls", "kubeAPIQPS", "kubeAPIBurst"],
    ),
];

/// Reads an object as its kind, and names what that has no place for.
fn typed<K: DeserializeOwned + Serialize>(object: &Value) -> Result<(), String> {
    let read: K = serde_json::from_value(object.clone()).map_err(|error| error.to_string())?;
    let kept = serde_json::to_value(read).map_err(|error| error.to_string())?;
    lost(object, &kept, "")
}

/// The first field that did not survive.
fn lost(object: &Value, kept: &Value, path: &str) -> Result<(), String> {
    match (object, kept) {
        (Value::Object(object), Value::Object(kept)) => object.iter().try_for_each(|(name, value)| {
            let path = format!("{path}.{name}");
            // Empty values are left out.
            match kept.get(name) {
                Some(kept) => lost(value, kept, &path),
                None => Err(format!("{path} is no field of it")),
            }
        }),
        (Value::Array(object), Value::Array(kept)) => {
            object.iter().zip(kept).try_for_each(|(object, kept)| lost(object, kept, path))
        }
        (object, kept) if object == kept => Ok(()),
        (object, kept) => Err(format!("{path} is {object}, read as {kept}")),
    }
}

fn check(object: &Value) -> Result<(), String> {
    let (version, kind) = (object["apiVersion"].as_str().unwrap_or(""), object["kind"].as_str().unwrap_or(""));
    match (version, kind) {
        ("v1", "ConfigMap") => typed::<ConfigMap>(object),
        ("v1", "Namespace") => typed::<Namespace>(object),
        ("v1", "PersistentVolumeClaim") => typed::<PersistentVolumeClaim>(object),
        ("v1", "Secret") => typed::<Secret>(object),
        ("v1", "Service") => typed::<Service>(object),
        ("v1", "ServiceAccount") => typed::<ServiceAccount>(object),
        ("apps/v1", "Deployment") => typed::<Deployment>(object),
        ("rbac.authorization.k8s.io/v1", "Role") => typed::<Role>(object),
        ("rbac.authorization.k8s.io/v1", "RoleBinding") => typed::<RoleBinding>(object),
        ("rbac.authorization.k8s.io/v1", "ClusterRole") => typed::<ClusterRole>(object),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding") => typed::<ClusterRoleBinding>(object),
        ("apiregistration.k8s.io/v1", "APIService") => typed::<APIService>(object),
        _ => {
            let known = OTHERS.iter().find(|other| (other.0, other.1) == (version, kind));
            let (_, _, fields) = known.ok_or_else(|| format!("{kind} of {version} is not known"))?;
            let names = object.as_object().into_iter().flat_map(|object| object.keys());
            let unknown =
                |name: &&String| !["apiVersion", "kind"].contains(&name.as_str()) && !fields.contains(&name.as_str());
            names.filter(unknown).try_for_each(|name| Err(format!("{kind} has no {name}")))
        }
    }
}

fn objects(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("is there");
    // Objects in one file are apart by a line of their own.
    text.split("\n---\n").map(|text| serde_saphyr::from_str(text).expect("it is YAML")).collect()
}

#[test]
fn manifests_have_only_fields_of_their_kinds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let mut checked = 0;
    for folder in ["kubernetes", "kubeadm"] {
        for entry in fs::read_dir(root.join(folder)).expect("is there") {
            let path = entry.expect("is there").path();
            for object in objects(&path) {
                checked += 1;
                check(&object).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
            }
        }
    }
    assert!(checked > 30, "{checked} objects");
}

#[test]
fn a_field_that_a_kind_does_not_have_is_found() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/kubernetes/metrics-server.yaml");
    let mut deployment =
        objects(&path).into_iter().find(|object| object["kind"] == "Deployment").expect("there is one");
    deployment["spec"]["template"]["spec"]["containers"][0]["ressources"] = Value::Null;
    let fault = check(&deployment).expect_err("it is none");
    assert!(fault.ends_with("ressources is no field of it"), "{fault}");
    deployment["spec"]["template"]["spec"]["containers"] = Value::from("one");
    assert!(check(&deployment).is_err(), "a wrong type");
    assert!(check(&serde_json::json!({"apiVersion": "v1", "kind": "Pudding"})).is_err());
}
