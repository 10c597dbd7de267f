use serde_json::{Value, json};

use super::*;
use crate::spec::Violation;

fn read(list: &Value, platform: PlatformKind) -> Result<Vec<Disturbance>, Vec<Violation>> {
    let (spec, faults) = loader_proto::json::from_value::<v1::RunSpec>(&json!({ "disturb": list }));
    assert!(faults.is_empty(), "{list}: {faults:?}");
    let mut check = Check::default();
    let read = disturbances(&mut check, &spec.disturb, Some(platform));
    check.finish(read)
}

#[track_caller]
fn good(list: &Value, platform: PlatformKind) -> Vec<Disturbance> {
    read(list, platform).unwrap_or_else(|violations| panic!("{list}: {violations:?}"))
}

#[track_caller]
fn faults(list: &Value, platform: PlatformKind) -> Vec<String> {
    read(list, platform).expect_err("is refused").iter().map(ToString::to_string).collect()
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn each_action_is_read_as_it_is_written() {
    let [of, selected] = [
        Target::Component(Component::Activator),
        Target::Selected { namespace: "kourier-system".to_owned(), selector: "app in (a, b)".to_owned() },
    ];
    let node = "worker-2.lab".to_owned();
    for (entry, action, target) in [
        (
            json!({"do": "deletePods", "of": "activator", "count": "all"}),
            Action::DeletePods { of: of.clone(), count: Count::All },
            "all of activator",
        ),
        (
            json!({"do": "deletePods", "of": "functions", "count": 3}),
            Action::DeletePods { of: Target::Functions, count: Count::Number(3) },
            "3 of functions",
        ),
        (
            json!({"do": "deletePods", "of": {"namespace": "kourier-system", "selector": "app in (a, b)"}}),
            Action::DeletePods { of: selected.clone(), count: Count::Number(1) },
            "1 of app in (a, b) in kourier-system",
        ),
        (
            json!({"do": "scaleToZero", "of": {"component": "activator"}, "for": "30s"}),
            Action::ScaleToZero { of: of.clone(), lasting: Some(30 * SECOND) },
            "activator",
        ),
        (
            json!({"do": "cordon", "node": "worker-2.lab"}),
            Action::Cordon { node: node.clone(), lasting: None },
            "node worker-2.lab",
        ),
        (
            json!({"do": "drain", "node": "worker-2.lab", "for": "1m"}),
            Action::Drain { node, lasting: Some(60 * SECOND) },
            "node worker-2.lab",
        ),
        (json!({"do": "restart", "of": "activator"}), Action::Restart { of }, "activator"),
    ] {
        let mut entry = entry;
        entry["at"] = json!("60s");
        let read = good(&json!([entry]), PlatformKind::Knative);
        assert_eq!(read, [Disturbance { at: 60 * SECOND, action }]);
        assert_eq!(read[0].action.target(), target);
    }
    let list = json!([
        {"at": "0s", "do": "killInstances"},
        {"at": "1s", "do": "pauseInstances", "count": "all", "for": "2s"},
        {"at": "9s", "do": "refuseStarts", "for": "500ms"},
    ]);
    let expected = [
        (0, Action::KillInstances { count: Count::Number(1) }),
        (1, Action::PauseInstances { count: Count::All, lasting: Some(2 * SECOND) }),
        (9, Action::RefuseStarts { lasting: Some(SECOND / 2) }),
    ];
    assert_eq!(good(&list, PlatformKind::Local), expected.map(|(at, action)| Disturbance { at: at * SECOND, action }));
    assert_eq!(good(&json!([]), PlatformKind::Attach), []);
}

/// Each row: the fields of an entry besides `at`, and what is wrong with them.
#[test]
fn every_field_is_checked() {
    let of_missing = "disturb[0].of: is missing; must be activator, autoscaler, controller, gateway, functions, or namespace and selector";
    let rows = [
        (json!({"do": "deletePods"}), of_missing),
        (json!({"do": "restart"}), of_missing),
        (
            json!({"do": "deletePod", "of": "activator"}),
            "disturb[0].do: \"deletePod\" is not known; known are deletePods, scaleToZero, cordon, drain, restart, killInstances, \
             pauseInstances, refuseStarts; did you mean deletePods?",
        ),
        (
            json!({"do": "killInstances"}),
            "disturb[0].do: is killInstances; on platform knative it can be deletePods, scaleToZero, cordon, drain, restart",
        ),
        (
            json!({"do": "deletePods", "of": "ingress"}),
            "disturb[0].of: \"ingress\" is not known; known are activator, autoscaler, controller, gateway, functions",
        ),
        (
            json!({"do": "deletePods", "of": "activator", "count": 0}),
            "disturb[0].count: is \"0\"; must be 1 to 1000000, or all",
        ),
        (
            json!({"do": "deletePods", "of": "activator", "count": "many"}),
            "disturb[0].count: is \"many\"; must be 1 to 1000000, or all",
        ),
        (json!({"do": "deletePods", "of": "activator", "for": "1s"}), "disturb[0].for: is not for deletePods"),
        (json!({"do": "deletePods", "of": "activator", "node": "n"}), "disturb[0].node: is not for deletePods"),
        (json!({"do": "restart", "of": "activator", "count": "all"}), "disturb[0].count: is not for restart"),
        (json!({"do": "scaleToZero", "of": "activator", "for": "0s"}), "disturb[0].for: is 0s; must be 1ms to 1year"),
        (
            json!({"do": "scaleToZero", "of": "functions"}),
            "disturb[0].of: is functions, whose Deployments Knative's own controllers put back at once; use deletePods",
        ),
        (json!({"do": "cordon"}), "disturb[0].node: is missing; must be the name of a node"),
        (json!({"do": "cordon", "node": "../x"}), "disturb[0].node: is \"../x\"; must be the name of a node"),
        (json!({"do": "drain", "node": "n", "of": "activator"}), "disturb[0].of: is not for drain"),
        (
            json!({"do": "deletePods", "of": {"component": "activator", "namespace": "n"}}),
            "disturb[0].of: has a component, and namespace or selector; must have only one of the two",
        ),
        (
            json!({"do": "deletePods", "of": {"namespace": "n"}}),
            "disturb[0].of.selector: is \"\"; must be a label selector, such as app=web, of at most 1024 bytes",
        ),
        (
            json!({"do": "deletePods", "of": {"namespace": "A/b", "selector": "a"}}),
            "disturb[0].of.namespace: is \"A/b\"; must be the name of a namespace",
        ),
    ];
    for (mut entry, expected) in rows {
        entry["at"] = json!("1s");
        assert_eq!(faults(&json!([entry]), PlatformKind::Knative), [expected]);
    }
    assert_eq!(
        faults(&json!([{"at": "1s", "do": "killInstances"}]), PlatformKind::Attach),
        ["disturb[0].do: is killInstances; on platform attach it can be nothing"]
    );
}

#[test]
fn all_faults_are_found_at_once_and_a_list_that_is_too_long_is_not_read() {
    let list =
        json!([{"do": "cordon", "for": "0s"}, {"at": "-1s", "do": "restart", "of": {"selector": "a"}, "count": 2}]);
    let found = faults(&list, PlatformKind::Knative);
    let fields: Vec<_> = found.iter().filter_map(|fault| fault.split(": ").next()).collect();
    let expected = [
        "disturb[0].at",
        "disturb[0].for",
        "disturb[0].node",
        "disturb[1].at",
        "disturb[1].count",
        "disturb[1].of.namespace",
    ];
    assert_eq!(fields, expected);
    let many = json!(vec![json!({}); 101]);
    assert_eq!(faults(&many, PlatformKind::Local), ["disturb: has 101 entries; must have at most 100"]);
    let most = json!(vec![json!({"at": "1s", "do": "killInstances"}); 100]);
    assert_eq!(good(&most, PlatformKind::Local).len(), 100);
}

#[test]
fn a_change_cannot_begin_while_the_same_lasts() {
    let zero = |at: &str, lasting: Option<&str>, of: &str| {
        let mut entry = json!({"at": at, "do": "scaleToZero", "of": of});
        if let Some(lasting) = lasting {
            entry["for"] = json!(lasting);
        }
        entry
    };
    let back_to_back = json!([zero("40s", Some("5s"), "activator"), zero("10s", Some("30s"), "activator")]);
    assert_eq!(good(&back_to_back, PlatformKind::Knative).len(), 2);
    let others = json!([zero("10s", None, "activator"), zero("20s", None, "autoscaler")]);
    assert_eq!(good(&others, PlatformKind::Knative).len(), 2);
    let rule = "disturb[0].at: begins while disturb[1], which changes the same, lasts until ";
    let overlap = json!([zero("39s", Some("5s"), "activator"), zero("10s", Some("30s"), "activator")]);
    assert_eq!(faults(&overlap, PlatformKind::Knative), [format!("{rule}40s")]);
    let endless = json!([zero("39s", Some("5s"), "gateway"), zero("10s", None, "gateway")]);
    assert_eq!(faults(&endless, PlatformKind::Knative), [format!("{rule}the end of the load")]);
    let node =
        json!([{"at": "2s", "do": "drain", "node": "n"}, {"at": "1s", "do": "cordon", "node": "n", "for": "9s"}]);
    assert_eq!(faults(&node, PlatformKind::Knative), [format!("{rule}10s")]);
    let same_instant = json!([{"at": "1s", "do": "refuseStarts"}, {"at": "1s", "do": "refuseStarts"}]);
    assert_eq!(faults(&same_instant, PlatformKind::Local).len(), 1);
}
