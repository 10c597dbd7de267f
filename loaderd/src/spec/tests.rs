use loader_proto::json;
use loader_trace::Clamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn message(value: &Value) -> v1::RunSpec {
    let (message, faults) = json::from_value(value);
    assert!(faults.is_empty(), "{value}: {faults:?}");
    message
}

fn checked(value: &Value) -> Result<RunSpec, Vec<Violation>> {
    validate(&message(value), &Defaults { platform: "local".to_owned() })
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

/// A spec of mode burst with one more field.
fn with(field: &str, value: Value) -> Value {
    let mut spec = json!({"burst": {}});
    spec[field] = value;
    spec
}

#[test]
fn what_is_left_out_is_as_documented() {
    let common = |mode: Mode, arrivals: Arrivals| RunSpec {
        name: mode.as_str().to_owned(),
        platform: PlatformKind::Local,
        seed: 42,
        kind: FunctionKind::Trace,
        protocol: FunctionProtocol::Grpc,
        runtime_clock: None,
        arrivals,
        timeouts: Timeouts {
            function: Duration::from_mins(15),
            connect: Duration::from_mins(1),
            drain: Duration::from_mins(15),
        },
        overload: Overload { failure_ratio: 0.3, tolerance: 2 },
        saturation: Saturation { lag: Duration::from_millis(10), abort: false },
        max_in_flight: 100_000,
        scaling: ScalingOverrides::default(),
        connections: Connections { policy: ConnectionPolicy::Pooled, per_address: None },
        attach: Vec::new(),
        deploy: DeployOptions::default(),
        output: Output::Csv,
        mode,
    };
    let (minute, size) = (Duration::from_mins(1), Size { runtime: Duration::from_secs(1), memory_mib: 170 });
    let trace = TraceSpec {
        warmup: None,
        source: TraceSource::Path("/t".into()),
        format: None,
        day: None,
        units: None,
        granularity: Granularity::Minute,
        skip_incomplete: false,
        runtime: Clamp { min: Duration::from_millis(1), max: minute },
        memory_mib: Clamp { min: 1, max: 10_240 },
    };
    assert_eq!(good(&json!({"trace": {"path": "/t"}})), common(Mode::Trace(trace), Arrivals::Poisson));
    let ramp = Ramp { start: 1.0, end: None, step: 1.0 };
    let rps = RpsSpec { ramp, slot: minute, functions: 1, size, cold: None };
    assert_eq!(good(&json!({"rps": {}})), common(Mode::Rps(rps), Arrivals::Equidistant));
    let burst = BurstSpec { target_rps: 8, burst: 10, hold: 4 * minute, step_duration: minute, size };
    assert_eq!(good(&json!({"burst": {}})), common(Mode::Burst(burst), Arrivals::Equidistant));
    let coldstart =
        ColdStartSpec { start: 1.0, step: 0.0, cold_starts: vec![5, 1], functions: 200, slot: minute, slots: 2, size };
    let asked = json!({"coldstart": {"coldStarts": [5, 1]}});
    assert_eq!(good(&asked), common(Mode::ColdStart(coldstart), Arrivals::Equidistant));
}

/// Each row: a field, its value, what is wrong with it.
#[track_caller]
fn check_fields(rows: &[(&str, Value, &str)]) {
    for (field, value, expected) in rows {
        assert_eq!(faults(&with(field, value.clone())), [*expected]);
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
        ("saturation", json!({"lag": "0s"}), "saturation.lag: is 0s; must be 1us to 1year"),
        ("maxInFlight", json!(0), "maxInFlight: is 0; must be 1 to 4294967295"),
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

/// Each row: a mode, its fields, what is wrong with them.
#[track_caller]
fn check_modes(rows: &[(&str, Value, &str)]) {
    for (mode, fields, expected) in rows {
        let mut spec = json!({});
        spec[*mode] = fields.clone();
        assert_eq!(faults(&spec), [*expected]);
    }
}

#[test]
fn every_field_of_burst_and_rps_is_checked() {
    check_modes(&[
        ("burst", json!({"targetRps": 0}), "burst.targetRps: is 0; must be 1 to 1048575"),
        ("burst", json!({"burst": 0}), "burst.burst: is 0; must be 1 to 10000000"),
        ("burst", json!({"hold": "1s"}), "burst.hold: is 1s; must be 2s to 1year"),
        ("burst", json!({"stepDuration": "0s"}), "burst.stepDuration: is 0s; must be 1ms to 1year"),
        ("burst", json!({"runtime": "2h"}), "burst.runtime: is 2h; must be 0s to 1h"),
        ("burst", json!({"memoryMib": 0}), "burst.memoryMib: is 0; must be 1 to 1048576"),
        ("rps", json!({"start": 0}), "rps.start: is 0; must be above 0 and at most 10000000"),
        ("rps", json!({"end": -1}), "rps.end: is -1; must be above 0 and at most 10000000"),
        ("rps", json!({"start": 5, "end": 4}), "rps.end: is 4; must be at least rps.start, which is 5"),
        ("rps", json!({"step": -1}), "rps.step: is -1; must be 0 to 10000000"),
        (
            "rps",
            json!({"step": 0, "end": 2}),
            "rps.step: is 0, so that the rate never rises and the run never ends; must be above 0, or rps.end be rps.start",
        ),
        ("rps", json!({"slot": "0s"}), "rps.slot: is 0s; must be 1ms to 1year"),
        ("rps", json!({"functions": 0}), "rps.functions: is 0; must be 1 to 100000"),
        ("rps", json!({"coldStartRatio": 1.1, "cooldown": "1s"}), "rps.coldStartRatio: is 1.1; must be 0 to 1"),
        (
            "rps",
            json!({"coldStartRatio": 0.5}),
            "rps.cooldown: is missing; rps.coldStartRatio needs the time that a function takes to scale to zero",
        ),
        (
            "rps",
            json!({"cooldown": "1s"}),
            "rps.cooldown: has no effect without rps.coldStartRatio; leave it out or give a ratio above 0",
        ),
    ]);
}

#[test]
fn every_field_of_coldstart_and_trace_is_checked() {
    check_modes(&[
        (
            "coldstart",
            json!({}),
            "coldstart.coldStarts: is empty; give the number of cold starts for each slot, such as [5, 1, 2]",
        ),
        ("coldstart", json!({"coldStarts": [1], "functions": 1}), "coldstart.functions: is 1; must be 2 to 100000"),
        (
            "coldstart",
            json!({"coldStarts": [1, 61]}),
            "coldstart.coldStarts[1]: is 61; must be at most 60, the invocations of slot 1",
        ),
        (
            "coldstart",
            json!({"coldStarts": [1], "duration": "90s"}),
            "coldstart.duration: is 1m 30s; must be a whole number of slots of 1m",
        ),
        (
            "trace",
            json!({}),
            "trace: has no source; give path (a trace directory) or upload (the id of an uploaded trace)",
        ),
        (
            "trace",
            json!({"path": "/t", "granularity": "hour"}),
            "trace.granularity: \"hour\" is not known; known are minute, second",
        ),
        (
            "trace",
            json!({"path": "/t", "duration": "90s"}),
            "trace.duration: is 1m 30s; must be a whole multiple of a unit, 1m",
        ),
        (
            "trace",
            json!({"path": "/t", "minRuntime": "2s", "maxRuntime": "1s"}),
            "trace.minRuntime: is 2s; must be at most maxRuntime, which is 1s",
        ),
        (
            "trace",
            json!({"path": "/t", "minMemoryMib": 2, "maxMemoryMib": 1}),
            "trace.minMemoryMib: is 2; must be at most maxMemoryMib, which is 1",
        ),
    ]);
    let format = faults(&json!({"trace": {"path": "/t", "format": "azur"}}));
    assert!(
        format.len() == 1 && format[0].starts_with("trace.format: \"azur\" is not known; known are "),
        "{format:?}"
    );
    assert_eq!(faults(&json!({})), ["mode: is missing; give exactly one of trace, rps, burst and coldstart"]);
}

#[test]
fn attached_functions_need_addresses() {
    let attach = |targets: Value| json!({"platform": "attach", "attach": {"targets": targets}, "burst": {}});
    assert_eq!(
        faults(&attach(json!([]))),
        ["attach.targets: is empty; platform attach needs the functions that it shall call"]
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
fn five_faults_are_told_at_once() {
    let spec = json!({
        "name": "X",
        "platform": "moon",
        "maxInFlight": 0,
        "burst": {"targetRps": 0, "hold": "-4m"},
    });
    let faults = faults(&spec);
    let fields: Vec<_> = faults.iter().map(|fault| fault.split(':').next().expect("a field")).collect();
    assert_eq!(fields, ["name", "platform", "maxInFlight", "burst.targetRps", "burst.hold"]);
}

#[test]
fn plans_are_bounded_in_slots_and_in_time() {
    for spec in [
        json!({"rps": {"start": 1, "end": 10_000_000, "slot": "1h"}}),
        json!({"rps": {"start": 10_000_000, "end": 10_000_000, "slot": "1h"}}),
        json!({"coldstart": {"coldStarts": [1], "start": 1000, "slot": "1ms", "duration": "1h"}}),
        json!({"burst": {"targetRps": 1_000_000, "stepDuration": "1h"}}),
        json!({"rps": {"start": 1, "end": 1000, "coldStartRatio": 1, "cooldown": "1h"}}),
    ] {
        assert!(!faults(&spec).is_empty(), "{spec}");
    }
}

#[test]
fn the_default_platform_is_the_daemons() {
    let defaults = Defaults { platform: "knative".to_owned() };
    let spec = validate(&message(&json!({"burst": {}})), &defaults).expect("valid");
    assert_eq!(spec.platform, PlatformKind::Knative);
    let unknown = validate(&message(&json!({"burst": {}})), &Defaults { platform: "moon".to_owned() });
    assert_eq!(unknown.expect_err("is refused")[0].field, "platform");
}

/// Any number, the strange ones among them.
fn number() -> impl Strategy<Value = Option<f64>> {
    let strange = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::MAX, f64::MIN_POSITIVE, 1e7];
    prop::option::of(prop_oneof![any::<f64>(), prop::sample::select(strange), 0.1..100.0])
}

fn duration() -> impl Strategy<Value = Option<prost_types::Duration>> {
    let wild = (any::<i64>(), any::<i32>());
    let tame = (0..400_i64, 0..1_000_000_000_i32);
    let any =
        prop_oneof![wild.boxed(), tame.boxed(), (prop::sample::select(&[0, 1, 60, i64::MAX][..]), Just(0)).boxed()];
    prop::option::of(any.prop_map(|(seconds, nanos)| prost_types::Duration { seconds, nanos }))
}

fn count() -> impl Strategy<Value = Option<u32>> {
    prop::option::of(prop_oneof![any::<u32>(), 0..50_u32])
}

fn mode() -> impl Strategy<Value = v1::run_spec::Mode> {
    let rps = (number(), number(), number(), duration(), count(), duration(), number(), duration()).prop_map(
        |(start, end, step, slot, functions, runtime, cold_start_ratio, cooldown)| {
            let functions = functions.map(|count| count % 1000);
            v1::run_spec::Mode::Rps(v1::RpsMode {
                start,
                end,
                step,
                slot,
                functions,
                runtime,
                memory_mib: None,
                cold_start_ratio,
                cooldown,
            })
        },
    );
    let burst = (count(), count(), duration(), duration(), duration(), count()).prop_map(
        |(target_rps, burst, hold, step_duration, runtime, memory_mib)| {
            v1::run_spec::Mode::Burst(v1::BurstMode { target_rps, burst, hold, step_duration, runtime, memory_mib })
        },
    );
    let coldstart = (number(), number(), prop::collection::vec(0..100_u32, 0..4), duration(), duration()).prop_map(
        |(start, step, cold_starts, slot, duration)| {
            let mode = v1::ColdStartMode { start, step, cold_starts, slot, duration, ..v1::ColdStartMode::default() };
            v1::run_spec::Mode::Coldstart(mode)
        },
    );
    prop_oneof![rps.boxed(), burst.boxed(), coldstart.boxed()]
}

proptest! {
    #[test]
    fn whatever_is_asked_for_is_refused_or_can_be_planned(
        mode in mode(),
        function_timeout in duration(),
        saturation in duration(),
        max_in_flight in count(),
    ) {
        let spec = v1::RunSpec {
            function_timeout,
            saturation: Some(v1::Saturation { lag: saturation, abort: false }),
            max_in_flight,
            arrivals: "equidistant".to_owned(),
            mode: Some(mode),
            ..v1::RunSpec::default()
        };
        match validate(&spec, &Defaults { platform: "local".to_owned() }) {
            Err(violations) => prop_assert!(!violations.is_empty()),
            Ok(spec) => {
                let mut plan = crate::plan::build(&spec, None).expect("a plan");
                let slot = plan.next_slot(None).expect("a first slot");
                let end = slot.start.plus(slot.duration);
                for invocation in slot.invocations.take(1000) {
                    prop_assert!(invocation.due < end);
                }
            }
        }
    }
}
