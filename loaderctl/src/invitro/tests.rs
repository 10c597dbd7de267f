use std::{collections::BTreeMap, fs, path::Path};

use loader_proto::{
    json::{self, from_value},
    v1::RunSpec,
};
use serde_json::{Map, Value, json};

use super::{
    Beside, Converted,
    keys::{Done, FAILURE_KEYS, KEYS},
    kinds::Kind,
    loader::{Surroundings, convert},
    read,
};

/// A configuration as the shipped ones are, with some keys changed; null takes one away.
fn configuration(changes: Value) -> Map<String, Value> {
    let mut all = json!({
        "Seed": 42, "Platform": "Knative", "InvokeProtocol": "grpc", "YAMLSelector": "container", "EndpointPort": 80,
        "TracePath": "data/t", "Granularity": "minute", "OutputPathPrefix": "data/out/e", "IATDistribution": "exponential",
        "CPULimit": "1vCPU", "ExperimentDuration": 30, "WarmupDuration": 0, "IsPartiallyPanic": false,
        "EnableZipkinTracing": false, "EnableMetricsScrapping": false, "MetricScrapingPeriodSeconds": 15,
        "AutoscalingMetric": "concurrency", "GRPCConnectionTimeoutSeconds": 15, "GRPCFunctionTimeoutSeconds": 900,
    });
    let (Value::Object(all), Value::Object(changes)) = (&mut all, changes) else { panic!("two objects") };
    for (key, value) in changes {
        if value.is_null() {
            all.remove(&key);
        } else {
            all.insert(key, value);
        }
    }
    all.clone()
}

fn surroundings() -> Surroundings {
    Surroundings { name: "demo".to_owned(), ..Surroundings::default() }
}

fn converted(changes: Value) -> Converted {
    convert(&configuration(changes), &surroundings())
}

/// The spec, which has no faults, and can be read.
fn spec(changes: Value) -> Value {
    let Converted { document, faults, .. } = converted(changes);
    assert_eq!(faults, []);
    let spec = Value::Object(document);
    assert_eq!(from_value::<RunSpec>(&spec).1, []);
    spec
}

fn faults(changes: Value) -> Vec<String> {
    converted(changes).faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.description)).collect()
}

/// Changes that make a constant rate of it.
fn rate(more: Value) -> Value {
    let mut rate = json!({
        "TracePath": "RPS", "RpsTarget": 1, "RpsColdStartRatioPercentage": 100, "RpsCooldownSeconds": 10, "RpsRuntimeMs": 10,
        "RpsMemoryMB": 2048, "RpsIterationMultiplier": 80, "IATDistribution": "equidistant", "ExperimentDuration": 2,
    });
    let (Value::Object(all), Value::Object(more)) = (&mut rate, more) else { panic!("two objects") };
    all.extend(more);
    rate
}

#[test]
fn a_trace_becomes_mode_trace() {
    let expected = json!({
        "name": "demo", "seed": 42, "platform": "knative", "connectTimeout": "15s", "functionTimeout": "900s",
        "trace": { "path": "data/t", "granularity": "minute", "duration": "30m" }, "arrivals": "exponential",
        "deploy": { "cpuLimit": "1vCPU" },
    });
    assert_eq!(spec(json!({})), expected);
}

#[test]
fn a_rate_becomes_one_slot() {
    let expected = json!({
        "start": 1.0, "end": 1.0, "slot": "2m", "functions": 1, "runtime": "10ms", "memoryMib": 2048,
        "coldStartRatio": 1.0, "cooldown": "10s",
    });
    let spec = spec(rate(json!({})));
    assert_eq!(spec["rps"], expected);
    assert_eq!(spec["arrivals"], "equidistant");
    // Whatever it says, a rate is equidistant, and has neither columns nor cold starts that nobody asked for.
    let warm = self::spec(rate(json!({
        "IATDistribution": "exponential", "Granularity": "second", "RpsColdStartRatioPercentage": 0, "WarmupDuration": 3
    })));
    assert_eq!(warm["arrivals"], "equidistant");
    assert_eq!(warm["rps"]["slot"], "5m");
    assert_eq!((warm["rps"].get("cooldown"), warm["rps"].get("coldStartRatio")), (None, None));
}

#[test]
fn what_is_0_there_and_cannot_be_here_is_the_least() {
    for changes in
        [json!({ "RpsMemoryMB": 0, "RpsRuntimeMs": 0 }), json!({ "RpsMemoryMB": null, "RpsRuntimeMs": null })]
    {
        let rps = spec(rate(changes.clone()))["rps"].clone();
        assert_eq!((&rps["memoryMib"], &rps["runtime"]), (&json!(1), &json!("0ms")));
        let notes = converted(rate(changes)).notes;
        assert!(notes.iter().any(|note| note.contains("1 MiB, the least")), "{notes:?}");
    }
}

