//! The layouts of results, of runs on a cluster.

use loader_tests::{Table, cluster::Cluster};

use super::{BURST, daemon, succeed};

#[test]
fn results_of_a_run_on_a_cluster_have_every_layout() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let run = succeed(&daemon, BURST);
    let id = run["runId"].as_str().expect("an id");
    let fetch = |layout: &str| {
        let to = state.path().join(layout);
        daemon.ctl(&["results", id, "--layout", layout, "--to", to.to_str().expect("UTF-8")]).ok();
        to
    };
    let native = fetch("native");
    for file in ["invocations.csv", "scales.csv", "cold_starts.csv", "pods.csv", "nodes.csv", "autoscaler.csv"] {
        assert!(native.join(file).exists(), "{file}");
    }
    let scales = Table::read(&native.join("scales.csv"));
    // Nobody knows what waits in a cluster's activator by function.
    assert!(scales.column("queue").iter().all(|queue| queue.is_empty()), "{scales:?}");
    let invitro = fetch("invitro");
    assert_eq!(Table::read(&invitro.join("b_duration_1.csv")).len(), 25);
    let theirs = Table::read(&invitro.join("b_deployment_scale_1.csv"));
    assert_eq!(theirs.columns(["desired_pods", "running_pods"]), scales.columns(["desired", "running"]));
    // There, 0 stands for what is not known.
    assert!(theirs.column("activator_queue").iter().all(|queue| *queue == "0"), "{theirs:?}");
}
