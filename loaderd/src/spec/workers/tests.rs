use loader_proto::json;
use serde_json::{Value, json};

use super::*;

fn read(value: &Value, max_in_flight: u32) -> (Option<Option<Workers>>, Vec<String>) {
    let (message, faults) = json::from_value::<v1::RunSpec>(&json!({ "workers": value }));
    assert_eq!(faults, [], "{value}");
    let mut check = Check::default();
    let read = workers(&mut check, message.workers.as_ref(), Some(max_in_flight));
    let violations = check.finish(Some(())).err().unwrap_or_default();
    (read, violations.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn good(value: &Value) -> Workers {
    let (read, faults) = read(value, 100_000);
    assert_eq!(faults, Vec::<String>::new(), "{value}");
    read.flatten().expect("workers")
}

#[test]
fn what_is_left_out_is_as_documented() {
    let eight = Workers {
        count: 8,
        on_loss: OnWorkerLoss::Continue,
        max_clock_error: Duration::from_millis(1),
        orphan_timeout: Duration::from_secs(30),
        start_timeout: Duration::from_mins(5),
        placement: Placement::default(),
        resources: WorkerResources { millicores: 1000, memory_mib: 512 },
    };
    assert_eq!(good(&json!({ "count": 8 })), eight);
    assert_eq!(good(&json!(8)), eight, "the number alone will do");
    assert_eq!(read(&Value::Null, 1), (Some(None), Vec::new()), "there are none");
}

#[test]
fn every_field_is_read() {
    let value = json!({
        "count": 1000, "onWorkerLoss": "abort", "maxClockError": "200us", "orphanTimeout": "1m", "startTimeout": "20s",
        "cpu": 0.5, "memoryMib": "2GiB",
        "placement": {
            "nodeSelector": { "kubernetes.io/os": "linux", "role": "" }, "functions": "never", "workers": "allow",
        },
    });
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = Workers {
        count: 1000,
        on_loss: OnWorkerLoss::Abort,
        max_clock_error: Duration::from_micros(200),
        orphan_timeout: Duration::from_mins(1),
        start_timeout: Duration::from_secs(20),
        placement: Placement {
            node_selector: [label("kubernetes.io/os", "linux"), label("role", "")].into(),
            with_functions: Sharing::Never,
            with_workers: Sharing::Allow,
        },
        resources: WorkerResources { millicores: 500, memory_mib: 2048 },
    };
    assert_eq!(good(&value), expected);
}

/// Each row: a field with its value, and what is wrong with it.
#[test]
fn every_field_is_checked() {
    let sharing = |field: &str| {
        format!(
            "workers.placement.{field}: \"always\" is not known; known are avoid, never, allow; did you mean allow?"
        )
    };
    let labels = "must be labels of nodes";
    for (mut value, expected) in [
        (json!({ "count": 0 }), "workers.count: is 0; must be 1 to 1000".to_owned()),
        (json!({ "count": 1001 }), "workers.count: is 1001; must be 1 to 1000".to_owned()),
        (
            json!({ "count": 51 }),
            "workers.count: is 51; must be at most maxInFlight, 50, of which each has a part".to_owned(),
        ),
        (
            json!({ "onWorkerLoss": "stop" }),
            "workers.onWorkerLoss: \"stop\" is not known; known are continue, abort".to_owned(),
        ),
        (json!({ "maxClockError": "0s" }), "workers.maxClockError: is 0s; must be 1us to 1year".to_owned()),
        (json!({ "orphanTimeout": "999ms" }), "workers.orphanTimeout: is 999ms; must be 1s to 1year".to_owned()),
        (json!({ "startTimeout": "-1s" }), "workers.startTimeout: is -1s; must be 1s to 1year".to_owned()),
        (json!({ "cpu": 0 }), "workers.cpu: is 0; must be above 0 and at most 1024".to_owned()),
        (json!({ "cpu": 1025 }), "workers.cpu: is 1025; must be above 0 and at most 1024".to_owned()),
        (json!({ "memoryMib": 63 }), "workers.memoryMib: is 63; must be 64 to 1048576".to_owned()),
        (json!({ "placement": { "functions": "always" } }), sharing("functions")),
        (json!({ "placement": { "workers": "always" } }), sharing("workers")),
        (
            json!({ "placement": { "nodeSelector": { "a b": "x", "Upper.example/x": "y", "fine": "z" } } }),
            format!("workers.placement.nodeSelector: has \"Upper.example/x\": \"y\", \"a b\": \"x\"; {labels}"),
        ),
        (
            json!({ "placement": { "nodeSelector": { "fine": "-x" } } }),
            format!("workers.placement.nodeSelector: has \"fine\": \"-x\"; {labels}"),
        ),
    ] {
        if value.get("count").is_none() {
            value["count"] = json!(2);
        }
        assert_eq!(read(&value, 50).1, [expected], "{value}");
    }
}

#[test]
fn all_faults_are_found_at_once() {
    let value = json!({
        "onWorkerLoss": "stop", "maxClockError": "0s", "orphanTimeout": "0s", "startTimeout": "0s", "cpu": -1, "memoryMib": 1,
        "placement": { "nodeSelector": { "": "" }, "functions": "x", "workers": "y" },
    });
    let (read, faults) = read(&value, 100);
    let fields: Vec<_> = faults.iter().filter_map(|fault| fault.split(": ").next()).collect();
    let expected = [
        "workers.count",
        "workers.onWorkerLoss",
        "workers.maxClockError",
        "workers.orphanTimeout",
        "workers.startTimeout",
        "workers.placement.nodeSelector",
        "workers.placement.functions",
        "workers.placement.workers",
        "workers.cpu",
        "workers.memoryMib",
    ];
    assert_eq!((fields, read), (expected.to_vec(), None));
    assert_eq!(faults[0], "workers.count: is missing; must be the number of workers");
}
