//! The room of a cluster: what its nodes can allocate, and what the pods of functions request by their manifests.

use std::{collections::HashMap, time::Duration};

use k8s_openapi::api::core::v1::PodSpec;
use serde::Deserialize as _;
use serde_json::Value;

use super::{
    capacity,
    error::{refused, unusable},
    manifest::{self, Filling},
    platform::{Knative, QUERY_TIMEOUT},
    room,
};
use crate::{
    id::RunId,
    platform::{Allocatable, Allocate, Amounts, FunctionDeployment, PlatformError, Resources},
};

/// Knative's default of the autoscaler's `stable-window`.
const STABLE_WINDOW: Duration = Duration::from_secs(60);

#[tonic::async_trait]
impl Allocate for Knative {
    async fn allocatable(&self) -> Result<Allocatable, PlatformError> {
        let deadline = self.clock.now() + QUERY_TIMEOUT;
        let nodes = room::nodes(&self.cluster, &self.settings.node_selector, deadline).await;
        Ok(Allocatable { nodes: nodes.map_err(|error| refused(&error))?, stable_window: STABLE_WINDOW })
    }

    fn requests(&self, functions: &[FunctionDeployment]) -> Result<Vec<Amounts>, PlatformError> {
        let custom = self.custom_manifest()?;
        // Thousands of functions have few sizes.
        let mut known: HashMap<(&str, Resources), Amounts> = HashMap::new();
        let requests = functions.iter().map(|function| {
            let key = (function.kind.as_str(), function.resources);
            if let Some(known) = known.get(&key) {
                return Ok(*known);
            }
            let manifest = custom.as_deref().unwrap_or_else(|| manifest::embedded(&function.kind));
            let request = request(manifest, function).map_err(unusable)?;
            known.insert(key, request);
            Ok(request)
        });
        requests.collect()
    }
}

/// What a pod of a function requests: by the function's manifest, and queue-proxy's part.
fn request(manifest: &str, function: &FunctionDeployment) -> Result<Amounts, String> {
    let (run, node_selector) = (RunId::new(0, 0), Default::default());
    let filling = Filling {
        service: &function.name,
        namespace: "",
        run: &run,
        image: "",
        function,
        timeout_seconds: 1,
        progress_deadline_seconds: 1,
        node_selector: &node_selector,
    };
    let mut object = manifest::service(manifest, &filling).map_err(|error| error.to_string())?;
    let mut spec = object.pointer_mut("/spec/template/spec").map(Value::take).unwrap_or_default();
    quantities_as_text(&mut spec);
    let spec = PodSpec::deserialize(spec).map_err(|error| format!("spec.template.spec: {error}"))?;
    let queue_proxy = Amounts { millicores: room::QUEUE_PROXY_MILLICORES, ..Amounts::default() };
    Ok(capacity::request_of(&spec) + queue_proxy)
}

/// Makes text of the quantities that a manifest has as numbers, such as `cpu: 1`, which the API server takes, too.
fn quantities_as_text(spec: &mut Value) {
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            for kind in ["requests", "limits"] {
                let amounts = container.get_mut("resources").and_then(|resources| resources.get_mut(kind));
                for amount in amounts.and_then(Value::as_object_mut).into_iter().flat_map(serde_json::Map::values_mut) {
                    if amount.is_number() {
                        *amount = Value::String(amount.to_string());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        platform::{knative::settings::Settings, testkit},
    };

    #[test]
    fn a_pod_requests_what_its_manifest_says_and_what_queue_proxy_does() {
        let knative = Knative::new(Settings::default(), Clock);
        let deploy = testkit::deploy(&["a", "b"]);
        let pod = Amounts { millicores: 125, mib: 64, instances: 1 };
        assert_eq!(knative.requests(&deploy.functions).expect("manifests"), [pod; 2]);
    }

    #[test]
    fn the_requests_of_an_own_manifest_count() {
        let own = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {}\nspec:\n  template:\n    spec:\n      \
                   containers:\n        - resources: { requests: { cpu: 2 } }\n        - name: side\n          \
                   resources: { requests: { memory: 10Mi } }\n";
        let deploy = testkit::deploy(&["a"]);
        let pod = Amounts { millicores: 2025, mib: 10, instances: 1 };
        assert_eq!(request(own, &deploy.functions[0]), Ok(pod));
    }
}
