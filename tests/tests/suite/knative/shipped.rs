//! The manifests that run the daemon in a cluster: a small node without a StorageClass can have it.

use std::fs;

use loader_tests::root;
use serde_json::Value;

fn objects(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join("config/kubernetes").join(file)).expect("it is there");
    text.split("\n---\n").map(|object| serde_saphyr::from_str(object).expect("it is YAML")).collect()
}

#[test]
fn the_daemon_fits_on_a_small_node_without_a_storage_class() {
    let shipped = objects("loaderd.yaml");
    assert!(shipped.iter().all(|it| it["kind"] != "PersistentVolumeClaim"), "{shipped:?}");
    let deployment = shipped.iter().find(|it| it["kind"] == "Deployment").expect("is there");
    let pod = &deployment["spec"]["template"]["spec"];
    let volumes = pod["volumes"].as_array().expect("a list");
    let state = volumes.iter().find(|it| it["name"] == "state").expect("is there");
    assert!(state["emptyDir"].is_object() && state["persistentVolumeClaim"].is_null(), "{state}");
    // Two cores with Kubernetes and Knative on them have less than one left.
    let cpu = pod["containers"][0]["resources"]["requests"]["cpu"].as_str().expect("text");
    let millicores: u32 = cpu.strip_suffix('m').and_then(|cpu| cpu.parse().ok()).expect("millicores");
    assert!(millicores <= 500, "{cpu}");
}

#[test]
fn a_claim_is_an_option_with_the_name_that_the_comment_has() {
    let claims = objects("loaderd-claim.yaml");
    let claim = claims.first().expect("is there");
    assert_eq!(claim["kind"], "PersistentVolumeClaim");
    let name = claim["metadata"]["name"].as_str().expect("text");
    let shipped = fs::read_to_string(root().join("config/kubernetes/loaderd.yaml")).expect("it is there");
    assert!(shipped.contains(&format!("persistentVolumeClaim: {{claimName: {name}}}")), "{shipped}");
}
