use std::time::Duration;

use loader_proto::json;
use loader_trace::Arrivals;
use serde_json::{Value, json};

use super::*;
use crate::endpoint::Endpoint;

fn message(value: &Value) -> loader_proto::v1::RunSpec {
    let (message, faults) = json::from_value(value);
    assert!(faults.is_empty(), "{value}: {faults:?}");
    message
}

/// The common part of a spec, whose mode is checked elsewhere.
fn checked(value: &Value) -> Result<RunSpec, Vec<Violation>> {
    checked_with(value, "local")
}

fn checked_with(value: &Value, platform: &str) -> Result<RunSpec, Vec<Violation>> {
    let mut check = Check::default();
    let mode = ModeFacts { name: "mode", arrivals: Arrivals::Uniform, failure_ratio: 0.3, needs_scales: false };
    let spec = common(&mut check, &message(value), &Defaults { platform: platform.to_owned() }, Some(mode));
    check.finish(spec)
}

#[track_caller]
fn good(value: &Value) -> RunSpec {
    checked(value).unwrap_or_else(|violations| panic!("{value}: {violations:?}"))
}

/// The faults of a spec, as text.
#[track_caller]
fn faults(value: &Value) -> Vec<String> {
    checked(value).expect_err("is refused").iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_left_out_is_as_documented() {
    let expected = RunSpec {
        name: "mode".to_owned(),
        platform: PlatformKind::Local,
        seed: 42,
        kind: FunctionKind::Trace,
        protocol: FunctionProtocol::Grpc,
        runtime_clock: None,
        startup_busy_loop: None,
        arrivals: Arrivals::Uniform,
        timeouts: Timeouts {
            function: Duration::from_mins(15),
            connect: Duration::from_mins(1),
            drain: Duration::from_mins(15),
        },
        overload: Overload { failure_ratio: 0.3, tolerance: 2 },
        saturation: Saturation { lag: Duration::from_millis(10), abort: false },
        slo: None,
        max_in_flight: 100_000,
        max_memory_in_flight_mib: None,
        scaling: ScalingOverrides::default(),
        connections: Connections { policy: ConnectionPolicy::Pooled, per_address: None },
        attach: Vec::new(),
        deploy: DeployOptions::default(),
        output: Output::Csv,
        disturbances: Vec::new(),
        expectations: Vec::new(),
        workers: None,
        mode: "mode",
    };
    assert_eq!(good(&json!({})), expected);
    let slo = good(&json!({"slo": {"response": "0.5s"}})).slo;
    assert_eq!(slo, Some(Slo { response: Duration::from_millis(500), share: 0.99 }));
    assert_eq!(good(&json!({"arrivals": "poisson"})).arrivals, Arrivals::Poisson);
}

/// Each row: a field, its value, what is wrong with it.
#[track_caller]
fn check_fields(rows: &[(&str, Value, &str)]) {
    for (field, value, expected) in rows {
        assert_eq!(faults(&json!({ *field: value })), [*expected]);
    }
}

#[test]
fn every_common_field_is_checked() {
    check_fields(&[
        (
            "name",
            json!("Demo"),
            "name: is \"Demo\"; must be up to 63 characters of a-z, 0-9 and '-', first a letter, last not '-'",
        ),
        (
            "name",
            json!("-x"),
            "name: is \"-x\"; must be up to 63 characters of a-z, 0-9 and '-', first a letter, last not '-'",
        ),
        (
            "platform",
            json!("knativ"),
            "platform: \"knativ\" is not known; known are local, knative, attach; did you mean knative?",
        ),
        (
            "arrivals",
            json!("fast"),
            "arrivals: \"fast\" is not known; known are equidistant, exponential, exponential_shift, uniform, uniform_shift, poisson",
        ),
        ("functionTimeout", json!("0s"), "functionTimeout: is 0s; must be 1ms to 1year"),
        ("connectTimeout", json!("-1s"), "connectTimeout: is -1s; must be 1ms to 1year"),
        ("drainTimeout", json!("-0.5s"), "drainTimeout: is -0.500s; must be 0s to 1year"),
        ("overload", json!({"failureRatio": 0}), "overload.failureRatio: is 0; must be above 0 and at most 1"),
        ("overload", json!({"failureRatio": 1.5}), "overload.failureRatio: is 1.5; must be above 0 and at most 1"),
        ("overload", json!({"tolerance": 0}), "overload.tolerance: is 0; must be 1 to 4294967295"),
        ("slo", json!({}), "slo.response: is missing; must be the response time that is accepted"),
        ("slo", json!({"response": "0s"}), "slo.response: is 0s; must be 1us to 1year"),
        ("saturation", json!({"lag": "0s"}), "saturation.lag: is 0s; must be 1us to 1year"),
        ("maxInFlight", json!(0), "maxInFlight: is 0; must be 1 to 4294967295"),
        ("maxMemoryInFlight", json!(0), "maxMemoryInFlight: is 0; must be 1 to 4294967295"),
        (
            "scaling",
            json!({"initialScale": 201}),
            "scaling.initialScale: is 201; must be at most scaling.maxScale, which is 200",
        ),
        (
            "scaling",
            json!({"minScale": 3, "maxScale": 2}),
            "scaling.minScale: is 3; must be at most scaling.maxScale, which is 2",
        ),
        (
            "connections",
            json!({"policy": "pool"}),
            "connections.policy: \"pool\" is not known; known are pooled, per-function, per-invocation; did you mean pooled?",
        ),
        ("connections", json!({"perAddress": 0}), "connections.perAddress: is 0; must be 1 to 4096"),
        (
            "connections",
            json!({"policy": "per-function", "perAddress": 2}),
            "connections.perAddress: is for policy pooled only; the policy is per-function",
        ),
        ("scaling", json!({"containerConcurrency": 0}), "scaling.containerConcurrency: is 0; must be 1 to 1000"),
        ("scaling", json!({"stableWindow": "0s"}), "scaling.stableWindow: is 0s; must be 1ms to 1year"),
        ("attach", json!({"targets": []}), "attach: is for platform attach only; this run's platform is local"),
    ]);
}

#[test]
fn what_is_deployed_and_what_is_kept_is_checked() {
    check_fields(&[
        (
            "function",
            json!({"kind": "empti"}),
            "function.kind: \"empti\" is not known; known are trace, empty, timed, wimpy, hello; did you mean empty?",
        ),
        ("function", json!({"clock": "sun"}), "function.clock: \"sun\" is not known; known are wall, cpu"),
        (
            "function",
            json!({"kind": "wimpy", "clock": "cpu"}),
            "function.clock: is cpu, which is for kind trace only; the kind is wimpy",
        ),
        (
            "output",
            json!({"format": "parket"}),
            "output.format: \"parket\" is not known; known are csv, parquet; did you mean parquet?",
        ),
        (
            "output",
            json!({"compression": "zip"}),
            "output.compression: \"zip\" is not known; known are none, gzip; did you mean gzip?",
        ),
        (
            "output",
            json!({"format": "parquet", "compression": "gzip"}),
            "output.compression: is for format csv only; parquet is compressed in its own way",
        ),
    ]);
}

#[test]
fn attached_functions_need_addresses() {
    let attach = |targets: Value| json!({"platform": "attach", "attach": {"targets": targets}});
    assert_eq!(faults(&attach(json!([]))), ["attach.targets: is empty; platform attach needs the functions to call"]);
    assert_eq!(
        faults(&attach(json!([{"address": "::1:80"}]))),
        ["attach.targets[0].address: is \"::1:80\"; must be host:port, such as 10.0.0.7:8080; did you mean [::1]:80?"]
    );
    assert_eq!(
        faults(&attach(json!([{"address": "host"}, {"address": "h:1", "authority": "a b"}]))),
        [
            "attach.targets[0].address: is \"host\"; must be host:port, such as 10.0.0.7:8080",
            "attach.targets[1].authority: is \"a b\"; must be a host name, with or without :port",
        ]
    );
    let spec = good(&attach(json!([{"address": "h:1"}, {"address": "10.0.0.7:80", "authority": "f.example"}])));
    let endpoint = |address: &str, authority: &str| Endpoint::plain(address, authority);
    assert_eq!(spec.attach, [endpoint("h:1", "h:1"), endpoint("10.0.0.7:80", "f.example")]);
}

#[test]
fn the_default_platform_is_the_daemons() {
    assert_eq!(checked_with(&json!({}), "knative").expect("valid").platform, PlatformKind::Knative);
    assert_eq!(checked_with(&json!({}), "moon").expect_err("is refused")[0].field, "platform");
}

#[test]
fn expectations_are_read_and_all_of_their_faults_are_found() {
    let spec = good(&json!({"expect": [" response.p99 < 500ms ", "failed < 1% abort"]}));
    let texts: Vec<_> =
        spec.expectations.iter().map(|it| (it.text.as_str(), it.abort.map(|after| after.as_secs()))).collect();
    assert_eq!(texts, [("response.p99 < 500ms", None), ("failed < 1% abort", Some(10))]);
    let found = faults(&json!({"expect": ["respons.p99 < 1s", "failed < 1%", "failed < 1%", "failed < x"]}));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with("expect[0]: there is no figure")
            && found[1].starts_with("expect[2]: \"failed < 1%\" is there twice"),
        "{found:?}"
    );
    let many: Vec<_> = (0..51).map(|number| format!("failed < {number}")).collect();
    assert_eq!(faults(&json!({"expect": many})), ["expect: has 51 entries; must have at most 50"]);
}