#[test]
fn a_field_is_that_of_the_key_that_has_a_say_in_it() {
    let by = |warmup: u32| {
        let origins = converted(json!({ "WarmupDuration": warmup })).origins;
        origins.into_iter().rfind(|(field, _)| field == "trace.duration").expect("is set").1
    };
    assert_eq!(by(0), "InVitro's ExperimentDuration");
    assert_eq!(by(2), "InVitro's WarmupDuration");
}

#[test]
fn durations_count_columns() {
    let of = |changes| spec(changes)["trace"].clone();
    assert_eq!(of(json!({ "ExperimentDuration": 5, "WarmupDuration": 2 }))["duration"], "7m");
    let seconds = json!({ "Granularity": "second", "ExperimentDuration": 5, "WarmupDuration": 2 });
    assert_eq!(of(seconds.clone()), json!({ "path": "data/t", "granularity": "second", "duration": "7s" }));
    let notes = converted(seconds).notes;
    assert!(notes.iter().any(|note| note.starts_with("WarmupDuration: the first 2s are replayed")), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("ExperimentDuration: counts columns")), "{notes:?}");
}

#[test]
fn a_single_file_has_exact_times() {
    let surroundings = Surroundings { trace_is_file: true, ..surroundings() };
    let Converted { document, notes, .. } = convert(&configuration(json!({})), &surroundings);
    let expected = json!({ "path": "data/t", "format": "azure2021", "duration": "30m" });
    assert_eq!((&document["trace"], document.get("arrivals")), (&expected, None));
    assert!(
        notes.contains(
            &"dropped IATDistribution (\"exponential\"): times are exact: InVitro ignores it here".to_owned()
        )
    );
}

#[test]
fn each_value_of_a_key_becomes_a_field() {
    for (changes, pointer, expected) in [
        (json!({ "Seed": 5_000_000_000_u64 }), "/seed", json!(5_000_000_000_u64)),
        (json!({ "InvokeProtocol": "http2" }), "/function/protocol", json!("http2")),
        (json!({ "YAMLSelector": "wimpy" }), "/function/kind", json!("wimpy")),
        (json!({ "CPULimit": "GCP" }), "/deploy/cpuLimit", json!("GCP")),
        (json!({ "IsPartiallyPanic": true }), "/scaling/panicWindowPercentage", json!(100)),
        (json!({ "IsPartiallyPanic": true }), "/scaling/panicThresholdPercentage", json!(1000)),
        (json!({ "AutoscalingMetric": "rps" }), "/scaling/metric", json!("rps")),
        (json!({ "BusyLoopOnSandboxStartup": true }), "/function/startupBusyLoop", json!("byMemory")),
        (json!({ "IATDistribution": "uniform_shift" }), "/arrivals", json!("uniform_shift")),
        (json!({ "platform": "kNATIVE", "Platform": null }), "/platform", json!("knative")),
        (rate(json!({ "RpsTarget": 0.5, "RpsColdStartRatioPercentage": 12.5 })), "/rps/coldStartRatio", json!(0.125)),
    ] {
        assert_eq!(spec(changes.clone()).pointer(pointer), Some(&expected), "{changes}");
    }
}

#[test]
fn absent_keys_are_what_they_are_there_or_said() {
    let Converted { document, notes, faults, .. } = converted(json!({
        "Seed": null, "Platform": null, "InvokeProtocol": null, "YAMLSelector": null, "Granularity": null,
        "IATDistribution": null, "CPULimit": null, "GRPCFunctionTimeoutSeconds": null, "GRPCConnectionTimeoutSeconds": null,
        "AutoscalingMetric": null, "WarmupDuration": null,
    }));
    assert_eq!(faults, []);
    let expected = json!({
        "name": "demo", "seed": 0, "arrivals": "exponential",
        "trace": { "path": "data/t", "granularity": "minute", "duration": "30m" },
    });
    assert_eq!(Value::Object(document), expected);
    let said: Vec<_> = notes.iter().filter_map(|note| note.split_once(" is absent: ")).map(|(key, _)| key).collect();
    let known = [
        "Seed",
        "Platform",
        "InvokeProtocol",
        "GRPCFunctionTimeoutSeconds",
        "Granularity",
        "IATDistribution",
        "CPULimit",
    ];
    assert_eq!(said, known);
}

