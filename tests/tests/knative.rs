//! The platform `knative` against the fake cluster: all four modes, and what can go wrong.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use loader_tests::{
    Daemon,
    cluster::{Cluster, Failure},
    even_trace, eventually,
};
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

/// Things of others, and a Service of this daemon's that belongs to another run.
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
    // Each instance's start has its stages, in their order.
    let starts = daemon.table(id, "cold_starts.csv");
    let stages = ["created_unix_us", "scheduled_unix_us", "started_unix_us", "ready_unix_us"];
    for row in starts.columns(stages) {
        let times = row.map(|time| time.parse::<u64>().expect("is known"));
        assert!(times.is_sorted(), "{row:?}");
    }
    // Each cold invocation's answer is the first reply of its instance.
    let cold = rows.columns(["instance", "cold_start"]).into_iter().filter(|row| row[1] == "true").count();
    let replied =
        starts.columns(["created_unix_us", "first_reply_unix_us"]).into_iter().filter(|row| !row[1].is_empty());
    let replied: Vec<_> = replied.map(|row| row.map(|time| time.parse::<u64>().expect("a time"))).collect();
    // What a watch tells comes by another way than the answers, and may come later than the last of them.
    assert!((1..=cold).contains(&replied.len()), "{replied:?} of {cold}");
    assert!(replied.iter().all(|[created, reply]| reply >= created), "{replied:?}");
    let victims = rows.columns(["function", "cold_start"]).into_iter().filter(|row| *row == ["victim", "true"]).count();
    assert_eq!(victims, 1);
    assert!(starts.column("function").contains(&"victim"), "{starts:?}");
    // What the scales told.
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
    let flags = "--mode rps --start 5 --end 10 --step 5 --slot 2s --functions 2 --runtime 5ms --memory 1MiB";
    let run = succeed(&daemon, flags);
    assert_eq!(run["summary"]["rps"]["heldRate"], json!(10.0));
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
    for words in ["v1.36.2", "1.23.0", "Kourier at 127.0.0.1:", "namespace", "loader"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(shown.contains("delete services.serving.knative.dev in namespace loader"), "{shown}");
    assert!(shown.contains("list pods in namespace loader"), "{shown}");
    // Nothing is made by who could not take it away.
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
    let path = |pod: &str| format!("/api/v1/namespaces/knative-serving/pods/{pod}:9090/proxy/metrics");
    cluster.page(&path("autoscaler"), &of_autoscaler);
    cluster.page(&path("activator"), &of_activator);
    let pods: Vec<_> = cluster
        .names("pods")
        .into_iter()
        .map(|name| {
            json!({"podRef": {"name": name, "namespace": "loader", "uid": "u"}, "cpu": {"usageNanoCores": 11_000_000},
               "memory": {"workingSetBytes": 3_145_728}})
        })
        .collect();
    let summary = json!({"node": {"nodeName": "knative-control-plane", "cpu": {"usageNanoCores": 1_261_805_354},
                                  "memory": {"workingSetBytes": 4_679_102_464_u64}}, "pods": pods});
    cluster.page("/api/v1/nodes/knative-control-plane/proxy/stats/summary", &summary.to_string());
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
    let rows = |file: &str| fs::read_to_string(daemon.directory(&id).join(file)).map_or(0, |text| text.lines().count());
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
    assert!(pods.columns(["cpu_millicores", "memory_mib"]).contains(&["11", "3"]), "{pods:?}");
    let autoscaler = daemon.table(&id, "autoscaler.csv");
    let last = autoscaler.columns(["desired_pods", "activator_queue", "stable_concurrency", "panic_concurrency"]).pop();
    assert_eq!(last, Some(["4", "2", "0.5", ""]));
}

