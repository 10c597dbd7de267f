//! The scripts for clusters, as far as they can be tried without one: their dry runs, which run nothing.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use loader_tests::root;
use serde_json::{Value, json};

/// Runs a script with stand-ins for everything that it could change a cluster with: exit code, what it printed, and whether any of
/// them was called.
fn script(line: &str) -> (i32, String, bool) {
    let directory = tempfile::tempdir().expect("a directory");
    let called = directory.path().join("called");
    for tool in ["kubectl", "ssh", "kind", "curl"] {
        // Links: a program that is still open for writing, in a child of a sibling's, can't be run.
        symlink(root().join("tests/stand_in.sh"), directory.path().join(tool)).expect("is made");
    }
    let mut arguments = line.split(' ');
    let program = root().join("scripts/cluster").join(arguments.next().expect("a name"));
    let path = std::env::var("PATH").expect("there is one");
    let ran = Command::new(program)
        .args(arguments)
        .env("PATH", format!("{}:{path}", directory.path().display()))
        .env("CALLED", &called)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    (ran.status.code().expect("it ends by itself"), text, called.exists())
}

#[test]
fn dry_runs_print_every_command_and_run_none() {
    for (line, expected) in [
        ("prepare --dry-run", &["rbac.yaml", "allow-zero-initial-scale", "metrics-protocol", "rollout restart"][..]),
        ("prepare --dry-run --undo", &["allow-zero-initial-scale", "null"]),
        ("prepare --dry-run --features --context lab", &["kubectl --context lab", "kubernetes.podspec-nodeselector"]),
        ("kubeconfig --dry-run --to k", &["create token loaderd --duration=720h", "kube-root-ca.crt"]),
        ("single-node --dry-run --with kind", &["kind create cluster", "serving-core.yaml", "kourier.yaml", "prepare"]),
        ("single-node --dry-run --with k3s --knative 1.22.1", &["get.k3s.io", "knative-v1.22.1/serving-crds.yaml"]),
        ("multi-node --dry-run m w1 w2", &["ssh -o BatchMode=yes m ", "kubeadm init", "kubeadm join", "yes w2 "]),
        ("nodes --dry-run m w1", &["taint --overwrite node m", "loader.dev/role=worker", "deployment activator"]),
        ("stretch --dry-run 500 w1", &["maxPods: 500", "systemctl restart kubelet"]),
    ] {
        let (code, printed, called) = script(line);
        assert_eq!((code, called), (0, false), "{line}: {printed}");
        for text in expected {
            assert!(printed.contains(text), "{line}: no {text:?} in {printed}");
        }
    }
}

#[test]
fn without_the_flag_the_same_commands_are_run() {
    let (code, printed, called) = script("nodes m w1");
    assert_eq!((code, called), (0, true), "{printed}");
}

#[test]
fn invalid_arguments_are_refused() {
    for line in [
        "prepare --frobnicate",
        "kubeconfig --dry-run",
        "kubeconfig --dry-run --to k --for ever",
        "single-node --dry-run",
        "single-node --dry-run --with kind --knative latest",
        "multi-node --dry-run alone",
        "multi-node --dry-run m w;reboot",
        "nodes --dry-run m -w",
        "stretch --dry-run many w1",
    ] {
        let (code, printed, called) = script(line);
        assert_eq!((code, called), (1, false), "{line}: {printed}");
        assert!(printed.contains("error: "), "{line}: {printed}");
    }
    for name in ["prepare", "kubeconfig", "single-node", "multi-node", "nodes", "stretch"] {
        let (code, printed, _) = script(&format!("{name} --help"));
        assert!(code == 0 && printed.contains(&format!("usage: scripts/cluster/{name}")), "{printed}");
    }
}

/// Runs `prepare` with ConfigMaps that are kept in a directory: the ConfigMaps after it, and what was called.
fn prepare(directory: &Path, arguments: &[&str]) -> (Value, String) {
    let kubectl = directory.join("kubectl");
    if !kubectl.exists() {
        symlink(root().join("tests/config_maps.py"), &kubectl).expect("is made");
    }
    let (maps, called) = (directory.join("maps.json"), directory.join("called"));
    fs::write(&called, "").expect("writes");
    let path = std::env::var("PATH").expect("there is one");
    let ran = Command::new(root().join("scripts/cluster/prepare"))
        .args(arguments)
        .env("PATH", format!("{}:{path}", directory.display()))
        .env("CALLED", &called)
        .env("CONFIG_MAPS", &maps)
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let after = serde_json::from_str(&fs::read_to_string(maps).expect("is there")).expect("it is JSON");
    (after, fs::read_to_string(called).expect("is there"))
}

