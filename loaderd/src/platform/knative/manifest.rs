//! A Service from a workload manifest: its placeholders filled in. Pure.
//!
//! Placeholders are filled in after the manifest was parsed, each inside one text, so that no value can change its shape.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::names;
use crate::{
    endpoint::HttpVersion,
    id::RunId,
    platform::{FunctionDeployment, Scaling},
};

/// The built-in manifests, by kind of function.
pub(super) fn embedded(kind: &str) -> &'static str {
    match kind {
        "empty" => include_str!("../../../../workloads/container/empty.yaml"),
        "wimpy" => include_str!("../../../../workloads/container/wimpy.yaml"),
        "hello" => include_str!("../../../../workloads/other/helloworld.yaml"),
        _ => include_str!("../../../../workloads/container/trace-func.yaml"),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ManifestError {
    #[error("the manifest is not valid YAML: {0}")]
    Yaml(String),
    #[error("unexpected object in the manifest: {0}, expected Service of serving.knative.dev/v1")]
    Kind(String),
    #[error("{path}: unknown placeholder ${{{name}}}, expected one of: {known}")]
    Placeholder { path: String, name: String, known: String },
    #[error("{path}: expected a {expected}")]
    Shape { path: &'static str, expected: &'static str },
}

/// The values of a manifest's placeholders.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filling<'a> {
    pub(super) service: &'a str,
    pub(super) namespace: &'a str,
    pub(super) run: &'a RunId,
    pub(super) image: &'a str,
    pub(super) function: &'a FunctionDeployment,
    /// Most seconds that an invocation may take, its wait for an instance included.
    pub(super) timeout_seconds: u64,
    /// Seconds without progress after which Knative fails a revision.
    pub(super) progress_deadline_seconds: u64,
    /// Labels of the nodes that instances go to.
    pub(super) node_selector: &'a BTreeMap<String, String>,
}

/// The Service of `manifest`, with placeholders filled in and the run's settings applied.
///
/// # Errors
/// The first fault of the manifest.
pub(super) fn service(manifest: &str, filling: &Filling<'_>) -> Result<Value, ManifestError> {
    let mut object: Value = serde_saphyr::from_str(manifest).map_err(|error| ManifestError::Yaml(error.to_string()))?;
    let kind = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    if (kind("apiVersion").as_str(), kind("kind").as_str()) != ("serving.knative.dev/v1", "Service") {
        return Err(ManifestError::Kind(format!("{} of {}", kind("kind"), kind("apiVersion"))));
    }
    fill(&mut object, &values(filling), "")?;
    set(&mut object, filling)?;
    Ok(object)
}

fn values(filling: &Filling<'_>) -> BTreeMap<&'static str, String> {
    let Filling { service, run, image, function, .. } = filling;
    let FunctionDeployment { resources, scaling, autoscaling, .. } = function;
    BTreeMap::from([
        ("NAME", (*service).to_owned()),
        ("RUN", run.to_string()),
        ("IMAGE", (*image).to_owned()),
        ("CPU_REQUEST", format!("{}m", resources.cpu_request_millicores)),
        ("CPU_LIMIT", format!("{}m", resources.cpu_limit_millicores)),
        ("MEMORY_REQUEST", format!("{}Mi", resources.memory_mib)),
        ("MEMORY_LIMIT", format!("{}Mi", resources.memory_mib)),
        ("METRIC", autoscaling.metric.to_owned()),
        ("TARGET", autoscaling.target.to_string()),
        ("INITIAL_SCALE", scaling.initial.to_string()),
        ("PANIC_WINDOW", autoscaling.panic_window_percentage.to_string()),
        ("PANIC_THRESHOLD", autoscaling.panic_threshold_percentage.to_string()),
    ])
}

fn fill(value: &mut Value, values: &BTreeMap<&'static str, String>, path: &str) -> Result<(), ManifestError> {
    match value {
        Value::String(text) => *text = filled(text, values, path)?,
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                fill(item, values, &format!("{path}[{index}]"))?;
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                fill(field, values, &path)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn filled(text: &str, values: &BTreeMap<&'static str, String>, path: &str) -> Result<String, ManifestError> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        let value = values.get(name).ok_or_else(|| {
            let known = values.keys().copied().collect::<Vec<_>>().join(", ");
            ManifestError::Placeholder { path: path.to_owned(), name: name.to_owned(), known }
        })?;
        result.push_str(before);
        result.push_str(value);
        rest = behind;
    }
    result.push_str(rest);
    Ok(result)
}

