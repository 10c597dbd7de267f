//! Whole specs, checked: what of a mode is left out, what is refused, and that what is not refused can be planned.

use loader_proto::{json, v1};
use loader_trace::Arrivals;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn checked(value: &Value) -> Result<Request, Vec<Violation>> {
    let (message, faults) = json::from_value(value);
    assert!(faults.is_empty(), "{value}: {faults:?}");
    validate(&message, &Defaults { platform: "local".to_owned() })
}

/// The faults of a spec, as text.
#[track_caller]
fn faults(value: &Value) -> Vec<String> {
    checked(value).expect_err("is refused").iter().map(ToString::to_string).collect()
}

#[test]
fn runs_have_the_name_and_the_arrivals_of_their_mode_unless_they_say_otherwise() {
    for (mode, fields, arrivals) in [
        ("trace", json!({"path": "/t"}), Arrivals::Poisson),
        ("rps", json!({}), Arrivals::Equidistant),
        ("burst", json!({}), Arrivals::Equidistant),
        ("coldstart", json!({"coldStarts": [5, 1]}), Arrivals::Equidistant),
    ] {
        let Request { run, mode: checked } = checked(&json!({ mode: fields })).expect("is valid");
        assert_eq!((run.name.as_str(), run.mode, run.arrivals), (mode, mode, arrivals));
        assert_eq!(checked.name(), mode);
    }
}

#[test]
fn a_list_is_bounded_before_it_is_checked_and_faults_beyond_twenty_are_counted() {
    let slots = |count: usize| json!({"coldstart": {"coldStarts": vec![9; count], "slot": "1s"}});
    let shown = faults(&slots(1000));
    assert_eq!((shown.len(), shown[20].as_str()), (21, "and 980 more faults"));
    let most = 1 << 14;
    assert_eq!(faults(&slots(most)).len(), 21);
    let rule = format!("coldstart.coldStarts: has {} entries; must have at most {most}", most + 1);
    assert_eq!(faults(&slots(most + 1)), [rule]);
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
        (
            "rps",
            json!({"search": "binary"}),
            "rps.search: \"binary\" is not known; known are linear, bisect; did you mean linear?",
        ),
        ("rps", json!({"search": "bisect", "precision": 0}), "rps.precision: is 0; must be above 0 and at most 1"),
        ("rps", json!({"precision": 0.1}), "rps.precision: has no effect without rps.search bisect; leave it out"),
        ("rps", json!({"search": "bisect", "step": 2}), "rps.step: has no effect with rps.search bisect; leave it out"),
        (
            "rps",
            json!({"search": "bisect", "coldStartRatio": 0.1, "cooldown": "1s"}),
            "rps.end: is missing; with rps.coldStartRatio, bisect needs the greatest rate to deploy cold functions for",
        ),
        ("rps", json!({"slotDrain": "-1s"}), "rps.slotDrain: is -1s; must be 0s to 1year"),
        ("rps", json!({"verdictTimeout": "0s"}), "rps.verdictTimeout: is 0s; must be 1ms to 1year"),
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
fn a_mode_that_chooses_by_instances_needs_a_platform_that_knows_them() {
    let on_attach = |mode: &str, fields: Value| json!({"platform": "attach", "attach": {"targets": [{"address": "h:1"}]}, mode: fields});
    let reason =
        "it chooses functions without instances, and of functions deployed by others nobody reports the instances";
    let refused = [format!("coldstart: cannot run on platform attach: {reason}")];
    assert_eq!(faults(&on_attach("coldstart", json!({"coldStarts": [1]}))), refused);
    assert!(checked(&on_attach("rps", json!({"end": 1}))).is_ok());
    let busy = json!({
        "platform": "attach", "attach": {"targets": [{"address": "h:1"}]}, "function": {"startupBusyLoop": "1s"}, "burst": {}
    });
    assert_eq!(faults(&busy), ["function.startupBusyLoop: is set, but platform attach starts no instances"]);
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
            json!({"path": "/t", "granularity": "minute", "duration": "90s"}),
            "trace.duration: is 1m 30s; must be a whole multiple of a unit, 1m",
        ),
        ("trace", json!({"path": "/t", "start": "-1s"}), "trace.start: is -1s; must be 0s to 1year"),
        ("trace", json!({"path": "/t", "defaultRuntime": "-1s"}), "trace.defaultRuntime: is -1s; must be 0s to 1h"),
        ("trace", json!({"path": "/t", "defaultMemoryMib": 0}), "trace.defaultMemoryMib: is 0; must be 1 to 1048576"),
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
fn five_faults_are_reported_at_once() {
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
    let waits = (prop::sample::select(&["", "linear", "bisect"][..]), number(), duration(), duration());
    let rps = (number(), number(), number(), duration(), count(), duration(), (number(), duration()), waits).prop_map(
        |(start, end, step, slot, functions, runtime, (cold_start_ratio, cooldown), waits)| {
            let (search, precision, slot_drain, verdict_timeout) = waits;
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
                search: search.to_owned(),
                precision,
                slot_drain,
                verdict_timeout,
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
                let mut plan = spec.plan(None).expect("a plan");
                let slot = plan.next_slot(None).expect("a first slot");
                let end = slot.start.plus(slot.duration);
                for invocation in slot.invocations.take(1000) {
                    prop_assert!(invocation.due < end);
                }
            }
        }
    }
}
