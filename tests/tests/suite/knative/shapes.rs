//! Clusters that are made in another way than the recorded one, and what is changed in them while a run goes.

use std::{collections::BTreeMap, path::Path};

use loader_tests::{
    Daemon, Table,
    cluster::{Cluster, Early, Ingress, Shape},
    eventually,
};
use serde_json::json;

use super::{SERVICES, daemon, submit, succeed};

const SHORT: &str =
    "--mode rps --start 20 --end 20 --slot 1s --functions 2 --runtime 1ms --memory 1MiB --initial-scale 1";

fn rows(daemon: &Daemon, flags: &str) -> Table {
    let run = succeed(daemon, flags);
    daemon.table(run["runId"].as_str().expect("an id"), "invocations.csv")
}

fn with_config(cluster: &Cluster, state: &Path, more: &str) -> Daemon {
    let config = cluster.loaderd_config(more);
    Daemon::start_with(state, &["--config", config.to_str().expect("text")])
}

#[test]
fn functions_behind_tls_are_called_by_each_protocol() {
    let cluster = Cluster::start_as(&Shape { tls: true, ..Shape::default() });
    let state = tempfile::tempdir().expect("a directory");
    let daemon = with_config(&cluster, &state.path().join("a"), &format!("gateway_ca = {:?}", cluster.gateway_ca()));
    for protocol in ["grpc", "http1", "http2"] {
        let rows = rows(&daemon, &format!("{SHORT} --protocol {protocol}"));
        assert_eq!(rows.counts("status"), BTreeMap::from([("ok", 20)]), "{protocol}");
    }
    let shown = daemon.ctl(&["status"]).ok().stdout;
    assert!(shown.contains("Kourier at 127.0.0.1:"), "{shown}");
    drop(daemon);
    // A certificate that this machine does not trust is in each row.
    let daemon = self::daemon(&cluster, &state.path().join("b"));
    let rows = rows(&daemon, SHORT);
    assert_eq!(rows.counts("status"), BTreeMap::from([("connect_error", 20)]));
    assert!(rows.column("error").iter().all(|error| error.contains("certificate")), "{:?}", rows.counts("error"));
}

#[test]
fn istio_and_contour_are_found() {
    for (ingress, name) in [(Ingress::Istio, "Istio"), (Ingress::Contour, "Contour")] {
        let cluster = Cluster::start_as(&Shape { ingress, ..Shape::default() });
        let state = tempfile::tempdir().expect("a directory");
        let daemon = daemon(&cluster, state.path());
        let shown = daemon.ctl(&["status"]).ok().stdout;
        assert!(shown.contains(&format!("{name} at 127.0.0.1:")), "{shown}");
        assert_eq!(rows(&daemon, SHORT).counts("status"), BTreeMap::from([("ok", 20)]), "{name}");
    }
}

/// The gateway has a pod on the last node only, and one kubelet does not answer.
#[test]
fn each_node_of_several_has_its_rows() {
    let cluster = Cluster::start_as(&Shape { workers: 2, ingress: Ingress::Contour, ..Shape::default() });
    for (node, cores) in [("knative-control-plane", 500_000_000), ("knative-worker-1", 250_000_000)] {
        let usage = json!({"node": {"nodeName": node, "cpu": {"usageNanoCores": cores}, "memory": {"workingSetBytes": 1_048_576}}, "pods": []});
        cluster.kubelet_page_of(node, "/stats/summary", &usage.to_string());
    }
    let state = tempfile::tempdir().expect("a directory");
    let daemon = with_config(&cluster, state.path(), "[scrape]\nperiod = \"1s\"");
    let shown = daemon.ctl(&["status"]).ok().stdout;
    assert!(shown.contains("Contour at 127.0.0.3:"), "{shown}");
    let flags = "--mode rps --start 20 --end 20 --slot 10m --functions 4 --runtime 1ms --memory 1MiB --initial-scale 1 --min-scale 1";
    let id = submit(&daemon, flags);
    eventually("samples", || (daemon.lines(&id, "nodes.csv") > 9 && daemon.lines(&id, "pods.csv") > 12).then_some(()));
    daemon.ctl(&["cancel", "--wait", &id]).ok();
    let nodes = daemon.table(&id, "nodes.csv");
    let seen: std::collections::BTreeSet<_> = nodes.columns(["node", "role", "cpu_millicores"]).into_iter().collect();
    let expected = [
        ["knative-control-plane", "control-plane", "500"],
        ["knative-worker-1", "worker", "250"],
        ["knative-worker-2", "worker", ""],
    ];
    assert_eq!(seen, expected.into());
    let pods = daemon.table(&id, "pods.csv");
    let on: Vec<_> = pods.counts("node").into_keys().filter(|node| !node.is_empty()).map(str::to_owned).collect();
    assert_eq!(on, ["knative-worker-1", "knative-worker-2"]);
    let table = daemon.table(&id, "invocations.csv");
    assert_eq!(
        table.counts("status").into_keys().filter(|status| *status != "ok" && *status != "cancelled").count(),
        0
    );
}

