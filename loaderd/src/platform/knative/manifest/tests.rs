use std::time::Duration;

use super::{check::filled_with, *};
use crate::platform::testkit::function;

#[test]
fn each_kind_has_a_manifest_without_unfilled_placeholders() {
    for kind in ["trace", "empty", "timed", "wimpy", "hello"] {
        let function = FunctionDeployment { kind: kind.to_owned(), ..function("steady") };
        let object = filled_with(embedded(kind), &function).unwrap();
        assert!(!object.to_string().contains("${"), "{object}");
        let template = &object["spec"]["template"];
        for metadata in [&object["metadata"], &template["metadata"]] {
            assert_eq!(metadata["labels"]["loader.dev/run"], "20261123t142501123-9f3a");
            assert_eq!(metadata["labels"]["app.kubernetes.io/managed-by"], "loaderd");
        }
        assert_eq!(template["spec"]["containers"][0]["env"][0]["value"], kind);
    }
}

#[test]
fn a_service_is_as_the_run_wants_it() {
    let mut function = function("steady");
    function.scaling = Scaling {
        initial: 2,
        min: 1,
        max: None,
        container_concurrency: 4,
        stable_window: Some(Duration::from_secs(20)),
    };
    insta::assert_snapshot!(serde_json::to_string_pretty(&filled_with(embedded("trace"), &function).unwrap()).unwrap());
}

#[test]
fn the_name_of_the_port_selects_the_version_of_http() {
    let named = |http| {
        let function = FunctionDeployment { http, ..function("steady") };
        let object = filled_with(embedded("trace"), &function).unwrap();
        object["spec"]["template"]["spec"]["containers"][0]["ports"].clone()
    };
    assert_eq!(named(HttpVersion::Http2), json!([{"name": "h2c", "containerPort": 8080}]));
    assert_eq!(named(HttpVersion::Http1), json!([{"name": "http1", "containerPort": 8080}]));
    let function = FunctionDeployment { http: HttpVersion::Http1, ..function("steady") };
    let bad = embedded("trace").replace("ports:", "ports: []\n          other:");
    let refused = filled_with(&bad, &function).unwrap_err().to_string();
    assert_eq!(refused, "spec.template.spec.containers[0].ports: expected a list of one port");
}

#[test]
fn a_busy_loop_at_the_start_is_a_variable_of_the_container() {
    let variables = |manifest: &str, millis: u64| {
        let function = FunctionDeployment { startup_busy_loop: Duration::from_millis(millis), ..function("steady") };
        filled_with(manifest, &function).unwrap()["spec"]["template"]["spec"]["containers"][0]["env"].clone()
    };
    let kind = json!({"name": "FUNC_TYPE_ENV", "value": "trace"});
    assert_eq!(variables(embedded("trace"), 0), json!([kind]));
    let busy = |millis: &str| json!({"name": "COLD_START_BUSY_LOOP_MS", "value": millis});
    assert_eq!(variables(embedded("trace"), 1250), json!([kind, busy("1250")]));
    // What a manifest has stays, unless the spec wants something else.
    let own = embedded("trace")
        .replace("env:\n", "env:\n            - name: COLD_START_BUSY_LOOP_MS\n              value: \"7\"\n");
    assert_eq!(variables(&own, 0), json!([busy("7"), kind]));
    assert_eq!(variables(&own, 300), json!([busy("300"), kind]));
}

#[test]
fn faults_of_a_manifest_are_named_with_their_path() {
    let known = "CPU_LIMIT, CPU_REQUEST, IMAGE, INITIAL_SCALE, MEMORY_LIMIT, MEMORY_REQUEST, METRIC, NAME, PANIC_THRESHOLD, \
                 PANIC_WINDOW, RUN, TARGET";
    let head = "apiVersion: serving.knative.dev/v1\nkind: Service\n";
    for (manifest, expected) in [
        (
            "kind: Pod\napiVersion: v1",
            "unexpected object in the manifest: Pod of v1, expected Service of serving.knative.dev/v1".to_owned(),
        ),
        (
            &format!("{head}metadata: {{name: a}}\nspec: {{x: [\"${{NAM}}\"]}}"),
            format!("spec.x[0]: unknown placeholder ${{NAM}}, expected one of: {known}"),
        ),
        (&format!("{head}metadata: {{}}"), "spec.template: expected a mapping".to_owned()),
        (
            &format!("{head}metadata: {{}}\nspec: {{template: {{spec: {{containers: []}}}}}}"),
            "spec.template.spec.containers: expected a list of one container".to_owned(),
        ),
    ] {
        assert_eq!(filled_with(manifest, &function("f")).unwrap_err().to_string(), expected);
    }
    assert!(matches!(filled_with("a: [", &function("f")), Err(ManifestError::Yaml(_))));
}

#[test]
fn a_value_cannot_change_a_manifests_shape() {
    let values = BTreeMap::from([("IMAGE", "x\"\n- evil: {}".to_owned())]);
    let mut object = json!({"image": "${IMAGE}"});
    fill(&mut object, &values, "").unwrap();
    assert_eq!(object, json!({"image": "x\"\n- evil: {}"}));
}
