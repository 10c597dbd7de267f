//! The deletion of objects, and the garbage collector: what becomes of that which a deleted Service owned.
//!
//! In the background the Service is gone at once, and its pods are found later: on a cluster with 40 Services the collector reached
//! them after 24 to 29 s. In the foreground its pods are told to end at once, and the Service is there until they are gone.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{Cluster, PODS, SERVICES, Shared, components, controllers, function::Function, jobs, lock, stamp, store};

/// How long the collector takes with few Services.
pub(super) const COLLECTION: Duration = Duration::from_secs(1);

/// How an object is deleted: `propagationPolicy` of the request's DeleteOptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cascade {
    /// The request does not say. Most objects are deleted in the background then; a Job leaves its pods.
    Unsaid,
    Background,
    Foreground,
}

impl Cascade {
    /// That of a request's body.
    pub(super) fn of(body: &[u8]) -> Self {
        let options: Value = serde_json::from_slice(body).unwrap_or_default();
        match options["propagationPolicy"].as_str() {
            Some("Foreground") => Self::Foreground,
            Some(_) => Self::Background,
            None => Self::Unsaid,
        }
    }
}

impl Cluster {
    /// Makes the garbage collector take so long to find what a Service owned that was deleted in the background.
    pub fn slow_garbage_collection(&self, collection: Duration) {
        *lock(&self.shared.collection) = collection;
    }
}

/// Deletes an object, with what its controllers do then. `None` where it does not exist. Must be called within the runtime.
pub(super) fn delete(
    shared: &Arc<Shared>,
    resource: &str,
    namespace: &str,
    name: &str,
    cascade: Cascade,
) -> Option<Value> {
    if resource == jobs::JOBS {
        return jobs::delete(shared, namespace, name, cascade);
    }
    if resource == PODS {
        return components::delete_pod(shared, namespace, name);
    }
    let function = (resource == SERVICES).then(|| lock(&shared.functions).remove(&controllers::host(name, namespace)));
    let Some(function) = function.flatten() else {
        let object = lock(&shared.store).get(resource, namespace, name).cloned();
        let is_collected = object.as_ref().is_some_and(|object| !object["metadata"]["finalizers"].is_null());
        return if is_collected { object } else { shared.remove(resource, namespace, name) };
    };
    controllers::unroute(shared, &function);
    let removed = match cascade {
        Cascade::Unsaid | Cascade::Background => shared.remove(resource, namespace, name)?,
        Cascade::Foreground => {
            shared.edit(resource, namespace, name, |service| {
                service["metadata"]["deletionTimestamp"] = json!(stamp::now());
                service["metadata"]["finalizers"] = json!(["foregroundDeletion"]);
            });
            lock(&shared.store).get(resource, namespace, name).cloned()?
        }
    };
    tokio::spawn(collect(Arc::clone(shared), function, cascade));
    Some(removed)
}

async fn collect(shared: Arc<Shared>, function: Arc<Function>, cascade: Cascade) {
    if cascade != Cascade::Foreground {
        let collection = *lock(&shared.collection);
        shared.pause(collection).await;
    }
    let mut versions = shared.version.subscribe();
    shared.stop_pods(&function, 0);
    if cascade == Cascade::Foreground {
        while has_pods(&shared, &function) && versions.changed().await.is_ok() {
            // One may just have been created.
            shared.stop_pods(&function, 0);
        }
        shared.remove(SERVICES, &function.namespace, &function.name);
    }
}

fn has_pods(shared: &Shared, function: &Function) -> bool {
    let selector = format!("serving.knative.dev/service={}", function.name);
    let store = lock(&shared.store);
    let mut pods = store.list(PODS, &function.namespace);
    pods.any(|pod| store::selects(&selector, pod))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_how_it_cascades() {
        assert_eq!(Cascade::of(br#"{"propagationPolicy": "Foreground"}"#), Cascade::Foreground);
        assert_eq!(Cascade::of(br#"{"propagationPolicy": "Background"}"#), Cascade::Background);
        assert_eq!(Cascade::of(b""), Cascade::Unsaid);
    }
}
