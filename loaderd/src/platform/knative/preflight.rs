//! The permissions that a run needs, checked before anything is deployed.

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::{Api, api::PostParams};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{cluster::Cluster, cluster_error::ClusterError};

/// Requests in flight at the same time.
const MAX_CONCURRENT: usize = 8;

/// A permission that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) group: &'static str,
    pub(super) resource: &'static str,
    pub(super) subresource: &'static str,
    pub(super) verb: &'static str,
    /// The only object that it is needed for; empty for all. A rule with `resourceNames` allows no request without a name.
    pub(super) name: &'static str,
    /// Where it is needed.
    pub(super) scope: Scope,
}

/// The scope of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// In the run's namespace.
    Run,
    /// In Knative's own namespace, `knative-serving`.
    Serving,
    /// In the whole cluster.
    Cluster,
}

impl Scope {
    fn namespace<'a>(&self, of_run: &'a str) -> Option<&'a str> {
        match self {
            Self::Run => Some(of_run),
            Self::Serving => Some("knative-serving"),
            Self::Cluster => None,
        }
    }
}

const fn need(group: &'static str, resource: &'static str, verb: &'static str) -> Need {
    Need { group, resource, subresource: "", verb, name: "", scope: Scope::Run }
}

const SERVING: &str = "serving.knative.dev";
const AUTOSCALING: &str = "autoscaling.internal.knative.dev";

/// Permissions that every run needs.
pub(super) const NEEDS: [Need; 11] = [
    need(SERVING, "services", "get"),
    need(SERVING, "services", "list"),
    need(SERVING, "services", "watch"),
    // Server-side apply is a patch, and the first one a creation.
    need(SERVING, "services", "create"),
    need(SERVING, "services", "patch"),
    need(SERVING, "services", "delete"),
    need(SERVING, "revisions", "get"),
    need(AUTOSCALING, "podautoscalers", "list"),
    need(AUTOSCALING, "podautoscalers", "watch"),
    need("", "pods", "list"),
    need("", "pods", "watch"),
];

impl Need {
    /// As in `create services.serving.knative.dev in namespace loader`, or `get configmaps config-autoscaler in namespace …`.
    pub(super) fn describe(&self, namespace: &str) -> String {
        let Self { group, resource, subresource, verb, name, scope } = self;
        let dot = if group.is_empty() { "" } else { "." };
        let slash = if subresource.is_empty() { "" } else { "/" };
        let object = if name.is_empty() { String::new() } else { format!(" {name}") };
        let location =
            scope.namespace(namespace).map_or(String::new(), |namespace| format!(" in namespace {namespace}"));
        format!("{verb} {resource}{slash}{subresource}{dot}{group}{object}{location}")
    }

    fn review(&self, namespace: &str) -> SelfSubjectAccessReview {
        let Self { group, resource, subresource, verb, name, scope } = *self;
        let attributes = ResourceAttributes {
            group: Some(group.to_owned()),
            resource: Some(resource.to_owned()),
            subresource: (!subresource.is_empty()).then(|| subresource.to_owned()),
            verb: Some(verb.to_owned()),
            name: (!name.is_empty()).then(|| name.to_owned()),
            namespace: scope.namespace(namespace).map(str::to_owned),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
        SelfSubjectAccessReview { spec, ..Default::default() }
    }
}

/// The missing ones of `needs`, as text.
///
/// # Errors
/// A server that can't be reached.
pub(super) async fn missing(
    cluster: &Cluster,
    needs: &[Need],
    namespace: &str,
    deadline: Instant,
    cancel: &CancellationToken,
) -> Result<Vec<String>, ClusterError> {
    let asked = needs.iter().map(|need| async move {
        let review = &need.review(namespace);
        let answer = cluster.ask(deadline, cancel, |client| async move {
            Api::<SelfSubjectAccessReview>::all(client).create(&PostParams::default(), review).await
        });
        let allowed = answer.await?.status.is_some_and(|status| status.allowed);
        Ok((!allowed).then(|| need.describe(namespace)))
    });
    let asked: Vec<_> = asked.collect();
    let answers: Vec<Result<Option<String>, ClusterError>> =
        stream::iter(asked).buffered(MAX_CONCURRENT).collect().await;
    answers.into_iter().filter_map(Result::transpose).collect()
}

/// The permissions that roles grant, for tests.
#[cfg(test)]
pub(super) mod permissions {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Namespace (empty for the whole cluster), group, resource, verb, name (empty for all).
    pub(in super::super) type Permission = [String; 5];