#[test]
fn without_a_load_there_is_no_run() {
    for (changes, expected) in [
        (json!({ "TracePath": "" }), "InVitro's TracePath: is absent: a trace, or RPS for a constant rate"),
        (json!({ "ExperimentDuration": null }), "InVitro's ExperimentDuration: is absent: how long the load lasts"),
        (json!({ "ExperimentDuration": 0 }), "InVitro's ExperimentDuration: is 0: must be at least 1"),
        (json!({ "ExperimentDuration": -1 }), "InVitro's ExperimentDuration: must be a whole number from 0, not -1"),
        (
            json!({ "ExperimentDuration": "5" }),
            "InVitro's ExperimentDuration: must be a whole number from 0, not \"5\"",
        ),
        (rate(json!({ "RpsTarget": 0 })), "InVitro's RpsTarget: is 0: there is no load"),
        (
            rate(json!({ "RpsCooldownSeconds": 0 })),
            "InVitro's RpsCooldownSeconds: must be above 0 for cold starts: the time that a function needs to scale to zero",
        ),
        (
            json!({ "GRPCFunctionTimeoutSeconds": 0 }),
            "InVitro's GRPCFunctionTimeoutSeconds: is 0: every invocation would time out at once",
        ),
        (json!({ "Granularity": "hour" }), "InVitro's Granularity: is \"hour\": must be minute or second"),
        (
            json!({ "DAGMode": true }),
            "InVitro's DAGMode: is true: this loader has no workflows; false invokes each function by itself",
        ),
        (json!({ "seed": 1 }), "InVitro's Seed: is given twice, as Seed and seed"),
        (
            json!({ "ExperimentDuration": 4_294_967_296_u64 }),
            "InVitro's ExperimentDuration: must be at most 4294967295, not 4294967296",
        ),
        (json!({ "IsPartiallyPanic": "no" }), "InVitro's IsPartiallyPanic: must be true or false, not \"no\""),
        (
            json!({ "EndpointPorts": 1 }),
            "InVitro's EndpointPorts: is no key of InVitro's; did you mean EndpointPort? (--lenient leaves it out)",
        ),
    ] {
        assert_eq!(faults(changes), [expected]);
    }
}

#[test]
fn all_faults_come_at_once_and_are_bounded() {
    let many: Map<String, Value> = (0..100).map(|number| (format!("Zz{number}zZ"), json!(1))).collect();
    let mut document = configuration(json!({ "CPULimit": "2", "InvokeProtocol": 7 }));
    document.extend(many);
    let Converted { faults, .. } = convert(&document, &surroundings());
    let texts: Vec<_> = faults.iter().map(|fault| format!("{}: {}", fault.field, fault.description)).collect();
    assert_eq!(faults.len(), 20 + 1 + 2, "{texts:#?}");
    assert_eq!(texts[20], "InVitro's keys: and 80 more unknown keys");
    let lenient = Surroundings { lenient: true, ..surroundings() };
    assert_eq!(convert(&document, &lenient).faults.len(), 2);
}

#[test]
fn what_is_given_beside_it_takes_its_place() {
    let dirigent = configuration(json!({ "Platform": "Dirigent", "DirigentConfigPath": "d.json" }));
    let platform = |beside| convert(&dirigent, &Surroundings { beside, ..surroundings() });
    let refused = platform(Beside::default()).faults;
    assert_eq!(refused.len(), 1);
    assert!(refused[0].field == "InVitro's Platform" && refused[0].description.contains("Dirigent"), "{refused:?}");
    let Converted { document, faults, .. } = platform(Beside { platform: true, trace: true, targets: false });
    assert_eq!((faults, document.get("platform")), (vec![], None));
    assert_eq!(document["trace"].get("path"), None);

    let by_hand = configuration(json!({ "VSwarm": true }));
    assert!(convert(&by_hand, &surroundings()).faults[0].field.ends_with("VSwarm"));
    let beside = Beside { targets: true, ..Beside::default() };
    let Converted { document, faults, .. } = convert(&by_hand, &Surroundings { beside, ..surroundings() });
    assert_eq!(faults, []);
    assert_eq!((&document["platform"], &document["function"]), (&json!("attach"), &json!({ "kind": "hello" })));
}

#[test]
fn files_are_told_by_their_keys() {
    for (document, expected) in [
        (json!({ "tracepath": "x" }), Some(Kind::Loader)),
        (json!({ "RPSTARGET": 1, "Seed": 1 }), Some(Kind::Loader)),
        (json!({ "Studies": [], "BaseConfigPath": "x" }), Some(Kind::MultiLoader)),
        (json!({ "username": "u", "beginningFuncNum": 3, "YAMLSelector": "container" }), Some(Kind::Driver)),
        (json!({ "Backend": "containerd", "DirigentControlPlaneIP": "x", "RpsImage": "y" }), Some(Kind::Dirigent)),
        (json!({ "Name": "n", "Functions": [], "Compositions": [] }), Some(Kind::Workflow)),
        (json!({ "FailureEnabled": true, "FailAt": 6 }), Some(Kind::Failure)),
        (json!({ "IAT": [], "PerMinuteCount": [] }), Some(Kind::Plan)),
        // A spec, with mistakes or without.
        (json!({ "seed": 1, "platform": "local", "rps": {} }), None),
        (json!({ "granularity": "second", "trace": { "path": "x" } }), None),
        (json!({ "TracePath": "x", "burst": {} }), None),
        (json!({ "seed": 1, "platform": "local", "cpuLimit": "GCP" }), None),
        (json!({}), None),
    ] {
        assert_eq!(Kind::of(document.as_object().expect("fields")), expected, "{document}");
    }
}