#[test]
fn metrics_that_are_off_are_told_once_in_plain_words() {
    let cluster = Cluster::start();
    let metadata = json!({"name": "config-observability", "namespace": "knative-serving"});
    cluster.put("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}}));
    let config = cluster.loaderd_config("[scrape]\nperiod = \"1s\"");
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start_with(state.path(), &["--config", config.to_str().expect("text")]);
    succeed(&daemon, "--mode rps --start 5 --end 5 --slot 4s --runtime 1ms --memory 1MiB");
    let log = daemon.log();
    let told: Vec<_> = log.iter().filter(|line| line.contains("metrics-protocol: prometheus")).collect();
    assert_eq!(told.len(), 1, "{log:#?}");
    let shown = daemon.ctl(&["status"]).ok().stdout;
    assert!(shown.contains("Knative's metrics are off"), "{shown}");
}

#[test]
fn failures_have_their_true_cause() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    for (failure, timeout, expected) in [
        (Failure::Webhook, "5m", "denied the request"),
        (Failure::Crash, "5m", "ExitCode0: Container failed with: container exited with no error"),
        (Failure::BadImage, "5m", "ImagePullBackOff"),
        (Failure::Quota, "5m", "exceeded quota"),
        (
            Failure::Unschedulable,
            "15s",
            "not ready within 15s (deploy.timeout): Unschedulable: 0/1 nodes are available",
        ),
    ] {
        let function = format!("rps-{}", failure as u8);
        cluster.heal();
        cluster.fail(&function, failure);
        let flags = format!(
            "--mode rps --start 5 --end 5 --slot 1s --functions 5 --runtime 1ms --memory 1MiB --initial-scale 1 \
             --deploy-timeout {timeout}"
        );
        let run = daemon.ended(&submit(&daemon, &flags));
        assert_eq!(run["state"], "RUN_STATE_FAILED", "{failure:?}");
        let reason = run["reason"].as_str().expect("text");
        assert!(
            reason.starts_with(&format!("function {function}: ")) || reason.contains(&format!("{function}: ")),
            "{reason}"
        );
        assert!(reason.contains(expected), "{failure:?}: {reason}");
        assert_eq!(cluster.names(SERVICES), [""; 0], "what came up is taken away");
    }
}

#[test]
fn one_of_five_may_fail() {
    let cluster = Cluster::start();
    cluster.fail("rps-3", Failure::Webhook);
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode rps --start 5 --end 5 --slot 2s --functions 5 --runtime 1ms --memory 1MiB --allow-failures 1";
    let run = succeed(&daemon, flags);
    let rows = daemon.table(run["runId"].as_str().expect("an id"), "invocations.csv");
    let statuses: Vec<_> = rows.columns(["function", "status"]).into_iter().filter(|row| row[1] != "ok").collect();
    assert_eq!(statuses, [["rps-3", "not_sent"]; 2]);
    assert_eq!(rows.len(), 10);
}

#[test]
fn a_namespace_that_is_not_there_is_named() {
    let cluster = Cluster::start();
    let config = cluster.loaderd_config("namespace = \"nons\"");
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start_with(state.path(), &["--config", config.to_str().expect("text")]);
    let run = daemon.ended(&submit(&daemon, BURST));
    assert_eq!(run["state"], "RUN_STATE_FAILED");
    assert!(run["reason"].as_str().expect("text").contains("namespaces \"nons\" not found"), "{run:#}");
}

/// Longer than what a watch or a request waits before it is tried again.
const OUTAGE: Duration = Duration::from_secs(10);

#[test]
fn the_api_server_may_go_away() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode rps --start 10 --end 10 --slot 20s --functions 4 --runtime 5ms --memory 1MiB --initial-scale 1";
    let id = submit(&daemon, flags);
    // In the middle of the deployment.
    eventually("the first Service", || (!cluster.names(SERVICES).is_empty()).then_some(()));
    cluster.set_away(true);
    std::thread::sleep(OUTAGE);
    cluster.set_away(false);
    // In the middle of the load, which goes on.
    let rows =
        || fs::read_to_string(daemon.directory(&id).join("invocations.csv")).map_or(0, |text| text.lines().count());
    eventually("rows", || (rows() > 20).then_some(()));
    cluster.set_away(true);
    std::thread::sleep(OUTAGE);
    cluster.set_away(false);
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let table = daemon.table(&id, "invocations.csv");
    assert_eq!(table.counts("status"), BTreeMap::from([("ok", 200)]));
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