#[test]
fn a_roll_out_of_the_gateway_costs_no_invocation() {
    for (shape, protocol) in
        [(Shape::default(), "grpc"), (Shape::default(), "http1"), (Shape { tls: true, ..Shape::default() }, "grpc")]
    {
        let cluster = Cluster::start_as(&shape);
        let state = tempfile::tempdir().expect("a directory");
        let ca = if shape.tls { format!("gateway_ca = {:?}", cluster.gateway_ca()) } else { String::new() };
        let daemon = with_config(&cluster, state.path(), &ca);
        let flags = "--mode rps --start 50 --end 50 --slot 6s --functions 2 --runtime 50ms --memory 1MiB --initial-scale 2 --protocol";
        let id = submit(&daemon, &format!("{flags} {protocol}"));
        let sent = || daemon.lines(&id, "invocations.csv");
        for count in [20, 60, 100, 140, 180, 220] {
            eventually("rows", || (sent() > count).then_some(()));
            cluster.roll_gateway();
        }
        let run = daemon.ended(&id);
        assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
        let table = daemon.table(&id, "invocations.csv");
        assert_eq!(
            table.counts("status"),
            BTreeMap::from([("ok", 300)]),
            "{protocol}: {:?}",
            table
                .columns(["status", "response_us", "connect_us"])
                .iter()
                .filter(|row| row[0] != "ok")
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_token_that_is_renewed_in_its_file_is_used_from_then_on() {
    let cluster = Cluster::start_as(&Shape { token_file: true, ..Shape::default() });
    let usage =
        json!({"node": {"nodeName": "knative-control-plane", "cpu": {"usageNanoCores": 1}, "memory": {}}, "pods": []});
    cluster.kubelet_page("/stats/summary", &usage.to_string());
    let state = tempfile::tempdir().expect("a directory");
    let daemon = with_config(&cluster, state.path(), "[scrape]\nperiod = \"1s\"");
    let flags =
        "--mode rps --start 10 --end 10 --slot 10m --functions 2 --runtime 1ms --memory 1MiB --stable-window 6s";
    let id = submit(&daemon, flags);
    let samples = || daemon.lines(&id, "nodes.csv");
    eventually("a sample", || (samples() > 1).then_some(()));
    for _ in 0..3 {
        // The old one is not accepted any more, which ends the watches too.
        cluster.expire_token(true);
        let before = samples();
        eventually("samples after it", || (samples() > before + 1).then_some(()));
    }
    // The watches go on as well: a scale that changes now is seen.
    let scales = || daemon.lines(&id, "scales.csv");
    let before = scales();
    cluster.delete("pods", &cluster.names("pods").first().expect("there is one").clone());
    eventually("a scale after it", || (scales() > before).then_some(()));
    daemon.ctl(&["cancel", "--wait", &id]).ok();
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

/// Watches are cut, nothing answers for a while, then the custom resources are not there yet, then the roles; the history is gone.
fn upgrade(cluster: &Cluster) {
    let phase = std::time::Duration::from_secs(1);
    cluster.set_away(true);
    std::thread::sleep(phase);
    cluster.forget_history();
    for early in [Early::Unserved, Early::Forbidden] {
        cluster.set_early(Some(early));
        cluster.set_away(false);
        std::thread::sleep(phase);
    }
    cluster.set_early(None);
}

#[test]
fn the_api_server_may_be_upgraded_in_the_middle_of_a_deployment_and_of_a_load() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode coldstart --start 4 --step 0 --cold-starts 1 --functions 12 --slot 4s --duration 24s --runtime 5ms \
                 --memory 1MiB --stable-window 6s";
    let id = submit(&daemon, flags);
    eventually("the first Service", || (!cluster.names(SERVICES).is_empty()).then_some(()));
    upgrade(&cluster);
    let rows = || daemon.lines(&id, "invocations.csv");
    eventually("rows", || (rows() > 20).then_some(()));
    upgrade(&cluster);
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let table = daemon.table(&id, "invocations.csv");
    assert_eq!(table.counts("status"), BTreeMap::from([("ok", table.len())]));
    // There are functions at zero all the time, and the loader knows of enough of them.
    assert_eq!(run["summary"]["coldstart"]["requested"], run["summary"]["coldstart"]["achieved"], "{run:#}");
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}
