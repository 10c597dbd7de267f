//! What an API server refuses of a Job, and a controller of admission of its pods.
//!
//! Not recorded: as the documentation of Kubernetes 1.36 has the rules of Indexed Jobs, of labels and quantities, and of the Pod Security
//! Standard `restricted`. Of the fields that a Job of ours has none is left out.

use std::collections::BTreeSet;

use serde_json::Value;

/// Longest name of a host, and longest value of a label.
const LABEL: usize = 63;

/// Everything that is wrong with a Job.
pub(super) fn faults(job: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let (name, spec) = (text(&job["metadata"]["name"]), &job["spec"]);
    let pod = &spec["template"]["spec"];
    let is_indexed = spec["completionMode"] == "Indexed";
    let per_index = !spec["backoffLimitPerIndex"].is_null();
    if is_indexed {
        match spec["completions"].as_u64() {
            None => faults.push("spec.completions: Required value: when completion mode is Indexed".to_owned()),
            Some(completions) if !is_label(&format!("{name}-{}", completions.saturating_sub(1))) => {
                faults.push(format!("metadata.name: Invalid value: \"{name}\": its pods have no valid hostname"));
            }
            Some(_) => {}
        }
    } else if per_index {
        faults.push("spec.backoffLimitPerIndex: Invalid value: requires indexed completion mode".to_owned());
    }
    if pod["restartPolicy"] != "Never" && (per_index || !spec["podFailurePolicy"].is_null()) {
        faults
            .push(format!("spec.template.spec.restartPolicy: Invalid value: {}: only \"Never\"", pod["restartPolicy"]));
    }
    if !spec["podFailurePolicy"].is_null() && !matches!(spec["podReplacementPolicy"].as_str(), None | Some("Failed")) {
        faults.push("spec.podReplacementPolicy: Unsupported value: with podFailurePolicy only \"Failed\"".to_owned());
    }
    for rule in list(&spec["podFailurePolicy"]["rules"]) {
        faults.extend(of_rule(rule, per_index));
    }
    for labels in [&job["metadata"]["labels"], &spec["template"]["metadata"]["labels"], &pod["nodeSelector"]] {
        faults.extend(of_labels(labels));
    }
    faults.extend(of_placement(pod));
    faults.extend(of_volumes(pod));
    list(&pod["containers"]).for_each(|container| faults.extend(of_resources(container)));
    faults
}

/// What keeps a pod out of a namespace that enforces `restricted`.
pub(super) fn insecurities(pod: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let of_pod = &pod["securityContext"];
    for container in list(&pod["containers"]) {
        let own = &container["securityContext"];
        let either = |name: &str| if own[name].is_null() { &of_pod[name] } else { &own[name] };
        let dropped = list(&own["capabilities"]["drop"]).any(|it| it == "ALL");
        let profile = either("seccompProfile")["type"].as_str();
        for (is_fine, fault) in [
            (own["allowPrivilegeEscalation"] == false, "allowPrivilegeEscalation != false"),
            (dropped, "unrestricted capabilities"),
            (either("runAsNonRoot") == true, "runAsNonRoot != true"),
            (either("runAsUser") != 0, "runAsUser=0"),
            (matches!(profile, Some("RuntimeDefault" | "Localhost")), "seccompProfile"),
        ] {
            faults.extend((!is_fine).then(|| format!("{fault} (container \"{}\")", text(&container["name"]))));
        }
    }
    let is_allowed =
        |volume: &Value| ["secret", "emptyDir", "configMap", "projected"].iter().any(|it| !volume[*it].is_null());
    faults.extend((!list(&pod["volumes"]).all(is_allowed)).then(|| "restricted volume types".to_owned()));
    faults
}

