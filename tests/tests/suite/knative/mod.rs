//! The platform `knative` against the fake cluster: all four modes, and what is reported of it.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

mod disturbances;
mod faults;
mod gaps;
mod idle;
mod layouts;
mod metrics_off;
mod outages;
mod proxies;
mod removal;
mod room;
mod shapes;
mod shipped;
mod sources;
mod warmup;
mod workers;

use std::{collections::BTreeMap, fs, path::Path};

use loader_tests::{Daemon, cluster::Cluster, eventually, heavy};
use serde_json::{Value, json};

const SERVICES: &str = "services.serving.knative.dev";

/// A daemon that uses `cluster`.
fn daemon(cluster: &Cluster, state: &Path) -> Daemon {
    let config = cluster.loaderd_config("");
    Daemon::start_with(state, &["--config", config.to_str().expect("text")])
}

fn submit(daemon: &Daemon, flags: &str) -> String {
    daemon.submit(&flags.split_whitespace().chain(["--platform", "knative"]).collect::<Vec<_>>())
}

fn succeed(daemon: &Daemon, flags: &str) -> Value {
    daemon.succeed(&flags.split_whitespace().chain(["--platform", "knative"]).collect::<Vec<_>>())
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// Foreign objects, and a Service of this daemon's that belongs to another run.
fn furnish(cluster: &Cluster) {
    let object = |name: &str, labels: Value| {
        let metadata = json!({"name": name, "namespace": "loader", "labels": labels});
        json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata, "spec": {}})
    };
    cluster.put(SERVICES, object("somebodys", json!({})));
    cluster.put(SERVICES, object("anothers", json!({"app.kubernetes.io/managed-by": "helm", "loader.dev/run": "x"})));
    let run = "20200101t000000000-abcd";
    cluster.put(SERVICES, object("earlier", json!({"app.kubernetes.io/managed-by": "loaderd", "loader.dev/run": run})));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "database", "namespace": "loader"}});
    cluster.put("pods", pod);
}

const FURNITURE: [&str; 3] = ["anothers", "earlier", "somebodys"];

const BURST: &str =
    "--mode burst --name b --target-rps 3 --burst 6 --hold 4s --step-duration 1s --runtime 20ms --memory 5MiB";

#[test]
fn burst_leaves_nothing_of_its_own_and_everything_of_others() {
    let cluster = Cluster::start();
    furnish(&cluster);
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let run = succeed(&daemon, BURST);
    let id = run["runId"].as_str().expect("an id");
    let rows = daemon.table(id, "invocations.csv");
    assert_eq!(rows.counts("status"), BTreeMap::from([("ok", 25)]));
    assert_eq!(rows.counts("mark"), BTreeMap::from([("", 18), ("burst", 6), ("victim", 1)]));
    // The functions say themselves which pods they are.
    assert!(rows.column("instance").iter().all(|pod| pod.contains("-00001-deployment-")), "{rows:?}");
    assert_eq!(run["summary"]["burst"]["victimCold"], json!(true));
    // Requests, limits and addresses as they were deployed.
    let functions = daemon.table(id, "functions.csv");
    assert_eq!(functions.column("function"), ["steady", "bursty", "victim"]);
    assert_eq!(functions.column("initial_scale"), ["1", "1", "0"]);
    assert_eq!(functions.column("cpu_limit_millicores"), ["1000"; 3]);
    assert_eq!(functions.column("cpu_request_millicores"), ["100"; 3]);
    assert_eq!(functions.column("memory_request_mib"), ["37"; 3]);
    assert!(functions.column("authority")[0].starts_with("steady-"));
    assert!(functions.column("authority")[0].ends_with(".loader.example.com"));
    // The stages of each instance's start that are known, in their order. One that the run's end overtook has not all of them.
    let starts = daemon.table(id, "cold_starts.csv");
    let stages = ["desired_unix_us", "created_unix_us", "scheduled_unix_us", "started_unix_us", "ready_unix_us"];
    for row in starts.columns(stages) {
        let known = row.iter().filter(|time| !time.is_empty());
        let times: Vec<_> = known.map(|time| time.parse::<u64>().expect("a time")).collect();
        assert!(times.is_sorted(), "{row:?}");
    }
    assert!(starts.column("ready_unix_us").iter().any(|time| !time.is_empty()), "{starts:?}");
    // Each cold invocation's answer is the first reply of its instance.
    let cold = rows.columns(["instance", "cold_start"]).into_iter().filter(|row| row[1] == "true").count();
    let replied =
        starts.columns(["created_unix_us", "first_reply_unix_us"]).into_iter().filter(|row| !row[1].is_empty());
    let replied: Vec<_> = replied.map(|row| row.map(|time| time.parse::<u64>().expect("a time"))).collect();
    // A watch's events take another way than the responses, and can come later than the last of them.
    assert!((1..=cold).contains(&replied.len()), "{replied:?} of {cold}");
    assert!(replied.iter().all(|[created, reply]| reply >= created), "{replied:?}");
    let victims = rows.columns(["function", "cold_start"]).into_iter().filter(|row| *row == ["victim", "true"]).count();
    assert_eq!(victims, 1);
    assert!(starts.column("function").contains(&"victim"), "{starts:?}");
    // The reported scales.
    let scales = daemon.table(id, "scales.csv");
    let desired = scales.columns(["function", "desired"]);
    assert!(desired.contains(&["victim", "0"]) && desired.iter().any(|row| row[0] == "victim" && row[1] != "0"));
    assert_eq!(cluster.names(SERVICES), FURNITURE);
    assert_eq!(cluster.names("pods"), ["database"]);
    let deleted: Vec<_> = cluster.asked().into_iter().filter(|it| it.verb == "delete").map(|it| it.resource).collect();
    assert_eq!(deleted, [SERVICES; 3]);
}

