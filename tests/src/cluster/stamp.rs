//! The cluster's clock: objects have the times of their changes in whole seconds.

use std::time::Duration;

use serde_json::{Value, json};

/// The present second.
pub(super) fn now() -> String {
    later(Duration::ZERO)
}

/// A second to come.
pub(super) fn later(by: Duration) -> String {
    #[expect(clippy::disallowed_types, reason = "the cluster has the wall clock of its host")]
    let now = std::time::SystemTime::now();
    humantime::format_rfc3339_seconds(now + by).to_string()
}

/// Gives each condition the time of its last transition: the present one where its status is another than before.
pub(super) fn transitions(before: Option<&Value>, object: &mut Value) {
    let before = before.and_then(|before| before["status"]["conditions"].as_array()).cloned().unwrap_or_default();
    let Some(conditions) = object["status"]["conditions"].as_array_mut() else { return };
    for condition in conditions {
        let same = before.iter().find(|it| it["type"] == condition["type"] && it["status"] == condition["status"]);
        let since = same.map(|it| it["lastTransitionTime"].clone()).filter(|since| !since.is_null());
        condition["lastTransitionTime"] = since.unwrap_or_else(|| json!(now()));
    }
}

/// A status without the times of its conditions.
pub(super) fn without_transitions(mut status: Value) -> Value {
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        if let Some(condition) = condition.as_object_mut() {
            condition.remove("lastTransitionTime");
        }
    }
    status
}

/// The field manager that last wrote an object's status, as a controller does.
pub(super) fn written_by(manager: &str) -> Value {
    json!([{"manager": manager, "operation": "Update", "subresource": "status", "time": now()}])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_keeps_the_time_of_its_last_transition() {
        let condition = |kind: &str, status: &str, since: &str| json!({"type": kind, "status": status, "lastTransitionTime": since});
        let before =
            json!({"status": {"conditions": [condition("A", "True", "then"), condition("B", "False", "then")]}});
        let mut after =
            json!({"status": {"conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "True"}]}});
        transitions(Some(&before), &mut after);
        assert_eq!(after["status"]["conditions"][0], condition("A", "True", "then"));
        let since = after["status"]["conditions"][1]["lastTransitionTime"].as_str().expect("has one").to_owned();
        assert!(since.len() == "2026-11-23T07:09:11Z".len() && since.ends_with('Z'), "{since}");
        let none = json!({"conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "True"}]});
        assert_eq!(without_transitions(after["status"].clone()), none);
    }
}