#[test]
fn prepare_sets_its_keys_only_and_puts_them_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let before = json!({
        "config-autoscaler": {"data": {"_example": "a \"b\"", "stable-window": "90s", "allow-zero-initial-scale": "false"}},
        "config-observability": {"data": {"logging.enable-request-log": "true"}, "metadata": {"annotations": {"a": "b"}}},
        "config-features": {"data": {"tag-header-based-routing": "enabled"}},
    });
    fs::write(directory.path().join("maps.json"), before.to_string()).expect("writes");
    let (after, called) = prepare(directory.path(), &["--features"]);
    assert_eq!(
        after["config-autoscaler"]["data"],
        json!({"_example": "a \"b\"", "stable-window": "90s", "allow-zero-initial-scale": "true"})
    );
    assert_eq!(after["config-observability"]["data"]["logging.enable-request-log"], "true");
    assert_eq!(after["config-observability"]["data"]["metrics-protocol"], "prometheus");
    assert_eq!(after["config-features"]["data"]["kubernetes.podspec-nodeselector"], "enabled");
    assert!(called.contains("rollout restart"), "{called}");
    // Again: nothing changes, and nothing is restarted.
    let (again, called) = prepare(directory.path(), &["--features"]);
    assert!(again == after && !called.contains("patch") && !called.contains("rollout"), "{called}");
    // Someone else's change stays.
    let mut changed = after;
    changed["config-features"]["data"]["kubernetes.podspec-affinity"] = json!("disabled");
    fs::write(directory.path().join("maps.json"), changed.to_string()).expect("writes");
    let (undone, called) = prepare(directory.path(), &["--undo"]);
    for config in ["config-autoscaler", "config-observability"] {
        assert_eq!(undone[config]["data"], before[config]["data"]);
    }
    assert_eq!(
        undone["config-features"]["data"],
        json!({"tag-header-based-routing": "enabled", "kubernetes.podspec-affinity": "disabled"})
    );
    assert_eq!(undone["config-observability"]["metadata"]["annotations"], json!({"a": "b"}));
    assert_eq!(undone["config-autoscaler"]["metadata"]["annotations"], json!({}));
    assert!(called.contains("rollout restart") && !called.contains("apply"), "{called}");
}

#[test]
fn a_kubeconfig_has_a_token_with_an_end_and_is_for_its_owner_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    symlink(root().join("tests/token.sh"), directory.path().join("kubectl")).expect("is made");
    let (file, called) = (directory.path().join("kubeconfig"), directory.path().join("called"));
    // One from before, that all can read.
    fs::write(&file, "").expect("writes");
    let path = std::env::var("PATH").expect("there is one");
    let make = |secret: &str| {
        let ran = Command::new(root().join("scripts/cluster/kubeconfig"))
            .args(["--for", "24h", "--to", file.to_str().expect("text")])
            .env("PATH", format!("{}:{path}", directory.path().display()))
            .envs([("CALLED", called.to_str().expect("text")), ("WITH_SECRET", secret)])
            .output()
            .expect("it runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).expect("text")
    };
    let printed = make("");
    assert!(printed.contains("lasts until 2026-12-27T04:00:00Z") && printed.contains("renew"), "{printed}");
    assert!(!printed.contains("delete secret"), "{printed}");
    assert_eq!(fs::metadata(&file).expect("is there").permissions().mode() & 0o7777, 0o600);
    let made: Value = serde_saphyr::from_str(&fs::read_to_string(&file).expect("reads")).expect("it is YAML");
    assert_eq!(made["users"][0]["user"]["token"], "head.body.signature");
    assert_eq!(made["clusters"][0]["cluster"]["certificate-authority-data"], "YSBjZXJ0aWZpY2F0ZQo=");
    assert!(fs::read_to_string(&called).expect("is there").contains("create token loaderd --duration=24h"));
    // A token of an earlier version that never expires is told of.
    assert!(make("yes").contains("kubectl -n loader delete secret loaderd-token"));
    let left = fs::read_dir(directory.path()).expect("reads").count();
    assert_eq!(left, 3, "no part of a file is left");
}