#[test]
fn the_other_modes() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let trace = state.path().join("trace");
    let to = trace.to_str().expect("text");
    loader_tests::run(
        loader_tests::bin("loaderctl"),
        "trace synth --functions 3 --minutes 5 --rate 0.5 --seed 3 --to".split(' ').chain([to]),
    )
    .ok();
    let daemon = daemon(&cluster, &state.path().join("state"));
    // A rate that any machine sustains.
    let flags =
        "--mode rps --start 1 --end 2 --step 1 --slot 3s --functions 2 --runtime 5ms --memory 1MiB --saturation-lag 1m";
    let run = succeed(&daemon, flags);
    assert_eq!(run["summary"]["rps"]["sustainedRate"], json!(2.0));
    let flags = "--mode trace --duration 5s --granularity second --max-runtime 20ms --max-memory 8MiB --trace ";
    let run = succeed(&daemon, &format!("{flags}{to}"));
    assert_eq!(number(&run["summary"]["byStatus"]["ok"]), number(&run["summary"]["requested"]));
    // A function is at zero 600 ms after its last invocation here, and its pod gone in another 3 s.
    let flags = "--mode coldstart --start 4 --step 0 --cold-starts 2,1,2 --functions 6 --slot 3s --runtime 10ms --memory 1MiB \
                 --stable-window 6s";
    let run = succeed(&daemon, flags);
    let findings = json!({"requested": "5", "achieved": "5", "shortfallBySlot": ["0", "0", "0"]});
    assert_eq!(run["summary"]["coldstart"], findings);
    let rows = daemon.table(run["runId"].as_str().expect("an id"), "invocations.csv");
    let cold = rows.columns(["mark", "cold_start"]).into_iter().filter(|row| row[0] == "cold").collect::<Vec<_>>();
    assert_eq!(cold, [["cold", "true"]; 5]);
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

/// "The same spec file runs on `local` and on `knative` by changing `platform` alone."
#[test]
fn a_spec_file_runs_on_both_platforms() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let mut dues = Vec::new();
    for platform in ["local", "knative"] {
        let spec = state.path().join(format!("{platform}.yaml"));
        let text = format!(
            "name: both\nplatform: {platform}\nseed: 42\nfunction: {{ kind: trace }}\nburst: {{ targetRps: 2, burst: 3, hold: 2s, \
             stepDuration: 1s, runtime: 10ms, memoryMib: 2 }}\n"
        );
        fs::write(&spec, text).expect("writes");
        let run = daemon.succeed(&[spec.to_str().expect("text")]);
        let rows = daemon.table(run["runId"].as_str().expect("an id"), "invocations.csv");
        assert_eq!(rows.counts("status"), BTreeMap::from([("ok", rows.len())]));
        let due: Vec<u64> = rows.numbers("due_unix_us");
        let first = due.iter().min().copied().unwrap_or_default();
        let mut planned: Vec<_> = rows.column("function").into_iter().zip(due).collect();
        planned.sort_by_key(|(function, due)| (*due, *function));
        dues.push(planned.into_iter().map(|(function, due)| (function.to_owned(), due - first)).collect::<Vec<_>>());
    }
    assert_eq!(dues[0], dues[1]);
}

