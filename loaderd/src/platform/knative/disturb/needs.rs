//! The permissions that disturbances need, beyond those of every run. Pure.

use super::{
    super::preflight::{Need, Scope},
    places::{Deployments, Place},
};
use crate::disturbance::Action;

/// Permissions to close a node, and to open it again.
const CORDON_NEEDS: [Need; 2] = [of_nodes("nodes", "", "get"), of_nodes("nodes", "", "patch")];

/// Permissions that a status tells of: those of the functions' namespace, of the activator for all components, and of nodes. A run
/// is checked by its own disturbances.
pub(in super::super) const STATUS_NEEDS: [Need; 8] = [
    need("", "pods", "", "delete"),
    in_serving(need("", "pods", "", "delete"), ""),
    in_serving(need("apps", "deployments", "scale", "get"), "activator"),
    in_serving(need("apps", "deployments", "scale", "patch"), "activator"),
    in_serving(need("apps", "deployments", "", "patch"), "activator"),
    CORDON_NEEDS[0],
    CORDON_NEEDS[1],
    of_nodes("pods", "eviction", "create"),
];

const fn in_serving(need: Need, name: &'static str) -> Need {
    Need { name, scope: Scope::Serving, ..need }
}

const fn of_nodes(resource: &'static str, subresource: &'static str, verb: &'static str) -> Need {
    Need { group: "", resource, subresource, verb, name: "", scope: Scope::Cluster }
}

/// Permissions in the namespace that a review names.
const fn need(group: &'static str, resource: &'static str, subresource: &'static str, verb: &'static str) -> Need {
    Need { group, resource, subresource, verb, name: "", scope: Scope::Run }
}

/// The permissions of an action; those of a namespace are needed in that of its `place`.
pub(super) fn needs(action: &Action, place: Option<&Place>) -> Vec<Need> {
    let name = match place.map(|place| place.deployment) {
        Some(Deployments::Named(name)) => name,
        Some(Deployments::Selected | Deployments::None) | None => "",
    };
    let named = |need: Need| Need { name, ..need };
    let list = need("apps", "deployments", "", "list");
    let listed = if name.is_empty() { Some(list) } else { None };
    match action {
        Action::DeletePods { .. } => vec![need("", "pods", "", "list"), need("", "pods", "", "delete")],
        Action::ScaleToZero { .. } => {
            let of_scale = ["get", "patch"].map(|verb| named(need("apps", "deployments", "scale", verb)));
            listed.into_iter().chain(of_scale).collect()
        }
        Action::Restart { .. } => listed.into_iter().chain([named(need("apps", "deployments", "", "patch"))]).collect(),
        Action::Cordon { .. } => CORDON_NEEDS.to_vec(),
        Action::Drain { .. } => {
            let of_pods = [of_nodes("pods", "", "list"), of_nodes("pods", "eviction", "create")];
            CORDON_NEEDS.into_iter().chain(of_pods).collect()
        }
        Action::KillInstances { .. } | Action::PauseInstances { .. } | Action::RefuseStarts { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        disturbance::{Component, Count, Target},
        platform::knative::{disturb::places::place, preflight::permissions},
    };

    /// What config/kubernetes/disturb.yaml grants is what the named targets need, beyond the roles of every run.
    #[test]
    fn the_roles_grant_what_the_named_targets_need() {
        let mut needed = BTreeSet::new();
        let mut add = |action: &Action, place: Option<&Place>| {
            let namespace = place.map_or("loader", |place| &place.namespace);
            needed.extend(needs(action, place).iter().map(|need| need.permission(namespace)));
        };
        let components = Component::ALL.map(Target::Component);
        for of in components.iter().chain([&Target::Functions]) {
            let place = place(of, Some("kourier-system"), ("loader", "a")).unwrap();
            add(&Action::DeletePods { of: of.clone(), count: Count::All }, Some(&place));
            if *of != Target::Functions {
                add(&Action::ScaleToZero { of: of.clone(), lasting: None }, Some(&place));
                add(&Action::Restart { of: of.clone() }, Some(&place));
            }
        }
        add(&Action::Drain { node: "n".to_owned(), lasting: None }, None);
        let [disturbing, every_run] = [
            include_str!("../../../../../config/kubernetes/disturb.yaml"),
            include_str!("../../../../../config/kubernetes/rbac.yaml"),
        ]
        .map(permissions::granted);
        let with_those_of_every_run: BTreeSet<_> = disturbing.union(&every_run).cloned().collect();
        let missing: Vec<_> = needed.difference(&with_those_of_every_run).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let needless: Vec<_> = disturbing.difference(&needed).collect();
        assert!(needless.is_empty(), "{needless:?}");
        let twice: Vec<_> = disturbing.intersection(&every_run).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn what_a_selector_selects_is_listed_first() {
        let of = Target::Selected { namespace: "n".to_owned(), selector: "a=b".to_owned() };
        let place = place(&of, None, ("loader", "a"));
        let described = |action: Action| -> Vec<_> {
            needs(&action, place.as_ref()).iter().map(|need| need.describe("n")).collect()
        };
        let restart = ["list deployments.apps in namespace n", "patch deployments.apps in namespace n"];
        assert_eq!(described(Action::Restart { of }), restart);
    }
}
