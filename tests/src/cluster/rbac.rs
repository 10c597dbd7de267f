//! What an identity may do, as Kubernetes' RBAC authoriser decides it: by the roles of `config/kubernetes/rbac.yaml`.
//!
//! A request is allowed where one rule of a bound role has its verb, group, resource and, if the rule has some, its name. There are
//! no denials. A Role counts in its binding's namespace, a ClusterRole by a ClusterRoleBinding everywhere.

use serde_json::Value;

/// The roles that the project ships.
const SHIPPED: &str = include_str!("../../../config/kubernetes/rbac.yaml");

/// What an administrator may add to them.
const NODES_PROXY: &str = include_str!("../../../config/kubernetes/rbac-nodes-proxy.yaml");

/// Those for disturbances.
const DISTURBING: &str = include_str!("../../../config/kubernetes/disturb.yaml");

/// Those for workers of runs.
const WORKERS: &str = include_str!("../../../config/kubernetes/workers.yaml");

/// What a request wants: the attributes of Kubernetes' authorisers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attributes<'a> {
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    pub(super) resource: &'a str,
    /// Empty for the object itself.
    pub(super) subresource: &'a str,
    /// Empty for the whole cluster.
    pub(super) namespace: &'a str,
    /// Empty for a request about several objects, or a new one.
    pub(super) name: &'a str,
}

/// A rule that is bound.
#[derive(Debug)]
struct Rule {
    /// Absent: in all namespaces, and for what has none.
    namespace: Option<String>,
    verbs: Vec<String>,
    groups: Vec<String>,
    /// With their subresource, as in `nodes/proxy`.
    resources: Vec<String>,
    /// Empty for every name.
    names: Vec<String>,
}

impl Rule {
    fn allows(&self, asked: &Attributes<'_>) -> bool {
        let has = |all: &[String], one: &str| all.iter().any(|it| it == "*" || it == one);
        let Attributes { verb, group, resource, subresource, namespace, name } = asked;
        let (whole, of_any) = if subresource.is_empty() {
            ((*resource).to_owned(), None)
        } else {
            (format!("{resource}/{subresource}"), Some(format!("*/{subresource}")))
        };
        self.namespace.as_deref().is_none_or(|of_rule| of_rule == *namespace)
            && has(&self.verbs, verb)
            && has(&self.groups, group)
            && (has(&self.resources, &whole) || of_any.is_some_and(|it| self.resources.contains(&it)))
            // Unlike the other lists it has no `*`.
            && (self.names.is_empty() || self.names.iter().any(|it| it == name))
    }
}

/// The permissions of one ServiceAccount.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    rules: Vec<Rule>,
}

impl Permissions {
    /// Those that `config/kubernetes/rbac.yaml` gives to loaderd.
    pub(super) fn shipped() -> Self {
        Self::of(SHIPPED, "loader", "loaderd")
    }

    /// Those, and what `config/kubernetes/rbac-nodes-proxy.yaml` adds.
    pub(super) fn with_nodes_proxy() -> Self {
        Self::of(&format!("{SHIPPED}\n---\n{NODES_PROXY}"), "loader", "loaderd")
    }

    /// Those, and what `config/kubernetes/disturb.yaml` adds.
    pub(super) fn shipped_with_disturbances() -> Self {
        Self::of(&format!("{SHIPPED}\n---\n{DISTURBING}"), "loader", "loaderd")
    }

    /// Those, and what `config/kubernetes/workers.yaml` adds.
    pub(super) fn shipped_with_workers() -> Self {
        Self::of(&format!("{SHIPPED}\n---\n{WORKERS}"), "loader", "loaderd")
    }

    /// Those of `cluster-admin`.
    pub(super) fn of_administrator() -> Self {
        let any = || vec!["*".to_owned()];
        Self { rules: vec![Rule { namespace: None, verbs: any(), groups: any(), resources: any(), names: Vec::new() }] }
    }

    /// Those that manifests give to a ServiceAccount.
    fn of(manifests: &str, namespace: &str, account: &str) -> Self {
        let objects: Vec<Value> =
            manifests.split("\n---\n").map(|text| serde_saphyr::from_str(text).expect("it is YAML")).collect();
        let is_bound = |binding: &&Value| {
            let subjects = binding["subjects"].as_array().into_iter().flatten();
            let mut accounts = subjects.filter(|it| it["kind"] == "ServiceAccount");
            accounts.any(|it| it["namespace"] == namespace && it["name"] == account)
        };
        let rules = objects.iter().filter(is_bound).flat_map(|binding| {
            let scope = (binding["kind"] == "RoleBinding").then(|| binding["metadata"]["namespace"].clone());
            let referred = &binding["roleRef"];
            let role = objects.iter().find(|it| {
                // A Role is looked for in its binding's namespace.
                let is_here = it["kind"] == "ClusterRole" || Some(&it["metadata"]["namespace"]) == scope.as_ref();
                it["kind"] == referred["kind"] && it["metadata"]["name"] == referred["name"] && is_here
            });
            let rules = role.and_then(|role| role["rules"].as_array()).into_iter().flatten();
            rules.map(move |rule| read(rule, scope.as_ref())).collect::<Vec<_>>()
        });
        Self { rules: rules.collect() }
    }