#[test]
fn watches_may_be_slow_cut_and_forgotten() {
    let cluster = Cluster::start();
    cluster.slow_watches(Duration::from_millis(30));
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode coldstart --start 4 --step 0 --cold-starts 1 --functions 6 --slot 3s --duration 12s --runtime 5ms \
                 --memory 1MiB --stable-window 6s";
    let id = submit(&daemon, flags);
    let rows =
        || fs::read_to_string(daemon.directory(&id).join("invocations.csv")).map_or(0, |text| text.lines().count());
    for count in [5, 12, 20] {
        eventually("rows", || (rows() > count).then_some(()));
        if count == 12 { cluster.forget_history() } else { cluster.cut_watches() }
    }
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let findings = json!({"requested": "4", "achieved": "4", "shortfallBySlot": ["0", "0", "0", "0"]});
    assert_eq!(run["summary"]["coldstart"], findings);
}

#[test]
fn a_renewed_token_is_found_and_an_expired_one_is_told() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode rps --start 10 --end 10 --slot 5s --runtime 5ms --memory 1MiB";
    let id = submit(&daemon, flags);
    eventually("the Service", || (!cluster.names(SERVICES).is_empty()).then_some(()));
    cluster.expire_token(true);
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    cluster.expire_token(false);
    let run = daemon.ended(&submit(&daemon, flags));
    assert_eq!(run["state"], "RUN_STATE_FAILED");
    assert!(run["reason"].as_str().expect("text").contains("the token may have expired"), "{run:#}");
}

#[test]
fn a_service_that_someone_else_deletes_is_in_the_rows() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags =
        "--mode rps --start 10 --end 10 --slot 20s --functions 2 --runtime 5ms --memory 1MiB --failure-ratio 0.9";
    let id = submit(&daemon, flags);
    let rows =
        || fs::read_to_string(daemon.directory(&id).join("invocations.csv")).map_or(0, |text| text.lines().count());
    eventually("rows", || (rows() > 20).then_some(()));
    let name = cluster.names(SERVICES).into_iter().find(|name| name.starts_with("rps-1-")).expect("is there");
    assert!(cluster.delete(SERVICES, &name));
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let table = daemon.table(&id, "invocations.csv");
    let of = |wanted: &str| {
        let rows = table.columns(["function", "status"]).into_iter().filter(|row| row[0] == wanted);
        rows.fold(BTreeMap::new(), |mut counts, row| {
            *counts.entry(row[1].to_owned()).or_insert(0) += 1;
            counts
        })
    };
    assert_eq!(of("rps-0"), BTreeMap::from([("ok".to_owned(), 100)]));
    let gone = of("rps-1");
    assert_eq!(gone.values().sum::<i32>(), 100);
    assert!(gone.get("grpc_UNIMPLEMENTED").is_some_and(|count| *count > 0), "{gone:?}");
    assert_eq!(cluster.names(SERVICES), [""; 0]);
}

#[test]
fn what_was_left_is_cleaned_by_run() {
    let cluster = Cluster::start();
    furnish(&cluster);
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags = "--mode rps --start 5 --end 5 --slot 1s --runtime 1ms --memory 1MiB --keep";
    let [kept, other] = [(); 2].map(|()| succeed(&daemon, flags)["runId"].as_str().expect("an id").to_owned());
    assert_eq!(cluster.names(SERVICES).len(), FURNITURE.len() + 2);
    daemon.ctl(&["clean", "--run", &kept]).ok();
    let of_run = |run: &str| {
        let suffix = run.split_once('t').expect("an id").1.to_owned();
        cluster.names(SERVICES).into_iter().filter(|name| name.ends_with(&suffix)).count()
    };
    assert_eq!((of_run(&kept), of_run(&other)), (0, 1));
    daemon.ctl(&["clean", "--all-runs"]).ok();
    // What no loaderd made is still there.
    assert_eq!(cluster.names(SERVICES), ["anothers", "somebodys"]);
    assert_eq!(cluster.names("pods"), ["database"]);
}

