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
        ("multi-node --dry-run --large m w1", &["maxPods: 500", "node-cidr-mask-size", "kubeadm init --config"]),
        ("capacity --dry-run --context lab", &["kubectl --context lab get nodes", "get pods --all-namespaces"]),
        ("pods --dry-run --namespace loader", &["get pods --namespace loader"]),
        ("cidr --dry-run", &["kubectl get nodes", ".spec.podCIDR"]),
        (
            "scale --dry-run f 3",
            &["patch ksvc f", r#"min-scale":"3""#, r#"max-scale":"3""#, "--for=condition=Ready ksvc/f"],
        ),
        ("scale --dry-run --namespace lab f 0", &["-n lab", r#"min-scale":"0""#, r#"max-scale":null"#]),
        ("restart-activator --dry-run", &["rollout restart deployment activator", "rollout status"]),
        ("turbo --dry-run off w1 w2", &["yes w2 ", "echo 1 > intel_pstate/no_turbo", "echo 0 > cpufreq/boost"]),
        ("turbo --dry-run on w1", &["echo 0 > intel_pstate/no_turbo", "echo 1 > cpufreq/boost"]),
        ("routing --dry-run w1", &["FORWARD -i cni0", "! -d 10.244.0.0/16 -j MASQUERADE", "rp_filter"]),
        ("routing --dry-run --undo --range 10.1.0.0/16 w1", &["-D $chain", "10.1.0.0/16"]),
        ("routing --dry-run --interface eth1 w1", &["addr show dev eth1", "--node-ip"]),
        ("firecracker --dry-run --snapshots m w1", &["setup_node firecracker", "./vhive -snapshots", "kubeadm join"]),
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
        "multi-node --dry-run --kubernetes 1.30 m w1",
        "capacity --dry-run --cpu much",
        "capacity --dry-run --selector worker",
        "pods --frobnicate",
        "cidr --frobnicate",
        "scale --dry-run f",
        "scale --dry-run f many",
        "restart-activator f",
        "turbo --dry-run half w1",
        "turbo --dry-run off",
        "routing --dry-run --range everywhere w1",
        "routing --dry-run --interface eth0;reboot w1",
        "firecracker --dry-run alone",
    ] {
        let (code, printed, called) = script(line);
        assert_eq!((code, called), (1, false), "{line}: {printed}");
        assert!(printed.contains("error: "), "{line}: {printed}");
    }
    for name in ["prepare", "kubeconfig", "single-node", "nodes", "stretch"].iter().chain(&TRIED) {
        let (code, printed, _) = script(&format!("{name} --help"));
        assert!(code == 0 && printed.contains(&format!("usage: scripts/cluster/{name}")), "{printed}");
    }
}

/// Scripts whose help says what was tried of them.
const TRIED: [&str; 9] =
    ["multi-node", "capacity", "pods", "cidr", "scale", "restart-activator", "turbo", "routing", "firecracker"];

#[test]
fn the_help_says_what_was_tried() {
    for name in TRIED {
        let (_, printed, _) = script(&format!("{name} --help"));
        assert!(printed.contains("Tried: "), "{printed}");
    }
}

/// Runs a script that only reads, with these lists for a cluster's.
fn reading(line: &str, nodes: &str, pods: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    symlink(root().join("tests/kubectl_lists.sh"), directory.path().join("kubectl")).expect("is made");
    for (name, text) in [("nodes", nodes), ("pods", pods)] {
        fs::write(directory.path().join(name), text).expect("writes");
    }
    let mut arguments = line.split(' ');
    let path = std::env::var("PATH").expect("there is one");
    let ran = Command::new(root().join("scripts/cluster").join(arguments.next().expect("a name")))
        .args(arguments)
        .env("PATH", format!("{}:{path}", directory.path().display()))
        .env("LISTS", directory.path())
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("text")
}

/// The words of each line.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn pods_are_counted_by_node_and_phase() {
    let pods = "w1   Running\nw1   Running\nw2   Pending\n<none>   Pending\n";
    let expected: [&[&str]; 6] = [
        &["-", "Pending", "1"],
        &["-", "all", "1"],
        &["w1", "Running", "2"],
        &["w1", "all", "2"],
        &["w2", "Pending", "1"],
        &["w2", "all", "1"],
    ];
    assert_eq!(words(&reading("pods", "", pods)), expected);
}

#[test]
fn a_range_is_too_small_where_the_kubelet_allows_more_pods() {
    let nodes = "w1   10.244.0.0/24   110\nw2   10.244.1.0/24   500\nw3   10.244.4.0/22   500\nw4   <none>   110\n";
    let found = reading("cidr", nodes, "");
    let verdicts: Vec<_> = words(&found).into_iter().skip(1).map(|line| line[2..].join(" ")).collect();
    assert_eq!(verdicts, ["253 110 ok", "253 500 too small", "1021 500 ok", "- 110 no range"]);
}