    /// Whether a request is allowed.
    pub(super) fn allow(&self, asked: &Attributes<'_>) -> bool {
        self.rules.iter().any(|rule| rule.allows(asked))
    }
}

fn read(rule: &Value, namespace: Option<&Value>) -> Rule {
    let texts = |name: &str| {
        let all = rule[name].as_array().into_iter().flatten();
        all.filter_map(|it| it.as_str().map(str::to_owned)).collect()
    };
    Rule {
        namespace: namespace.and_then(|it| it.as_str().map(str::to_owned)),
        verbs: texts("verbs"),
        groups: texts("apiGroups"),
        resources: texts("resources"),
        names: texts("resourceNames"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_roles_allow_what_they_name_and_nothing_else() {
        let permissions = Permissions::shipped();
        for (verb, group, resource, namespace, name, allowed) in [
            ("patch", "serving.knative.dev", "services", "loader", "f", true),
            // Another verb, group, namespace, resource.
            ("update", "serving.knative.dev", "services", "loader", "f", false),
            ("patch", "", "services", "loader", "f", false),
            ("patch", "serving.knative.dev", "services", "default", "f", false),
            ("patch", "serving.knative.dev", "routes", "loader", "f", false),
            // A rule with names: that name, in that namespace.
            ("patch", "", "configmaps", "knative-serving", "config-autoscaler", true),
            ("patch", "", "configmaps", "knative-serving", "config-observability", false),
            ("patch", "", "configmaps", "knative-serving", "", false),
            ("get", "", "configmaps", "loader", "config-autoscaler", false),
            // A ClusterRole counts in namespaces too.
            ("list", "", "nodes", "", "", true),
            ("list", "", "pods", "default", "", true),
            ("get", "", "services", "kourier-system", "kourier", true),
            // A subresource is not its resource.
            ("get", "", "nodes/stats", "", "n", true),
            ("get", "", "nodes/metrics", "", "n", true),
            ("get", "", "nodes", "", "n", false),
            // It reaches every container.
            ("get", "", "nodes/proxy", "", "n", false),
            ("create", "", "nodes/proxy", "", "n", false),
            ("get", "", "pods/proxy", "knative-serving", "autoscaler:9090", true),
            ("get", "", "pods/proxy", "loader", "f", false),
        ] {
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            let asked = Attributes { verb, group, resource, subresource, namespace, name };
            assert_eq!(permissions.allow(&asked), allowed, "{asked:?}");
        }
    }

    #[test]
    fn the_kubelets_whole_api_needs_another_file() {
        let asked =
            |verb| Attributes { verb, resource: "nodes", subresource: "proxy", name: "n", ..Attributes::default() };
        assert!(Permissions::with_nodes_proxy().allow(&asked("get")));
        assert!(!Permissions::with_nodes_proxy().allow(&asked("create")));
    }

    #[test]
    fn disturbances_need_roles_of_their_own() {
        for (verb, group, resource, namespace, name, allowed) in [
            ("delete", "", "pods", "knative-serving", "activator-1", true),
            ("delete", "", "pods", "kourier-system", "3scale-kourier-gateway-1", true),
            ("delete", "", "pods", "kube-system", "coredns-1", false),
            ("patch", "apps", "deployments/scale", "knative-serving", "activator", true),
            ("patch", "apps", "deployments/scale", "knative-serving", "webhook", false),
            ("delete", "apps", "deployments", "knative-serving", "activator", false),
            ("patch", "", "nodes", "", "n", true),
            ("create", "", "pods/eviction", "default", "p", true),
        ] {
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            let asked = Attributes { verb, group, resource, subresource, namespace, name };
            assert!(!Permissions::shipped().allow(&asked), "{asked:?}");
            assert_eq!(Permissions::shipped_with_disturbances().allow(&asked), allowed, "{asked:?}");
        }
    }

    #[test]
    fn workers_need_roles_of_their_own() {
        for (verb, group, resource, namespace, allowed) in [
            ("create", "batch", "jobs", "loader", true),
            ("delete", "batch", "jobs", "loader", true),
            ("create", "batch", "jobs", "default", false),
            ("create", "", "secrets", "loader", true),
            // Whose Secrets they are.
            ("get", "", "secrets", "loader", false),
            ("list", "", "secrets", "loader", false),
            ("delete", "", "secrets", "loader", false),
            ("create", "", "pods", "loader", false),
        ] {
            let asked = Attributes { verb, group, resource, namespace, ..Attributes::default() };
            assert!(!Permissions::shipped().allow(&asked), "{asked:?}");
            assert_eq!(Permissions::shipped_with_workers().allow(&asked), allowed, "{asked:?}");
        }
    }

    #[test]
    fn a_role_counts_only_for_whom_it_is_bound_to() {
        let asked = Attributes { verb: "list", resource: "nodes", ..Attributes::default() };
        assert!(!Permissions::of(SHIPPED, "loader", "other").allow(&asked));
        assert!(!Permissions::of(SHIPPED, "default", "loaderd").allow(&asked));
        assert!(Permissions::of_administrator().allow(&asked));
    }
}
