use super::*;

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::from_toml(""), Ok(Config::default()));
    assert_eq!(Config::default().check(), [""; 0]);
}

#[test]
fn every_key_is_read() {
    let config = Config::from_toml(
        r#"
state_dir = "/tmp/state"
listen = ["127.0.0.1:1", "[::1]:2"]
socket = "/tmp/socket"
metrics_listen = "127.0.0.1:3"
platform = "attach"
log_level = "debug"
shutdown_drain = "1m 30s"

[isolation]
cpus = "2-3, 0"
memory = "locked"
realtime = 7
[dispatch]
workers = 3
connections = 9

[traces]
roots = ["/srv/traces"]
max_upload_mib = 12

[local]
trace_func = "/usr/bin/trace-func"
max_instances = 5
memory_ratio = 0.5
stable_window = "3s"
start_timeout = "700ms"

[knative]
kubeconfig = "/etc/loader/kubeconfig"
context = "lab"
namespace = "loader"
image = "registry.example/trace-func:1"
gateway = "10.0.0.7:80"
gateway_ca = "/etc/loader/ca.pem"
manifest = "/etc/loader/function.yaml"
node_selector = { "kind" = "worker" }

[scrape]
period = "2s"

[prometheus]
url = "http://10.0.0.8:9090"
"#,
    );
    let expected = Config {
        state_dir: "/tmp/state".into(),
        listen: vec!["127.0.0.1:1".parse().expect("an address"), "[::1]:2".parse().expect("an address")],
        socket: Some("/tmp/socket".into()),
        metrics_listen: Some("127.0.0.1:3".parse().expect("an address")),
        platform: "attach".to_owned(),
        log_level: log::LevelFilter::Debug,
        shutdown_drain: Duration::from_secs(90),
        dispatch: Dispatch { workers: 3, connections: 9 },
        isolation: Isolation { cpus: CpuList(vec![0, 2, 3]), memory: Memory::Locked, realtime: Some(7) },
        traces: Traces { roots: vec!["/srv/traces".into()], max_upload_mib: 12 },
        local: Local {
            trace_func: Some("/usr/bin/trace-func".into()),
            max_instances: 5,
            memory_ratio: 0.5,
            stable_window: Duration::from_secs(3),
            start_timeout: Duration::from_millis(700),
        },
        knative: Knative {
            kubeconfig: Some("/etc/loader/kubeconfig".into()),
            context: Some("lab".to_owned()),
            namespace: Some("loader".to_owned()),
            image: Some("registry.example/trace-func:1".to_owned()),
            gateway: Some("10.0.0.7:80".to_owned()),
            gateway_ca: Some("/etc/loader/ca.pem".into()),
            manifest: Some("/etc/loader/function.yaml".into()),
            node_selector: Labels([("kind".to_owned(), "worker".to_owned())].into()),
        },
        scrape: Scrape { period: Duration::from_secs(2) },
        prometheus: PrometheusAccess { url: Some("http://10.0.0.8:9090".to_owned()) },
    };
    assert_eq!(config, Ok(expected));
}

#[test]
fn every_fault_is_told_with_its_line() {
    let faults = Config::from_toml(
        r#"state_dir = 7
listne = ["127.0.0.1:1"]
metrics_listen = "here"

[local]
max_instances = 0
memory_ratio = 1.5
stable_window = 3
trace_fucn = "x"

[nonsense]
"#,
    )
    .expect_err("is full of faults");
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "line 1: state_dir: must be a path, not 7",
            "line 2: listne: unknown key; did you mean listen?",
            "line 3: metrics_listen: must be an address such as \"127.0.0.1:9470\", not \"here\"",
            "line 6: local.max_instances: must be between 1 and 100000, not 0",
            "line 7: local.memory_ratio: must be between 0.01 and 1, not 1.5",
            "line 8: local.stable_window: must be a duration such as \"30s\" or \"500ms\", not 3",
            "line 9: local.trace_fucn: unknown key; did you mean trace_func?",
            "line 11: nonsense: unknown key; known are state_dir, listen, socket, metrics_listen, platform, log_level, shutdown_drain, dispatch, isolation, traces, local, knative, scrape, prometheus",
        ]
    );
}

#[test]
fn a_syntax_error_has_its_line() {
    let faults = Config::from_toml("platform = \"local\"\nlisten = [\n").expect_err("is broken");
    assert!(faults[0].line >= 2, "{faults:?}");
}

#[test]
fn only_loopback_is_served() {
    let config = Config {
        listen: vec!["0.0.0.0:9470".parse().expect("an address")],
        metrics_listen: Some("10.0.0.1:9480".parse().expect("an address")),
        ..Config::default()
    };
    assert_eq!(
        config.check(),
        [
            "0.0.0.0:9470 is no loopback address: without TLS and authentication nothing else is served",
            "10.0.0.1:9480 is no loopback address: without TLS and authentication nothing else is served",
        ]
    );
    let silent = Config { listen: Vec::new(), ..Config::default() };
    assert_eq!(silent.check(), ["nothing to listen on: give listen or socket"]);
}