#[test]
fn other_files_are_refused_by_what_they_are() {
    for document in [
        json!({ "Studies": [] }),
        json!({ "maxFuncNum": 3 }),
        json!({ "Backend": "x" }),
        json!({ "Compositions": [] }),
        json!({ "FailAt": 6 }),
        json!({ "IAT": [] }),
    ] {
        let document = document.as_object().expect("fields");
        let converted = read(document, None, Beside::default(), false).expect("a file of InVitro");
        let kind = Kind::of(document).expect("known").name();
        assert_eq!(converted.faults.len(), 1);
        assert_eq!(converted.faults[0].field, format!("InVitro's {kind}"));
    }
}

#[test]
fn tabs_and_marks_at_the_start_are_read() {
    for text in [
        "{\n\t\"TracePath\": \"x\",\n\t\"Seed\": 1\n}\n",
        "\u{feff}{ \"TracePath\": \"x\", \"Seed\": 1 }",
        "{\r\n\"TracePath\": \"x\",\r\n\"Seed\": 1}",
    ] {
        assert_eq!(json::document(text).expect("JSON"), json!({ "TracePath": "x", "Seed": 1 }), "{text:?}");
    }
}

/// A row's key, the code spans of its counterpart, and what is done, of the table with this header.
fn documented(header: &str) -> BTreeMap<String, (Vec<String>, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/from-invitro.md");
    let page = fs::read_to_string(page).expect("is there");
    let (_, after) = page.split_once(header).expect("the table");
    let spans = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = after.lines().skip(1).take_while(|line| line.starts_with('|'));
    let rows = rows.flat_map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let (here, done) = (spans(cells[2]), cells[3].to_owned());
        spans(cells[1]).into_iter().map(move |key| (key, (here.clone(), done.clone())))
    });
    rows.collect()
}

#[test]
fn the_guide_has_every_key_and_says_what_is_done() {
    let word = |done| match done {
        Done::Taken => "taken",
        Done::Dropped => "dropped",
        Done::ByValue => "taken or dropped, by its value",
        Done::RefusedWhereTrue => "refused where true, else dropped",
    };
    for (header, keys) in
        [("| key | here | what is done |\n", KEYS), ("| key of failures | here | what is done |\n", FAILURE_KEYS)]
    {
        let documented = documented(header);
        for key in keys {
            let (here, done) = documented.get(key.name).unwrap_or_else(|| panic!("{} is not in the guide", key.name));
            assert_eq!(done, word(key.done), "{}", key.name);
            for field in key.fields {
                let named = here.iter().any(|span| span.split(':').next() == Some(*field));
                assert!(named, "{}: the guide does not name {field}, but {here:?}", key.name);
            }
        }
        assert_eq!(documented.len(), keys.len(), "the guide has exactly the keys of the code");
    }
}

#[test]
fn what_is_done_with_a_key_is_what_the_table_says() {
    for key in KEYS {
        // Every key in a trace and in a rate, each with values of its type.
        let values =
            [json!(true), json!(false), json!(7), json!("wimpy"), json!("second"), json!("http1"), json!("RPS")];
        let mut set = std::collections::BTreeSet::new();
        let mut dropped = false;
        for base in [json!({}), rate(json!({}))] {
            let without = converted(merged(&base, key.name, Value::Null)).document;
            for value in &values {
                let Converted { document, notes, faults, .. } = converted(merged(&base, key.name, value.clone()));
                dropped |= notes.iter().any(|note| note.starts_with(&format!("dropped {} (", key.name)));
                if faults.is_empty() {
                    set.extend(changed(&without, &document));
                }
            }
        }
        if key.done == Done::Dropped {
            assert!(dropped && set.is_empty(), "{}: {set:?}", key.name);
        } else if key.done == Done::ByValue {
            assert!(dropped, "{} is never dropped", key.name);
        }
    }
}

fn merged(base: &Value, key: &str, value: Value) -> Value {
    let mut changes = base.as_object().cloned().unwrap_or_default();
    changes.insert(key.to_owned(), value);
    Value::Object(changes)
}

/// The paths of fields that differ.
fn changed(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let keys = before.keys().chain(after.keys());
    keys.filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}
