//! Where the components of Knative are. Pure.

use crate::disturbance::{Component, Target};

/// Knative's own namespace.
const SERVING: &str = "knative-serving";

/// Where a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) namespace: String,
    /// The label selector of its pods, or of the objects that the spec selects.
    pub(super) selector: String,
    /// The name of its Deployment.
    pub(super) deployment: Deployments,
}

/// The Deployments of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deployments {
    /// One with this name.
    Named(&'static str),
    /// Those that the selector selects.
    Selected,
    /// None: a DaemonSet, or pods that Knative's own controllers scale.
    None,
}

/// Gateways by the namespaces of their ingresses: the label selector of their pods, and their Deployment.
const GATEWAYS: [(&str, &str, Deployments); 3] = [
    ("kourier-system", "app=3scale-kourier-gateway", Deployments::Named("3scale-kourier-gateway")),
    ("istio-system", "app=istio-ingressgateway", Deployments::Named("istio-ingressgateway")),
    ("contour-external", "app=envoy", Deployments::None),
];

/// Where a target is. `ingress` is the namespace of the cluster's ingress, where there is one that is known; `functions` has
/// namespace and label selector of the run's functions.
pub(super) fn place(target: &Target, ingress: Option<&str>, functions: (&str, &str)) -> Option<Place> {
    let of = |namespace: &str, selector: &str, deployment| Place {
        namespace: namespace.to_owned(),
        selector: selector.to_owned(),
        deployment,
    };
    Some(match target {
        Target::Functions => of(functions.0, functions.1, Deployments::None),
        Target::Selected { namespace, selector } => of(namespace, selector, Deployments::Selected),
        Target::Component(Component::Activator) => of(SERVING, "app=activator", Deployments::Named("activator")),
        Target::Component(Component::Autoscaler) => of(SERVING, "app=autoscaler", Deployments::Named("autoscaler")),
        Target::Component(Component::Controller) => of(SERVING, "app=controller", Deployments::Named("controller")),
        Target::Component(Component::Gateway) => {
            let (namespace, selector, deployment) = GATEWAYS.into_iter().find(|(of, ..)| Some(*of) == ingress)?;
            of(namespace, selector, deployment)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_by_namespace_and_labels() {
        let functions = ("loader", "loader.dev/run=r");
        let at = |target, ingress| place(&target, ingress, functions).map(|it| (it.namespace, it.selector));
        let gateway = Target::Component(Component::Gateway);
        let pair = |namespace: &str, selector: &str| Some((namespace.to_owned(), selector.to_owned()));
        assert_eq!(at(Target::Functions, None), pair("loader", "loader.dev/run=r"));
        assert_eq!(at(Target::Component(Component::Activator), None), pair("knative-serving", "app=activator"));
        let kourier = Some("kourier-system");
        assert_eq!(at(gateway.clone(), kourier), pair("kourier-system", "app=3scale-kourier-gateway"));
        assert_eq!(at(gateway.clone(), None), None);
        let contour = place(&gateway, Some("contour-external"), functions).map(|it| it.deployment);
        assert_eq!(contour, Some(Deployments::None), "its Envoys are a DaemonSet");
        let selected = Target::Selected { namespace: "n".to_owned(), selector: "a=b".to_owned() };
        assert_eq!(at(selected, None), pair("n", "a=b"));
    }
}
