use loader_proto::{json::from_value, v1::StudySpec};

use super::*;

fn base() -> Document {
    object(json!({
        "Seed": 42, "Platform": "Knative", "InvokeProtocol": "grpc", "YAMLSelector": "container",
        "TracePath": "data/t", "Granularity": "minute", "IATDistribution": "exponential", "CPULimit": "1vCPU",
        "ExperimentDuration": 30, "AutoscalingMetric": "concurrency", "GRPCConnectionTimeoutSeconds": 15,
        "GRPCFunctionTimeoutSeconds": 900,
    }))
}

fn rate() -> Document {
    let mut rate = base();
    for (key, value) in
        [("TracePath", json!("RPS")), ("RpsTarget", json!(1)), ("RpsRuntimeMs", json!(10)), ("RpsMemoryMB", json!(16))]
    {
        rate.insert(key.to_owned(), value);
    }
    rate
}

fn object(value: Value) -> Document {
    let Value::Object(object) = value else { panic!("an object") };
    object
}

fn imported(base: Document, study: Value, traces: &[&str]) -> Imported {
    let file = object(json!({ "Studies": [study], "BaseConfigPath": "base.json", "PreScript": "", "MasterNode": "m" }));
    let study = studies(&file).remove(0).1;
    let traces = traces.iter().map(|trace| (*trace).to_owned()).collect();
    import(&file, &study, &Around { base, traces, ..Around::default() })
}

/// The study, which has no faults, and can be read.
fn study(imported: &Imported) -> Value {
    assert_eq!(imported.faults, []);
    let study = Value::Object(imported.document.clone());
    assert_eq!(from_value::<StudySpec>(&study).1, []);
    study
}

#[test]
fn a_swept_key_is_an_axis_over_the_field_that_it_becomes() {
    let found = imported(
        base(),
        json!({
            "Name": "Big_Sweep", "Config": { "experimentduration": 5 }, "PreScript": "reset now", "OutputDir": "out",
            "Sweep": [
                { "Field": "CPULimit", "Values": ["1vCPU", "GCP"] },
                { "Field": "GRPCFunctionTimeoutSeconds", "Values": [60, 900] },
            ],
        }),
        &["traces/a", "traces/b"],
    );
    let study = study(&found);
    assert_eq!((study["name"].clone(), study["base"]["trace"]["duration"].clone()), (json!("big-sweep"), json!("5m")));
    assert_eq!(
        study["vary"],
        json!([
            { "field": "trace.path", "values": ["traces/a", "traces/b"] },
            { "field": "deploy.cpuLimit", "values": ["1vCPU", "GCP"] },
            { "field": "functionTimeout", "values": ["60s", "900s"] },
        ])
    );
    assert_eq!(
        (study["repeats"].clone(), study["order"].clone(), study.get("combine")),
        (json!(1), json!("asGiven"), None)
    );
    for part in [
        "dropped MasterNode (\"m\"): nothing is done over ssh",
        "dropped OutputDir (\"out\")",
        "study run --before \"reset now\"",
    ] {
        assert!(found.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", found.notes);
    }
}

#[test]
fn a_key_that_becomes_several_fields_is_an_axis_over_their_group_and_linear_is_zip() {
    let sweep = |field: &str, values: Value| json!({ "Field": field, "Values": values });
    let found = imported(
        rate(),
        json!({ "Name": "r", "Sweep": [sweep("RpsTarget", json!([1, 2])), sweep("Seed", json!([7, 8]))], "SweepType": "linear" }),
        &[],
    );
    let study = study(&found);
    assert_eq!(study["combine"], "zip");
    assert_eq!(study["vary"][0]["field"], "rps");
    assert_eq!(
        (study["vary"][0]["values"][1]["start"].clone(), study["vary"][0]["values"][1]["end"].clone()),
        (json!(2.0), json!(2.0))
    );
    assert_eq!(study["vary"][1], json!({ "field": "seed", "values": [7, 8] }));
}

#[test]
fn what_has_no_counterpart_is_named() {
    let sweep = |field: &str, values: Value| json!([{ "Field": field, "Values": values }]);
    for (base, study, traces, expected) in [
        (
            base(),
            json!({ "Sweep": sweep("OutputPathPrefix", json!(["a", "b"])) }),
            &[][..],
            "sweeps OutputPathPrefix, which has no counterpart",
        ),
        (
            base(),
            json!({ "Sweep": sweep("PreScript", json!(["a", "b"])) }),
            &[],
            "sweeps PreScript, which has no counterpart",
        ),
        (base(), json!({ "Sweep": sweep("CPULimit", json!(["1vCPU", "2"])) }), &[], "CPULimit with \"2\": is \"2\""),
        (base(), json!({ "Sweep": sweep("CPULimit", json!([])) }), &[], "CPULimit has no Values"),
        (
            base(),
            json!({ "Sweep": sweep("Seed", json!([1, 2])), "SweepType": "linear" }),
            &["a", "b"],
            "is linear, over several traces",
        ),
        (
            base(),
            json!({ "Sweep": sweep("Seed", json!([1, 2])), "SweepType": "star" }),
            &[],
            "is \"star\": must be grid or linear",
        ),
        (
            rate(),
            json!({ "Sweep": [{ "Field": "RpsTarget", "Values": [1, 2] }, { "Field": "RpsRuntimeMs", "Values": [1, 2] }] }),
            &[],
            "two sweeps change rps",
        ),
        (base(), json!({ "Sweeps": [] }), &[], "is no key of a multi-loader file"),
    ] {
        let faults: Vec<_> = imported(base, study, traces).faults.into_iter().map(|fault| fault.description).collect();
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:?}");
    }
}
