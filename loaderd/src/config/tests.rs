use super::*;
use std::{num::NonZeroU32, time::Duration};

use crate::access::{Digest, Role, Token};

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
log_format = "json"
shutdown_drain = "1m 30s"
on_stop = "finish"

[isolation]
cpus = "2-3, 0"
memory = "locked"
realtime = 7
[dispatch]
workers = 3
connections = 9

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
disturb = true

[workers]
listen = "0.0.0.0:9490"
advertise = "10.0.0.9:9490"
image = "registry.example/loaderd:1"
"#,
    );
    let expected = Config {
        state_dir: "/tmp/state".into(),
        listen: vec!["127.0.0.1:1".parse().expect("an address"), "[::1]:2".parse().expect("an address")],
        socket: Some("/tmp/socket".into()),
        metrics_listen: Some("127.0.0.1:3".parse().expect("an address")),
        platform: "attach".to_owned(),
        log_level: log::LevelFilter::Debug,
        log_format: LogFormat::Json,
        shutdown_drain: Duration::from_secs(90),
        on_stop: OnStop::Finish,
        dispatch: Dispatch { workers: 3, connections: 9 },
        isolation: Isolation { cpus: CpuList(vec![0, 2, 3]), memory: Memory::Locked, realtime: Some(7) },
        platforms: PlatformSections {
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
                disturb: true,
            },
            workers: Workers {
                listen: Some("0.0.0.0:9490".parse().expect("an address")),
                advertise: Some("10.0.0.9:9490".to_owned()),
                image: Some("registry.example/loaderd:1".to_owned()),
            },
        },
        ..Config::default()
    };
    assert_eq!(config, Ok(expected));
}

#[test]
fn keys_of_storage_and_telemetry_are_read() {
    let config = Config::from_toml(
        r#"
[traces]
roots = ["/srv/traces"]
max_upload_mib = 12
max_mib = 40
max_mib_per_client = 20
max_uploads = 3
max_uploads_per_client = 2
expire = "1h"

[retention]
max_age = "2d"
max_runs = 9
max_mib = 10

[scrape]
period = "2s"

[prometheus]
url = "http://10.0.0.8:9090"

[otlp]
endpoint = "http://10.0.0.9:4317"
sampled = 0.5

[http]
page = false
hosts = ["loader.example"]
"#,
    );
    let expected = Config {
        traces: Traces {
            roots: vec!["/srv/traces".into()],
            max_upload_mib: 12,
            max_mib: 40,
            max_mib_per_client: 20,
            max_uploads: 3,
            max_uploads_per_client: 2,
            expire: Expiry(Some(Duration::from_hours(1))),
        },
        retention: Retention { max_age: Some(Duration::from_hours(48)), max_runs: Some(9), max_mib: Some(10) },
        scrape: Scrape { period: Duration::from_secs(2) },
        prometheus: PrometheusAccess { url: Some("http://10.0.0.8:9090".to_owned()) },
        otlp: Otlp { endpoint: Some("http://10.0.0.9:4317".to_owned()), sampled: 0.5 },
        http: Http { page: Some(false), hosts: vec!["loader.example".to_owned()] },
        ..Config::default()
    };
    assert_eq!(config, Ok(expected));
}

#[test]
fn access_is_read() {
    let config = Config::from_toml(
        r#"
[tls]
certificate = "/tls/server.pem"
key = "/tls/server.key"
client_ca = "/tls/clients.pem"
loopback = true

[access]
socket = "submit"
loopback = "none"
requests_per_second = 50
certificates = { "alice" = "admin" }
[access.tokens.ci]
role = "read"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"#,
    );
    let expected = Config {
        tls: Tls {
            certificate: Some("/tls/server.pem".into()),
            key: Some("/tls/server.key".into()),
            client_ca: Some("/tls/clients.pem".into()),
            loopback: true,
        },
        access: Access {
            socket: ListenerRole(Some(Role::Submit)),
            loopback: ListenerRole(None),
            requests_per_second: NonZeroU32::new(50).expect("it is more"),
            tokens: Tokens(vec![Token { name: "ci".to_owned(), role: Role::Read, digest: Digest::of(b"abc") }]),
            certificates: Roles([("alice".to_owned(), Role::Admin)].into()),
        },
        ..Config::default()
    };
    assert_eq!(config, Ok(expected));
}

#[test]
fn digests_and_roles_are_checked() {
    let text = "[access]\nsocket = \"root\"\ntokens = { ci = { role = \"read\", sha256 = \"abc\" } }\n\
                certificates = { alice = \"all\" }\n";
    let faults = Config::from_toml(text).expect_err("is full of faults");
    let keys: Vec<_> = faults.iter().map(|fault| (fault.line, fault.key.as_str())).collect();
    assert_eq!(keys, [(2, "access.socket"), (3, "access.tokens"), (4, "access.certificates")]);
}