#[test]
fn status_tells_what_a_run_would_meet() {
    let cluster = Cluster::start();
    cluster.forbid("delete", SERVICES);
    cluster.forbid("list", "pods");
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let shown = daemon.ctl(&["status"]).ok().stdout;
    for text in ["v1.36.2", "1.23.0", "Kourier at 127.0.0.1:", "namespace", "loader"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(shown.contains("delete services.serving.knative.dev in namespace loader"), "{shown}");
    assert!(shown.contains("list pods in namespace loader"), "{shown}");
    // The daemon creates nothing that it could not delete.
    let run = daemon.ended(&submit(&daemon, BURST));
    assert_eq!(run["state"], "RUN_STATE_FAILED");
    let reason = run["reason"].as_str().expect("text");
    assert!(reason.contains("delete services.serving.knative.dev") && reason.contains("list pods"), "{reason}");
    assert!(cluster.asked().iter().all(|it| it.verb != "patch"), "{}", cluster.asked_by_kind());
}

/// Autoscaler and activator, as their pods are labelled, and what they and the node's kubelet expose: lines of
/// `kubelet-stats-summary.under-load.json` and `autoscaler.under-load.prom` for this run's functions, which a closure names.
fn expose(cluster: &Cluster, revisions: &[String]) {
    for name in ["autoscaler", "activator"] {
        let metadata = json!({"name": name, "namespace": "knative-serving", "labels": {"app": name}});
        cluster.put("pods", json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}));
    }
    let labels = |revision: &str| format!("{{k8s_namespace_name=\"loader\",kn_revision_name=\"{revision}-00001\"}}");
    let mut of_autoscaler =
        String::from("kn_revision_pods_desired{k8s_namespace_name=\"default\",kn_revision_name=\"x-00001\"} 99\n");
    let mut of_activator = String::new();
    for revision in revisions {
        let labels = labels(revision);
        of_autoscaler
            .push_str(&format!("kn_revision_pods_desired{labels} 2\nkn_revision_concurrency_stable{labels} 0.5\n"));
        of_activator.push_str(&format!("kn_revision_request_queued{labels} 1\n"));
    }
    if let Some(revision) = revisions.first() {
        of_autoscaler.push_str(&format!("kn_revision_rps_stable_per_second{} 35\n", labels(revision)));
    }
    let path = |pod: &str| format!("/api/v1/namespaces/knative-serving/pods/{pod}:9090/proxy/metrics");
    cluster.page(&path("autoscaler"), &of_autoscaler);
    cluster.page(&path("activator"), &of_activator);
    let pods: Vec<_> = cluster
        .names("pods")
        .into_iter()
        .enumerate()
        .map(|(index, name)| {
            // As in kubelet-summary-new-pods-zero.json, where the kubelet has no sample of a new pod yet.
            let is_sampled = index != 0;
            let [cores, total, bytes] = [11_000_000, 2_293_690_560, 3_145_728_u64].map(|it| if is_sampled { it } else { 0 });
            json!({"podRef": {"name": name, "namespace": "loader", "uid": "u"},
                   "cpu": {"usageNanoCores": cores, "usageCoreNanoSeconds": total}, "memory": {"workingSetBytes": bytes}})
        })
        .collect();
    let summary = json!({"node": {"nodeName": "knative-control-plane", "cpu": {"usageNanoCores": 1_261_805_354},
                                  "memory": {"workingSetBytes": 4_679_102_464_u64}}, "pods": pods});
    cluster.kubelet_page("/stats/summary", &summary.to_string());
}