/// A node and its room, with the fields that a node of Kubernetes 1.36 was recorded with.
fn node(name: &str, cpu: &str, memory: &str, spec: &Value) -> Value {
    let allocatable =
        json!({"cpu": cpu, "memory": memory, "pods": "110", "ephemeral-storage": "97Gi", "hugepages-2Mi": "0"});
    let labels = json!({"kubernetes.io/hostname": name, "loader.dev/role": if name == "m" { "control-plane" } else { "worker" }});
    json!({"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"allocatable": allocatable}})
}

fn pod(node: &str, phase: &str, spec: Value) -> Value {
    let mut pod = json!({"metadata": {"name": "p"}, "spec": spec, "status": {"phase": phase}});
    pod["spec"]["nodeName"] = json!(node);
    pod
}

fn asking(cpu: &str, memory: &str) -> Value {
    json!({"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}})
}

#[test]
fn capacity_is_what_the_scheduler_would_find() {
    let taint = json!({"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]});
    let nodes = json!({"items": [
        node("m", "4", "16Gi", &taint),
        node("w1", "1930m", "7920484Ki", &json!({})),
        node("w2", "2", "1Gi", &json!({})),
        node("w3", "8", "8Gi", &json!({"unschedulable": true})),
    ]});
    let sidecar = json!({"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "30m"}}});
    let pods = json!({"items": [
        pod("m", "Running", json!({"containers": [asking("250m", "100Mi")]})),
        // A sidecar counts with the containers, an init container by itself where it asks for more.
        pod("w1", "Running", json!({"containers": [asking("100m", "128Mi")], "initContainers": [sidecar, asking("500m", "10Mi")]})),
        pod("w1", "Succeeded", json!({"containers": [asking("1", "1Gi")]})),
        pod("w1", "Pending", json!({"containers": [{"name": "none"}], "overhead": {"cpu": "100m"}})),
    ]});
    let read = |line| reading(line, &nodes.to_string(), &pods.to_string());
    let rows: Vec<Value> =
        serde_json::from_str(&read("capacity --json --cpu 100m --memory 256Mi")).expect("it is JSON");
    let requested: Vec<_> = rows.iter().map(|row| row["requested"].clone()).collect();
    assert_eq!(requested[1], json!({"cpu": 630.0, "memory": 128.0, "pods": 2}));
    assert_eq!(requested[2], json!({"cpu": 0.0, "memory": 0.0, "pods": 0}));
    assert_eq!(rows[1]["free"]["cpu"], 1300.0);
    // 1300 of 125 millicores, 1024 of 256 MiB; the others take none.
    let functions: Vec<_> = rows.iter().map(|row| row["functions"].as_u64().expect("a number")).collect();
    assert_eq!(functions, [0, 10, 4, 0]);
    let table = read("capacity --cpu 100m --memory 256Mi --selector loader.dev/role=worker");
    assert!(table.ends_with("14 functions of 125m and 256Mi fit, queue-proxy included\n"), "{table}");
    assert!(
        read("capacity --selector loader.dev/role=none")
            .ends_with("0 functions of 125m and 256Mi fit, queue-proxy included\n")
    );
}

#[test]
fn turbo_finds_the_switch_that_the_kernel_has() {
    let (_, printed, _) = script("turbo --dry-run off w1");
    let commands: Vec<_> = printed.lines().skip(1).take_while(|line| *line != "END").collect();
    let on = |files: &[&str]| {
        let system = tempfile::tempdir().expect("a directory");
        for file in files {
            let path = system.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("is made");
            fs::write(path, "?\n").expect("writes");
        }
        let commands = commands.join("\n").replace("/sys/devices/system/cpu", system.path().to_str().expect("text"));
        let ran = Command::new("sh").args(["-ec", &commands]).output().expect("it runs");
        let read = |file: &&str| fs::read_to_string(system.path().join(file)).expect("is there").trim().to_owned();
        (ran.status.success(), files.iter().map(read).collect::<Vec<_>>())
    };
    assert_eq!(on(&["intel_pstate/no_turbo", "cpufreq/boost"]), (true, vec!["1".to_owned(), "?".to_owned()]));
    assert_eq!(on(&["cpufreq/boost"]), (true, vec!["0".to_owned()]));
    let policies = ["cpufreq/policy0/boost", "cpufreq/policy1/boost"];
    assert_eq!(on(&policies), (true, vec!["0".to_owned(); 2]));
    assert!(!on(&["cpufreq/policy0/scaling_driver"]).0, "a machine without any is an error");
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
    assert!(!called.contains("workers.yaml"), "{called}");
    // The roles for workers come only where they are asked for, and go with the rest.
    let (_, called) = prepare(directory.path(), &["--features", "--workers"]);
    assert!(called.contains("config/kubernetes/workers.yaml"), "{called}");
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
    assert!(called.contains("workers.yaml") && called.contains("delete"), "{called}");
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
