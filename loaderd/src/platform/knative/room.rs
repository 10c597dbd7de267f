//! How much room the cluster has for functions: for warm-ups, and in words for an operator.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{Api, Resource, api::ListParams};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{capacity, cluster::Cluster, cluster_error::ClusterError};
use crate::platform::{Amounts, Fact, NodeRoom, Room};

/// The CPU request of Knative's queue-proxy in each pod, unless `config-deployment` sets another one.
pub(super) const QUEUE_PROXY_MILLICORES: u64 = 25;

/// The size of the function that is said to fit so often, without queue-proxy: the request of a processor at the overcommitment that is
/// the default, and little memory. The same as `scripts/cluster/capacity` takes.
const TYPICAL: Amounts = Amounts { millicores: 100, mib: 256, instances: 1 };

/// Objects of one answer of the API server, so that a large cluster is not in one piece in memory.
const PAGE: u32 = 500;

/// The free CPU, from nodes and pods.
///
/// # Errors
/// A server that can't be reached, or refuses.
pub(super) async fn room(
    cluster: &Cluster,
    selector: &BTreeMap<String, String>,
    deadline: Instant,
) -> Result<Room, ClusterError> {
    let nodes = nodes(cluster, selector, deadline).await?;
    let free = nodes.iter().map(|node| node.free().millicores).sum();
    Ok(Room::Millicores { free, overhead: QUEUE_PROXY_MILLICORES })
}

/// The room in words: what nodes for functions can allocate, what is requested and free of it, and how many functions of a typical size
/// fit. Where it can't be had, why.
pub(super) async fn facts(cluster: &Cluster, selector: &BTreeMap<String, String>, deadline: Instant) -> Vec<Fact> {
    match nodes(cluster, selector, deadline).await {
        Ok(nodes) => in_words(&nodes),
        Err(error) => vec![Fact::new("room", format!("unknown: {error}"))],
    }
}

fn in_words(nodes: &[NodeRoom]) -> Vec<Fact> {
    let sum = |each: fn(&NodeRoom) -> Amounts| {
        let Amounts { millicores, mib, instances } =
            nodes.iter().map(each).fold(Amounts::default(), |sum, it| sum + it);
        format!("{millicores} millicores, {mib} MiB, {instances} pods")
    };
    let size = TYPICAL + Amounts { millicores: QUEUE_PROXY_MILLICORES, ..Amounts::default() };
    let fitting: u64 = nodes.iter().map(|node| node.free().fits(size)).sum();
    vec![
        Fact::new("nodes for functions", nodes.len().to_string()),
        Fact::new("allocatable", sum(|node| node.allocatable)),
        Fact::new("requested", sum(|node| node.requested)),
        Fact::new("free", sum(NodeRoom::free)),
        Fact::new("functions that fit", format!("{fitting} of {} millicores and {} MiB", size.millicores, size.mib)),
    ]
}

/// The room of each node that takes functions.
///
/// # Errors
/// A server that can't be reached, or refuses.
pub(super) async fn nodes(
    cluster: &Cluster,
    selector: &BTreeMap<String, String>,
    deadline: Instant,
) -> Result<Vec<NodeRoom>, ClusterError> {
    let nodes = all::<Node>(cluster, ListParams::default(), deadline).await?;
    let running = ListParams::default().fields("status.phase!=Succeeded,status.phase!=Failed");
    let pods = all::<Pod>(cluster, running, deadline).await?;
    Ok(capacity::rooms(&nodes, &pods, selector))
}

/// All objects of a kind, in pages.
async fn all<K>(cluster: &Cluster, params: ListParams, deadline: Instant) -> Result<Vec<K>, ClusterError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    let never = CancellationToken::new();
    let (mut params, mut found) = (params.limit(PAGE), Vec::new());
    loop {
        let page = &params;
        let list =
            cluster.ask(deadline, &never, |client| async move { Api::<K>::all(client).list(page).await }).await?;
        found.extend(list.items);
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_said_in_sums_and_functions_fit_node_by_node() {
        let node = |millicores, requested| NodeRoom {
            name: String::new(),
            allocatable: Amounts { millicores, mib: 1024, instances: 110 },
            requested: Amounts { millicores: requested, mib: 100, instances: 2 },
        };
        // 124 millicores of one node and 1 of another are no function.
        let facts = in_words(&[node(224, 100), node(1001, 1000), node(2000, 1000)]);
        let text: Vec<_> = facts.iter().map(|Fact { name, value }| format!("{name}: {value}")).collect();
        assert_eq!(
            text,
            [
                "nodes for functions: 3",
                "allocatable: 3225 millicores, 3072 MiB, 330 pods",
                "requested: 2100 millicores, 300 MiB, 6 pods",
                "free: 1125 millicores, 2772 MiB, 324 pods",
                "functions that fit: 3 of 125 millicores and 256 MiB",
            ]
        );
        assert_eq!(in_words(&[])[4].value, "0 of 125 millicores and 256 MiB");
    }
}