#[test]
fn nodes_pods_and_the_autoscaler_are_sampled() {
    let cluster = Cluster::start();
    let config = cluster.loaderd_config("[scrape]\nperiod = \"2s\"");
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start_with(state.path(), &["--config", config.to_str().expect("text")]);
    let flags = "--mode rps --start 10 --end 10 --slot 10m --functions 2 --runtime 5ms --memory 1MiB --initial-scale 1 \
                 --min-scale 1 --stable-window 60s";
    let id = submit(&daemon, flags);
    let rows = |file| daemon.lines(&id, file);
    eventually("rows", || (rows("invocations.csv") > 15).then_some(()));
    // So far neither kubelet nor autoscaler answered: no row, rather than zeros.
    assert_eq!((rows("nodes.csv"), rows("autoscaler.csv")), (1, 1));
    expose(&cluster, &cluster.names(SERVICES));
    eventually("a sample of the nodes", || (rows("nodes.csv") > 2 && rows("autoscaler.csv") > 2).then_some(()));
    let metrics =
        loader_tests::run("curl", ["-s", &format!("http://{}/metrics", daemon.metrics_address())]).ok().stdout;
    assert!(
        metrics.contains("loader_cluster_node_cpu_ratio{node=\"knative-control-plane\",role=\"control-plane\"} 0.63"),
        "{metrics}"
    );
    daemon.ctl(&["cancel", "--wait", &id]).ok();
    let nodes = daemon.table(&id, "nodes.csv");
    let last = nodes.columns(["node", "role", "cpu_millicores", "cpu_ratio", "memory_mib"]).pop().expect("a row");
    assert_eq!(last, ["knative-control-plane", "control-plane", "1261.805", "0.6309", "4462.34"]);
    // Two functions with an instance or two: 100 m and the queue-proxy's 25 m each.
    let committed: Vec<f64> = nodes.numbers("cpu_requests_millicores");
    assert!(committed.iter().all(|millicores| *millicores >= 250.0 && millicores % 125.0 == 0.0), "{committed:?}");
    let pods = daemon.table(&id, "pods.csv");
    assert!(pods.column("function").iter().all(|function| ["rps-0", "rps-1"].contains(function)));
    let used = pods.columns(["cpu_millicores", "memory_mib"]);
    assert!(used.contains(&["11", "3"]) && used.contains(&["", ""]), "{pods:?}");
    assert!(used.iter().flatten().all(|figure| *figure != "0"), "{pods:?}");
    let autoscaler = daemon.table(&id, "autoscaler.csv");
    let last = autoscaler.columns(["desired_pods", "activator_queue", "stable_concurrency", "panic_concurrency"]).pop();
    assert_eq!(last, Some(["4", "2", "0.5", ""]));
    let joined = daemon.ctl(&["records", &id, "--with", "nodes"]).ok().stdout;
    let (header, records) = joined.split_once('\n').expect("a header");
    assert!(header.ends_with(",node,node_sampled_unix_us,node_cpu_ratio,node_memory_ratio,node_pods"), "{header}");
    let ok: Vec<_> = records.lines().filter(|record| record.contains(",ok,")).collect();
    let placed = |record: &&str| record.contains(",knative-control-plane,") && record.contains(",0.6309,");
    assert!(ok.len() > 15 && ok.iter().all(placed), "{joined}");
    assert_eq!(autoscaler.columns(["stable_rps", "panic_rps"]).pop(), Some(["35", ""]));
}

#[test]
fn metrics_that_are_off_are_logged_once() {
    let cluster = Cluster::start();
    let metadata = json!({"name": "config-observability", "namespace": "knative-serving"});
    cluster.put("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}}));
    let config = cluster.loaderd_config("[scrape]\nperiod = \"1s\"");
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start_with(state.path(), &["--config", config.to_str().expect("text")]);
    succeed(&daemon, "--mode rps --start 5 --end 5 --slot 4s --runtime 1ms --memory 1MiB");
    let log = daemon.log();
    let logged: Vec<_> = log.iter().filter(|line| line.contains("Knative's metrics are off")).collect();
    assert_eq!(logged.len(), 1, "{log:#?}");
    let shown = daemon.ctl(&["status"]).ok().stdout;
    assert!(shown.contains("Knative's metrics are off"), "{shown}");
}

#[test]
fn a_thousand_functions_take_few_requests() {
    let _turn = heavy();
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags =
        "--mode rps --start 20 --end 20 --slot 2s --functions 1000 --runtime 1ms --memory 1MiB --initial-scale 0";
    let run = succeed(&daemon, flags);
    assert_eq!(number(&run["summary"]["byStatus"]["ok"]), 40);
    assert_eq!(cluster.names(SERVICES), [""; 0]);
    let asked = cluster.asked();
    let by_kind = cluster.asked_by_kind();
    let by_name = asked.iter().filter(|it| it.resource == SERVICES && !it.name.is_empty()).count();
    assert_eq!(by_name, 2000, "one to create it, one to delete it: {by_kind}");
    assert!(asked.len() <= 6 * 1000, "{by_kind}");
    // Lists, watches, questions: their number does not grow with the functions.
    assert!(asked.len() - by_name < 200, "{by_kind}");
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it says so");
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kib < 200 * 1024, "{kib} KiB");
}