    /// What the roles of a file of config/kubernetes grant.
    pub(in super::super) fn granted(text: &str) -> BTreeSet<Permission> {
        let mut granted = BTreeSet::new();
        for document in text.split("\n---\n") {
            let object: Value = serde_saphyr::from_str(document).unwrap();
            let texts = |value: &Value| -> Vec<String> {
                value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
            };
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            let names = |rule: &Value| rule.get("resourceNames").map_or(vec![String::new()], texts);
            for rule in object.get("rules").and_then(Value::as_array).into_iter().flatten() {
                for group in texts(&rule["apiGroups"]) {
                    for resource in texts(&rule["resources"]) {
                        for verb in texts(&rule["verbs"]) {
                            for name in names(rule) {
                                let what = [namespace, &group, &resource, &verb, &name];
                                granted.insert(what.map(str::to_owned));
                            }
                        }
                    }
                }
            }
        }
        granted
    }

    impl Need {
        /// What it takes of a role, where runs are in `namespace`.
        pub(in super::super) fn permission(&self, namespace: &str) -> Permission {
            let namespace = self.scope.namespace(namespace).unwrap_or_default();
            let slash = if self.subresource.is_empty() { "" } else { "/" };
            let resource = format!("{}{slash}{}", self.resource, self.subresource);
            [namespace, self.group, &resource, self.verb, self.name].map(str::to_owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Neither more nor less than is needed.
    #[test]
    fn the_roles_grant_what_is_needed() {
        let needs = NEEDS.iter().chain(&super::super::scrape::NEEDS).chain(&super::super::hold::NEEDS);
        let mut needed: BTreeSet<_> = needs.map(|need| need.permission("loader")).collect();
        // Optional permissions: finding the ingress, the version, a metrics-server.
        for optional in [
            ["", "", "services", "get", "kourier"],
            ["", "", "services", "get", "istio-ingressgateway"],
            ["", "", "services", "get", "envoy"],
            ["", "", "namespaces", "get", "knative-serving"],
            ["", "metrics.k8s.io", "nodes", "list", ""],
            ["", "metrics.k8s.io", "pods", "list", ""],
        ] {
            needed.insert(optional.map(str::to_owned));
        }
        let granted = permissions::granted(include_str!("../../../../config/kubernetes/rbac.yaml"));
        assert_eq!(granted, needed);
    }

    #[test]
    fn a_permission_is_described_by_verb_resource_and_namespace() {
        assert_eq!(NEEDS[3].describe("loader"), "create services.serving.knative.dev in namespace loader");
        let nodes =
            Need { group: "", resource: "nodes", subresource: "stats", verb: "get", name: "", scope: Scope::Cluster };
        assert_eq!(nodes.describe("loader"), "get nodes/stats");
        let hold = super::super::hold::NEEDS[1];
        assert_eq!(hold.describe("loader"), "patch configmaps config-autoscaler in namespace knative-serving");
    }

    /// A review without the name is denied where the rule has `resourceNames`.
    #[test]
    fn a_review_has_the_name_of_the_object() {
        let name = |need: &Need| need.review("loader").spec.resource_attributes.unwrap().name;
        assert_eq!(name(&super::super::hold::NEEDS[0]).as_deref(), Some("config-autoscaler"));
        assert_eq!(name(&NEEDS[0]), None);
    }
}