#[test]
fn a_killed_daemon_cleans_at_its_next_start() {
    let cluster = Cluster::start();
    furnish(&cluster);
    let state = tempfile::tempdir().expect("a directory");
    let mut first = daemon(&cluster, state.path());
    let id = submit(&first, "--mode rps --start 5 --end 5 --slot 60s --functions 3 --runtime 1ms --memory 1MiB");
    let rows =
        || fs::read_to_string(first.directory(&id).join("invocations.csv")).map_or(0, |text| text.lines().count());
    eventually("rows", || (rows() > 5).then_some(()));
    first.signal(nix::sys::signal::Signal::SIGKILL);
    first.wait();
    assert_eq!(cluster.names(SERVICES).len(), FURNITURE.len() + 3);
    let second = daemon(&cluster, state.path());
    eventually("the run's Services are gone", || (cluster.names(SERVICES) == FURNITURE).then_some(()));
    eventually("the run's pods are gone", || (cluster.names("pods") == ["database"]).then_some(()));
    let run = second.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_INTERRUPTED");
}

#[test]
fn a_thousand_functions_take_few_requests() {
    let cluster = Cluster::start();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = daemon(&cluster, state.path());
    let flags =
        "--mode rps --start 20 --end 20 --slot 2s --functions 1000 --runtime 1ms --memory 1MiB --initial-scale 0";
    let run = succeed(&daemon, flags);
    assert_eq!(number(&run["summary"]["byStatus"]["ok"]), 40);
    assert_eq!(cluster.names(SERVICES), [""; 0]);
    let asked = cluster.asked();
    let told = cluster.asked_by_kind();
    let by_name = asked.iter().filter(|it| it.resource == SERVICES && !it.name.is_empty()).count();
    assert_eq!(by_name, 2000, "one to make it, one to take it away: {told}");
    assert!(asked.len() <= 6 * 1000, "{told}");
    // Lists, watches, questions: their number does not grow with the functions.
    assert!(asked.len() - by_name < 200, "{told}");
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it says so");
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kib < 200 * 1024, "{kib} KiB");
}

/// What `config-autoscaler` holds.
fn autoscaler(cluster: &Cluster) -> Value {
    cluster.get("configmaps", "knative-serving", "config-autoscaler").expect("is there")["data"].clone()
}

/// A trace of short functions that are called evenly, each column a second; the flags that replay it.
fn warm_trace(directory: &Path, duration: &str) -> String {
    let to = even_trace(directory, 2, 60, 10, 5);
    format!(
        "--mode trace --granularity second --max-runtime 5ms --max-memory 2MiB --stable-window 6s --duration {duration} \
         --warmup-hold 3s --warmup-settle 4s --trace {to}"
    )
}

const HELD: [(&str, &str); 4] = [
    ("enable-scale-to-zero", "false"),
    ("max-scale-up-rate", "1000000.0"),
    ("max-scale-down-rate", "1.1"),
    ("scale-down-delay", "15m"),
];

fn is_held(settings: &Value) -> bool {
    HELD.iter().all(|(key, value)| settings[key] == *value)
}

#[test]
fn a_warm_up_holds_the_autoscaler_and_puts_it_back() {
    let cluster = Cluster::start();
    let before = json!({"allow-zero-initial-scale": "true", "scale-down-delay": "2s", "stable-window": "60s"});
    let metadata = json!({"name": "config-autoscaler", "namespace": "knative-serving"});
    cluster.put("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": before}));
    let state = tempfile::tempdir().expect("a directory");
    let flags = warm_trace(state.path(), "12s");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let id = submit(&daemon, &flags);
    eventually("the autoscaler is held", || is_held(&autoscaler(&cluster)).then_some(()));
    let ledger = fs::read_to_string(daemon.directory(&id).join("cluster_settings.json")).expect("it was noted first");
    let ledger: Value = serde_json::from_str(&ledger).expect("it is JSON");
    assert_eq!(ledger["before"]["scale-down-delay"], "2s");
    assert_eq!(ledger["before"]["enable-scale-to-zero"], Value::Null);
    eventually("it is put back", || (autoscaler(&cluster) == before).then_some(()));
    let run = daemon.ended(&id);
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    let warmup = &run["summary"]["warmup"];
    assert!((3_000_000..=7_000_000).contains(&number(&warmup["measuredFromUs"])), "{warmup:#}");
    assert!(number(&warmup["instancesStarted"]) >= 2, "{warmup:#}");
    assert_eq!(autoscaler(&cluster), before);
    let ledger = fs::read_to_string(daemon.directory(&id).join("cluster_settings.json")).expect("is there");
    assert!(ledger.contains("\"restored\": true"), "{ledger}");
    daemon.ctl(&["check", daemon.directory(&id).to_str().expect("text")]).ok();
}

