//! The objects of Knative that are used here, and what is read from them. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
};
use serde::Deserialize;

use super::pod_stages;
use crate::clock::UnixMicros;

/// `serving.knative.dev/v1` Services.
pub(super) fn services() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("serving.knative.dev", "v1", "Service"), "services")
}

/// `serving.knative.dev/v1` Revisions.
pub(super) fn revisions() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("serving.knative.dev", "v1", "Revision"), "revisions")
}

/// `autoscaling.internal.knative.dev/v1alpha1` PodAutoscalers.
pub(super) fn pod_autoscalers() -> ApiResource {
    let kind = GroupVersionKind::gvk("autoscaling.internal.knative.dev", "v1alpha1", "PodAutoscaler");
    ApiResource::from_gvk_with_plural(&kind, "podautoscalers")
}

/// A condition, as all objects of Knative have them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) message: String,
    pub(super) last_transition_time: Option<Time>,
}

/// The status of a Service, a Revision or a PodAutoscaler: what is read of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ObjectStatus {
    pub(super) conditions: Vec<Condition>,
    pub(super) url: String,
    pub(super) latest_created_revision_name: String,
    pub(super) observed_generation: i64,
    pub(super) desired_scale: Option<i64>,
}

impl ObjectStatus {
    /// The status of an object; empty before it has one.
    pub(super) fn of(object: &DynamicObject) -> Self {
        object.data.get("status").and_then(|status| Self::deserialize(status).ok()).unwrap_or_default()
    }

    pub(super) fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// The condition `Ready`, if it is `False`.
    pub(super) fn refusal(&self) -> Option<&Condition> {
        self.condition("Ready").filter(|ready| ready.status == "False")
    }

    /// When an object's status last changed, by its own stamps: those of its conditions, and of what was written by whom.
    pub(super) fn newest_stamp(&self, object: &DynamicObject) -> Option<UnixMicros> {
        let conditions = self.conditions.iter().filter_map(|condition| condition.last_transition_time.as_ref());
        let writes = object.metadata.managed_fields.iter().flatten();
        let writes = writes.filter(|write| write.subresource.as_deref() == Some("status"));
        conditions.chain(writes.filter_map(|write| write.time.as_ref())).map(pod_stages::micros).max()
    }
}

/// Whether a Service is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Readiness {
    /// Not ready yet, for whatever reason.
    Passing,
    /// It can be called, under this URL.
    Ready(String),
    /// It has failed; the root cause is on its revision.
    Failed {
        /// The Service's own reason and message.
        status: String,
        /// The revision; empty when there is none.
        revision: String,
    },
}

impl Readiness {
    /// The readiness of a Service. Only `False` is a failure: `Unknown` has transient reasons, `RevisionMissing` among them.
    pub(super) fn of(service: &DynamicObject) -> Self {
        let status = ObjectStatus::of(service);
        let current = service.metadata.generation.is_none_or(|generation| status.observed_generation >= generation);
        match status.condition("Ready") {
            Some(ready) if ready.status == "True" && current && !status.url.is_empty() => Self::Ready(status.url),
            Some(ready) if ready.status == "False" && current => {
                Self::Failed { status: describe(ready), revision: status.latest_created_revision_name.clone() }
            }
            Some(_) | None => Self::Passing,
        }
    }
}

/// A condition's reason and message as text.
pub(super) fn describe(condition: &Condition) -> String {
    let Condition { kind: _, status: _, reason, message, last_transition_time: _ } = condition;
    match (reason.is_empty(), message.is_empty()) {
        (false, false) => format!("{reason}: {message}"),
        (false, true) => reason.clone(),
        (true, _) => message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn service(status: Value) -> DynamicObject {
        let object = json!({
            "apiVersion": "serving.knative.dev/v1", "kind": "Service",
            "metadata": {"name": "f", "generation": 1}, "status": status,
        });
        serde_json::from_value(object).unwrap()
    }

    fn unknown(reason: &str) -> Value {
        let ready = json!({"type": "Ready", "status": "Unknown", "reason": reason});
        json!({"conditions": [ready], "url": "http://f.default.example.com", "observedGeneration": 1})
    }

    /// The sequence of watch/ksvc.hello-grpc.jsonl.
    #[test]
    fn only_false_is_a_failure() {
        for reason in ["OutOfDate", "RevisionMissing", "IngressNotConfigured", "Uninitialized"] {
            assert_eq!(Readiness::of(&service(unknown(reason))), Readiness::Passing);
        }
        assert_eq!(Readiness::of(&service(Value::Null)), Readiness::Passing);
        let mut ready = unknown("");
        ready["conditions"][0]["status"] = "True".into();
        assert_eq!(Readiness::of(&service(ready.clone())), Readiness::Ready("http://f.default.example.com".to_owned()));
        // The status of an earlier generation.
        ready["observedGeneration"] = 0.into();
        assert_eq!(Readiness::of(&service(ready)), Readiness::Passing);
    }

    /// As in service.fn-crash.json.
    #[test]
    fn a_failure_names_the_revision_that_has_the_cause() {
        let message = "Configuration \"fn-crash\" does not have any ready Revision.";
        let status = json!({
            "conditions": [{"type": "Ready", "status": "False", "reason": "RevisionMissing", "message": message}],
            "latestCreatedRevisionName": "fn-crash-00001", "observedGeneration": 1,
        });
        let described = format!("RevisionMissing: {message}");
        let failed = Readiness::Failed { status: described, revision: "fn-crash-00001".to_owned() };
        assert_eq!(Readiness::of(&service(status)), failed);
    }
}
