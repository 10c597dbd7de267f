//! What the API server answers when it refuses: the bodies of `errors/` and the messages of `webhook-rejections.tsv`.

use serde_json::{Value, json};

use super::rbac::Attributes;

/// A refusal: HTTP status and body.
pub(super) type Refusal = (u16, Value);

fn status(code: u16, reason: &str, message: &str, details: &Value) -> Refusal {
    let mut body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
    });
    if !details.is_null() {
        body["details"] = details.clone();
    }
    body["code"] = json!(code);
    (code, body)
}

/// `401-bad-token.json`.
pub(super) fn unauthorized() -> Refusal {
    status(401, "Unauthorized", "Unauthorized", &Value::Null)
}

/// `404-ksvc.json`, `404-pod.json`, `404-namespace-missing.json`.
pub(super) fn not_found(resource: &str, name: &str) -> Refusal {
    let (kind, group) = resource.split_once('.').unwrap_or((resource, ""));
    let mut details = json!({"name": name, "kind": kind});
    if !group.is_empty() {
        details["group"] = json!(group);
    }
    status(404, "NotFound", &format!("{resource} \"{name}\" not found"), &details)
}

/// Not recorded: as the types of Kubernetes have it.
pub(super) fn already_exists(resource: &str, name: &str) -> Refusal {
    let (kind, group) = resource.split_once('.').unwrap_or((resource, ""));
    let details = json!({"name": name, "group": group, "kind": kind});
    status(409, "AlreadyExists", &format!("{resource} \"{name}\" already exists"), &details)
}

/// Not recorded: as the types of Kubernetes have it.
pub(super) fn invalid(name: &str, fault: &str) -> Refusal {
    let details = json!({"name": name, "group": "batch", "kind": "Job"});
    status(422, "Invalid", &format!("Job.batch \"{name}\" is invalid: {fault}"), &details)
}

/// `403-serviceaccount-list-ksvc.json`.
pub(super) fn forbidden(asked: &Attributes<'_>) -> Refusal {
    let Attributes { verb, group, resource, subresource, namespace, name } = *asked;
    let dot = if group.is_empty() { "" } else { "." };
    let slash = if subresource.is_empty() { "" } else { "/" };
    let object = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
    let location = if namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{namespace}\"")
    };
    let message = format!(
        "{resource}{dot}{group}{object} is forbidden: User \"system:serviceaccount:loader:loaderd\" cannot {verb} resource \
         \"{resource}{slash}{subresource}\" in API group \"{group}\" {location}"
    );
    let mut details = json!({"group": group, "kind": resource});
    if !name.is_empty() {
        details["name"] = json!(name);
    }
    status(403, "Forbidden", &message, &details)
}

/// A server that does not serve yet.
pub(super) fn unavailable() -> Refusal {
    status(503, "ServiceUnavailable", "the server is currently unable to handle the request", &Value::Null)
}

/// `503-pod-proxy-port-closed.json`: the API server reaches the pod's host, where nobody listens.
pub(super) fn port_closed(port: &str) -> Refusal {
    let message = format!("error trying to reach service: dial tcp 10.244.1.10:{port}: connect: connection refused");
    status(503, "ServiceUnavailable", &message, &Value::Null)
}

/// `409-ssa-conflict.json`.
pub(super) fn conflict(manager: &str) -> Refusal {
    let field = ".spec.template.spec.containers";
    let message = format!("Apply failed with 1 conflict: conflict with \"{manager}\": {field}");
    let cause =
        json!({"reason": "FieldManagerConflict", "message": format!("conflict with \"{manager}\""), "field": field});
    status(409, "Conflict", &message, &json!({"causes": [cause]}))
}

/// `410-gone-watch-error-event.json`.
pub(super) fn gone(from: u64, now: u64) -> Value {
    let message = format!("too old resource version: {from} ({now})");
    let (_, body) = status(410, "Expired", &message, &Value::Null);
    json!({"type": "ERROR", "object": body})
}

/// What the webhook of Knative answers, as `webhook-rejections.tsv` has it.
pub(super) fn denied(fault: &str) -> Refusal {
    let message = format!(
        "admission webhook \"validation.webhook.serving.knative.dev\" denied the request: validation failed: {fault}"
    );
    status(400, "BadRequest", &message, &Value::Null)
}

const ANNOTATIONS: &str = "spec.template.metadata.annotations";

/// What Knative's webhook finds wrong with a Service, of what can be wrong with one of ours.
pub(super) fn webhook(service: &Value, allow_zero_initial_scale: bool) -> Option<Refusal> {
    let template = &service["spec"]["template"];
    let annotation =
        |name: &str| template["metadata"]["annotations"][format!("autoscaling.knative.dev/{name}")].as_str();
    let number = |name: &str| annotation(name).and_then(|text| text.parse::<f64>().ok());
    if annotation("initial-scale") == Some("0") && !allow_zero_initial_scale {
        let path = format!("{ANNOTATIONS}.autoscaling.knative.dev/initial-scale=0");
        return Some(denied(&format!("invalid value: 0: {path} not allowed by cluster")));
    }
    if let Some(window) = annotation("window") {
        let seconds: f64 = window.strip_suffix('s').and_then(|text| text.parse().ok()).unwrap_or(0.0);
        if !(6.0..=3600.0).contains(&seconds) {
            let path = format!("{ANNOTATIONS}.autoscaling.knative.dev/window");
            return Some(denied(&format!("expected 6s <= {window} <= 1h0m0s: {path}")));
        }
    }
    if let (Some(min), Some(max)) = (number("min-scale"), number("max-scale"))
        && max > 0.0
        && min > max
    {
        let paths = ["max-scale", "min-scale"].map(|name| format!("{ANNOTATIONS}.autoscaling.knative.dev/{name}"));
        return Some(denied(&format!("max-scale={max} is less than min-scale={min}: {}", paths.join(", "))));
    }
    if !template["spec"]["nodeSelector"].is_null() {
        return Some(denied("must not set the field(s): spec.template.spec.nodeSelector"));
    }
    None
}