#[test]
fn a_warm_up_that_is_cancelled_puts_the_autoscaler_back() {
    let cluster = Cluster::start();
    let before = autoscaler(&cluster);
    let state = tempfile::tempdir().expect("a directory");
    let flags = warm_trace(state.path(), "60s");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let id = submit(&daemon, &flags.replace("--warmup-hold 3s", "--warmup-hold 50s"));
    let shown = || daemon.ctl(&["--output", "json", "get", &id]).ok().json()["run"]["state"].clone();
    eventually("it warms up", || (shown() == "RUN_STATE_WARMING_UP").then_some(()));
    assert!(is_held(&autoscaler(&cluster)));
    daemon.ctl(&["cancel", &id]).ok();
    assert_eq!(daemon.ended(&id)["state"], "RUN_STATE_CANCELLED");
    assert_eq!(autoscaler(&cluster), before);
}

/// "Killing the daemon in the warm-up and starting it again restores the autoscaler's configuration and cleans the run's
/// Services; nothing else was touched."
#[test]
fn a_daemon_that_is_killed_in_a_warm_up_puts_everything_back_at_its_next_start() {
    let cluster = Cluster::start();
    furnish(&cluster);
    let before = autoscaler(&cluster);
    let state = tempfile::tempdir().expect("a directory");
    let flags = warm_trace(state.path(), "60s").replace("--warmup-hold 3s", "--warmup-hold 50s");
    let mut first = daemon(&cluster, &state.path().join("state"));
    let id = submit(&first, &flags);
    let shown = || first.ctl(&["--output", "json", "get", &id]).ok().json()["run"]["state"].clone();
    eventually("it warms up", || (shown() == "RUN_STATE_WARMING_UP").then_some(()));
    first.signal(nix::sys::signal::Signal::SIGKILL);
    first.wait();
    assert!(is_held(&autoscaler(&cluster)));
    // Somebody sets one of the keys meanwhile: then it is theirs.
    let mut theirs = autoscaler(&cluster);
    theirs["max-scale-down-rate"] = json!("2.0");
    let metadata = json!({"name": "config-autoscaler", "namespace": "knative-serving"});
    cluster.put("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": theirs}));
    let second = daemon(&cluster, &state.path().join("state"));
    eventually("the run's Services are gone", || (cluster.names(SERVICES) == FURNITURE).then_some(()));
    let mut expected = before;
    expected["max-scale-down-rate"] = json!("2.0");
    assert_eq!(autoscaler(&cluster), expected);
    assert_eq!(second.ended(&id)["state"], "RUN_STATE_INTERRUPTED");
    let patched: Vec<_> =
        cluster.asked().into_iter().filter(|it| it.verb == "patch" && it.resource == "configmaps").collect();
    assert_eq!(patched.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["config-autoscaler"; 2]);
}

#[test]
fn a_warm_up_that_may_not_hold_makes_nothing() {
    let cluster = Cluster::start();
    cluster.forbid("patch", "configmaps");
    let state = tempfile::tempdir().expect("a directory");
    let flags = warm_trace(state.path(), "12s");
    let daemon = daemon(&cluster, &state.path().join("state"));
    let run = daemon.ended(&submit(&daemon, &flags));
    assert_eq!(run["state"], "RUN_STATE_FAILED");
    let reason = run["reason"].as_str().expect("text");
    assert!(reason.contains("patch configmaps in namespace knative-serving"), "{reason}");
    assert!(cluster.asked().iter().all(|it| it.verb != "patch"), "{}", cluster.asked_by_kind());
}