/// A quantity in thousandths, as in `500m`, `2`, `512Mi`; none where it is no quantity.
fn quantity(value: &Value) -> Option<u64> {
    let text = value.as_str()?;
    let digits = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "m" => 1,
        "" => 1000,
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Of DNS (RFC 1123).
fn is_label(name: &str) -> bool {
    let ends_well = |it: Option<char>| it.is_some_and(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
    name.len() <= LABEL
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
        && ends_well(name.chars().next())
        && ends_well(name.chars().last())
}

fn of_rule(rule: &Value, per_index: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let action = text(&rule["action"]);
    if !["FailJob", "FailIndex", "Ignore", "Count"].contains(&action) {
        faults.push(format!("spec.podFailurePolicy.rules[].action: Unsupported value: \"{action}\""));
    }
    if action == "FailIndex" && !per_index {
        faults.push("spec.podFailurePolicy.rules[].action: FailIndex: requires the backoffLimitPerIndex".to_owned());
    }
    if rule["onExitCodes"].is_null() == rule["onPodConditions"].is_null() {
        faults.push(
            "spec.podFailurePolicy.rules[]: specifying one of onExitCodes and onPodConditions is required".to_owned(),
        );
    }
    for condition in list(&rule["onPodConditions"]) {
        if text(&condition["type"]).is_empty() || !["True", "False", "Unknown"].contains(&text(&condition["status"])) {
            faults.push("spec.podFailurePolicy.rules[].onPodConditions[]: type and status are required".to_owned());
        }
    }
    faults
}

fn of_labels(labels: &Value) -> Vec<String> {
    let is_value = |value: &str| {
        let is_end = |it: char| it.is_ascii_alphanumeric();
        value.is_empty()
            || (value.len() <= LABEL
                && value.chars().all(|it| is_end(it) || "-_.".contains(it))
                && value.starts_with(is_end)
                && value.ends_with(is_end))
    };
    let pairs = labels.as_object().into_iter().flatten();
    let bad = pairs.filter(|(_, value)| !value.as_str().is_some_and(is_value));
    bad.map(|(key, value)| {
        format!("labels: Invalid value: {value}: a valid label must be 63 characters or less ({key})")
    })
    .collect()
}

fn of_placement(pod: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for spread in list(&pod["topologySpreadConstraints"]) {
        let is_whole = spread["maxSkew"].as_u64().is_some_and(|skew| skew > 0)
            && !text(&spread["topologyKey"]).is_empty()
            && ["DoNotSchedule", "ScheduleAnyway"].contains(&text(&spread["whenUnsatisfiable"]));
        faults.extend((!is_whole).then(|| format!("spec.template.spec.topologySpreadConstraints[]: {spread}")));
    }
    let apart = &pod["affinity"]["podAntiAffinity"];
    let preferred: Vec<&Value> = list(&apart["preferredDuringSchedulingIgnoredDuringExecution"]).collect();
    let weights = preferred.iter().map(|term| term["weight"].as_u64().unwrap_or_default());
    faults.extend(
        (!weights.into_iter().all(|it| (1..=100).contains(&it)))
            .then(|| "affinity: weight: must be in the range 1-100".to_owned()),
    );
    let required = list(&apart["requiredDuringSchedulingIgnoredDuringExecution"]);
    for term in preferred.iter().map(|it| &it["podAffinityTerm"]).chain(required) {
        if text(&term["topologyKey"]).is_empty() {
            faults.push("affinity: topologyKey: Required value: can not be empty".to_owned());
        }
    }
    faults
}

fn of_volumes(pod: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let names: BTreeSet<&str> = list(&pod["volumes"]).map(|volume| text(&volume["name"])).collect();
    faults.extend(
        names.iter().filter(|name| !is_label(name)).map(|name| format!("spec.template.spec.volumes[].name: {name}")),
    );
    for volume in list(&pod["volumes"]) {
        let limit = &volume["emptyDir"]["sizeLimit"];
        if !limit.is_null() && quantity(limit).is_none() {
            faults.push(format!("quantities must match the regular expression: {limit}"));
        }
        if volume["secret"]["defaultMode"].as_u64().is_some_and(|mode| mode > 0o777) {
            faults.push("defaultMode: must be a number between 0 and 0777 (octal), both inclusive".to_owned());
        }
    }
    for mount in list(&pod["containers"]).flat_map(|container| list(&container["volumeMounts"])) {
        if !names.contains(text(&mount["name"])) {
            faults.push(format!("spec.template.spec.containers[].volumeMounts[].name: Not found: {}", mount["name"]));
        }
    }
    faults
}

fn of_resources(container: &Value) -> Vec<String> {
    let resources = &container["resources"];
    let named = ["requests", "limits"].into_iter().flat_map(|kind| resources[kind].as_object().into_iter().flatten());
    let mut faults: Vec<_> = named
        .filter(|(_, value)| quantity(value).is_none())
        .map(|(name, value)| format!("resources: quantities must match the regular expression: {name}: {value}"))
        .collect();
    for (name, requested) in resources["requests"].as_object().into_iter().flatten() {
        let limit = quantity(&resources["limits"][name]);
        if limit.is_some_and(|limit| quantity(requested).is_some_and(|requested| requested > limit)) {
            faults.push(format!(
                "resources.requests: Invalid value: {requested}: must be less than or equal to {name} limit"
            ));
        }
    }
    faults
}