#[test]
fn every_fault_is_reported_with_its_line() {
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
            "line 11: nonsense: unknown key; known are state_dir, listen, socket, metrics_listen, platform, log_level, log_format, shutdown_drain, on_stop, tls, access, retention, dispatch, isolation, traces, hooks, local, knative, workers, scrape, prometheus, otlp, http",
        ]
    );
}

#[test]
fn a_syntax_error_has_its_line() {
    let faults = Config::from_toml("platform = \"local\"\nlisten = [\n").expect_err("is broken");
    assert!(faults[0].line >= 2, "{faults:?}");
}

#[test]
fn other_addresses_than_loopback_need_tls_and_authentication() {
    let public = Config {
        listen: vec!["0.0.0.0:9470".parse().expect("an address")],
        metrics_listen: Some("10.0.0.1:9480".parse().expect("an address")),
        ..Config::default()
    };
    let needs = "is no loopback address: that needs TLS (tls.certificate, tls.key) and authentication (access.tokens, or \
                 tls.client_ca with access.certificates)";
    let refused = [format!("0.0.0.0:9470 {needs}"), format!("10.0.0.1:9480 {needs}")];
    assert_eq!(public.check(), refused);
    let (certificate, key) = (Some("server.pem".into()), Some("server.key".into()));
    let tls = Tls { certificate, key, ..Tls::default() };
    let secured = Config { tls: tls.clone(), ..public.clone() };
    assert_eq!(secured.check(), refused);
    let token = Token { name: "ci".to_owned(), role: Role::Read, digest: Digest::of(b"abc") };
    let by_token = Access { tokens: Tokens(vec![token]), ..Config::default().access };
    assert_eq!(Config { access: by_token.clone(), ..public.clone() }.check(), refused);
    assert_eq!(Config { access: by_token, ..secured.clone() }.check(), [""; 0]);
    let by_certificate = Access { certificates: Roles([("alice".to_owned(), Role::Read)].into()), ..public.access };
    let certified = Config { access: by_certificate, ..secured };
    // Without a CA no certificate is verified.
    assert_eq!(certified.check(), refused);
    let tls = Tls { client_ca: Some("clients.pem".into()), ..tls };
    assert_eq!(Config { tls, ..certified }.check(), [""; 0]);
}

#[test]
fn an_incomplete_configuration_is_refused() {
    let silent = Config { listen: Vec::new(), ..Config::default() };
    assert_eq!(silent.check(), ["nothing to listen on: give listen or socket"]);
    let tls = Tls { key: Some("server.key".into()), loopback: true, ..Tls::default() };
    assert_eq!(
        Config { tls, ..Config::default() }.check(),
        [
            "tls.certificate and tls.key belong together: one of them is missing",
            "tls.client_ca and tls.loopback need tls.certificate and tls.key",
        ]
    );
}

#[test]
fn only_what_needs_a_restart_is_reported_on_reload() {
    let before = Config::default();
    let access = Access { loopback: ListenerRole(None), ..before.access.clone() };
    let after = Config { access, log_level: log::LevelFilter::Debug, ..before.clone() };
    assert_eq!(before.fixed(&after), [""; 0]);
    let limits = Traces { max_uploads: 1, expire: Expiry(None), ..before.traces.clone() };
    let retention = Retention { max_runs: Some(1), ..before.retention.clone() };
    let after = Config { traces: limits.clone(), retention, ..after };
    assert_eq!(before.fixed(&after), [""; 0]);
    let traces = Traces { roots: vec!["/srv".into()], ..limits };
    let after = Config { platform: "attach".to_owned(), socket: Some("/tmp/x".into()), traces, ..after };
    assert_eq!(before.fixed(&after), ["socket", "platform", "traces.roots"]);
}

#[test]
fn the_page_is_on_by_default_on_loopback_alone() {
    let has_page = |page, address: &str| {
        let address = address.parse().expect("an address");
        Http { page, hosts: Vec::new() }.has_page(address)
    };
    assert!(has_page(None, "127.0.0.1:9480") && has_page(None, "[::1]:9480") && !has_page(None, "10.0.0.7:9480"));
    assert!(has_page(Some(true), "10.0.0.7:9480") && !has_page(Some(false), "127.0.0.1:9480"));
    let hosts = ["loader.example", "http://loader.example", "loader:9480", ""].map(str::to_owned);
    let config =
        Config { metrics_listen: None, http: Http { page: Some(true), hosts: hosts.to_vec() }, ..Config::default() };
    let faults = config.check();
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(
        faults[0].starts_with("http.hosts must be names") && faults[3].starts_with("http.page needs metrics_listen")
    );
}