/// Sets what the run decides regardless of the manifest: the labels by which it is cleaned up, and the spec's scaling.
fn set(object: &mut Value, filling: &Filling<'_>) -> Result<(), ManifestError> {
    let Filling {
        service, namespace, run, function, timeout_seconds, progress_deadline_seconds, node_selector, ..
    } = filling;
    let metadata = table(object.get_mut("metadata"), "metadata")?;
    metadata.insert("name".to_owned(), json!(service));
    metadata.insert("namespace".to_owned(), json!(namespace));
    label(metadata, run)?;
    let template = object.pointer_mut("/spec/template");
    let template = table(template, "spec.template")?;
    let metadata = template.entry("metadata").or_insert_with(|| json!({}));
    let metadata = table(Some(metadata), "spec.template.metadata")?;
    label(metadata, run)?;
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    let annotations = table(Some(annotations), "spec.template.metadata.annotations")?;
    let Scaling { initial: _, min, max, container_concurrency, stable_window } = function.scaling;
    let mut annotate = |name: &str, value: String| annotations.insert(name.to_owned(), Value::String(value));
    let class = function.autoscaling.class;
    annotate("autoscaling.knative.dev/class", format!("{class}.autoscaling.knative.dev"));
    annotate("autoscaling.knative.dev/min-scale", min.to_string());
    annotate("autoscaling.knative.dev/max-scale", max.unwrap_or(0).to_string());
    if let Some(window) = stable_window {
        annotate("autoscaling.knative.dev/window", format!("{}s", window.as_secs_f64()));
    }
    annotate("serving.knative.dev/progress-deadline", format!("{progress_deadline_seconds}s"));
    let spec = template.get_mut("spec");
    let spec = table(spec, "spec.template.spec")?;
    spec.insert("containerConcurrency".to_owned(), json!(container_concurrency));
    spec.insert("timeoutSeconds".to_owned(), json!(timeout_seconds));
    if !node_selector.is_empty() {
        spec.insert("nodeSelector".to_owned(), json!(node_selector));
    }
    let shape = ManifestError::Shape { path: "spec.template.spec.containers", expected: "list of one container" };
    let container = spec.get_mut("containers").and_then(|containers| containers.get_mut(0)).ok_or(shape)?;
    let container = table(Some(container), "spec.template.spec.containers[0]")?;
    if function.http == HttpVersion::Http1 {
        name_port(container)?;
    }
    let variables = container.entry("env").or_insert_with(|| json!([]));
    let shape = ManifestError::Shape { path: "spec.template.spec.containers[0].env", expected: "list" };
    let variables = variables.as_array_mut().ok_or(shape)?;
    set_variable(variables, "FUNC_TYPE_ENV", &function.kind);
    if !function.startup_busy_loop.is_zero() {
        set_variable(variables, "COLD_START_BUSY_LOOP_MS", &function.startup_busy_loop.as_millis().to_string());
    }
    Ok(())
}

/// Sets an environment variable of a container, in place of what the manifest has.
fn set_variable(variables: &mut Vec<Value>, name: &str, value: &str) {
    match variables.iter_mut().find(|variable| variable.get("name") == Some(&json!(name))) {
        Some(variable) => *variable = json!({"name": name, "value": value}),
        None => variables.push(json!({"name": name, "value": value})),
    }
}

/// Names the container's port `http1`, by which queue-proxy and ingress speak HTTP/1.1 to it. A container without ports has that
/// by default.
fn name_port(container: &mut Map<String, Value>) -> Result<(), ManifestError> {
    let shape = ManifestError::Shape { path: "spec.template.spec.containers[0].ports", expected: "list of one port" };
    let Some(ports) = container.get_mut("ports") else { return Ok(()) };
    let port = ports.get_mut(0).and_then(Value::as_object_mut).ok_or(shape)?;
    port.insert("name".to_owned(), json!("http1"));
    Ok(())
}

fn label(metadata: &mut Map<String, Value>, run: &RunId) -> Result<(), ManifestError> {
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    let labels = table(Some(labels), "metadata.labels")?;
    let (managed_by, loaderd) = names::MANAGED_BY;
    labels.insert(managed_by.to_owned(), json!(loaderd));
    labels.insert(names::RUN.to_owned(), json!(run.as_str()));
    Ok(())
}

fn table<'a>(value: Option<&'a mut Value>, path: &'static str) -> Result<&'a mut Map<String, Value>, ManifestError> {
    value.and_then(Value::as_object_mut).ok_or(ManifestError::Shape { path, expected: "mapping" })
}

#[cfg(any(test, fuzzing))]
pub(super) mod check;
#[cfg(test)]
mod tests;
