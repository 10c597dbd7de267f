//! Finds the address at which Knative's ingress can be reached from here.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesOrdered};
use k8s_openapi::api::core::v1::{Node, Service};
use kube::{Api, api::ListParams};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{cluster::Cluster, cluster_error::ClusterError};

/// The Services of Knative's ingresses: ingress, namespace, name.
const INGRESSES: [(&str, &str, &str); 3] = [
    ("Kourier", "kourier-system", "kourier"),
    ("Istio", "istio-system", "istio-ingressgateway"),
    ("Contour", "contour-external", "envoy"),
];

/// The ports of an ingress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Plain = 80,
    Tls = 443,
}

const REACH_TIMEOUT: Duration = Duration::from_secs(3);

/// An ingress that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The ingress, such as `Kourier`.
    pub(super) ingress: &'static str,
    /// `host:port` at which a connection was made.
    pub(super) address: String,
}

/// Finds the ingress and an address of it that can be reached from here.
///
/// # Errors
/// What was tried, as a message.
pub(super) async fn find(
    cluster: &Cluster,
    port: Port,
    deadline: Instant,
    cancel: &CancellationToken,
) -> Result<Found, String> {
    let mut tried = Vec::new();
    for (ingress, namespace, name) in INGRESSES {
        let service = cluster.ask(deadline, cancel, |client| async move {
            Api::<Service>::namespaced(client, namespace).get_opt(name).await
        });
        match service.await {
            Ok(None) => {}
            Ok(Some(service)) => {
                let candidates = candidates(&service, port, &nodes(cluster, deadline, cancel).await);
                match reachable(&candidates).await {
                    Some(address) => return Ok(Found { ingress, address }),
                    None => tried.push(format!("{ingress} at none of {}", candidates.join(", "))),
                }
            }
            Err(error) => tried.push(format!("{ingress}: {error}")),
        }
    }
    let reason =
        if tried.is_empty() { "found neither Kourier nor Istio nor Contour".to_owned() } else { tried.join("; ") };
    Err(format!("cannot reach an ingress from here ({reason}): set knative.gateway to its host:port"))
}

/// The namespace of the cluster's ingress; absent when it has none that is known.
///
/// # Errors
/// A server that can't be reached, or refuses.
pub(super) async fn namespace(cluster: &Cluster, deadline: Instant) -> Result<Option<&'static str>, ClusterError> {
    let never = CancellationToken::new();
    for (_, namespace, name) in INGRESSES {
        let service = cluster.ask(deadline, &never, |client| async move {
            Api::<Service>::namespaced(client, namespace).get_opt(name).await
        });
        if service.await?.is_some() {
            return Ok(Some(namespace));
        }
    }
    Ok(None)
}

/// The addresses of nodes; none without the permission to list them.
async fn nodes(cluster: &Cluster, deadline: Instant, cancel: &CancellationToken) -> Vec<String> {
    let listed = cluster
        .ask(deadline, cancel, |client| async move { Api::<Node>::all(client).list(&ListParams::default()).await });
    let nodes = listed.await.map(|list| list.items).unwrap_or_default();
    let addresses = nodes.into_iter().filter_map(|node| node.status?.addresses).flatten();
    addresses.filter(|address| address.type_ == "InternalIP").map(|address| address.address).collect()
}

/// Addresses of a Service, best first: load balancer, external address, node port, cluster address.
fn candidates(service: &Service, port: Port, nodes: &[String]) -> Vec<String> {
    let number = port as i32;
    let Some(spec) = &service.spec else { return Vec::new() };
    let balancers =
        service.status.iter().filter_map(|status| status.load_balancer.as_ref()?.ingress.as_ref()).flatten();
    let balancers = balancers.filter_map(|it| it.ip.clone().or_else(|| it.hostname.clone()));
    let external = spec.external_ips.iter().flatten().cloned();
    let own = balancers.chain(external).map(|host| at(&host, number));
    let port = spec.ports.iter().flatten().find(|port| port.port == number);
    let node_port = port.and_then(|port| port.node_port);
    let by_node = node_port.into_iter().flat_map(|port| nodes.iter().map(move |node| at(node, port)));
    let cluster = spec.cluster_ip.iter().filter(|ip| *ip != "None").map(|ip| at(ip, number));
    own.chain(by_node).chain(cluster).collect()
}

fn at(host: &str, port: i32) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The first candidate, in their order, that accepts a connection. All are tried at once; those after it are not awaited.
async fn reachable(candidates: &[String]) -> Option<String> {
    let tried = candidates.iter().map(|address| async move {
        let connected = timeout(REACH_TIMEOUT, TcpStream::connect(address.as_str())).await;
        matches!(connected, Ok(Ok(_))).then(|| address.clone())
    });
    let mut answers = tried.collect::<FuturesOrdered<_>>();
    while let Some(answer) = answers.next().await {
        if answer.is_some() {
            return answer;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// objects/kourier-service.json.
    fn kourier(status: &str) -> Service {
        let text = format!(
            r#"{{"apiVersion": "v1", "kind": "Service", "metadata": {{"name": "kourier"}},
                "spec": {{"clusterIP": "10.96.230.222", "type": "LoadBalancer", "externalIPs": ["192.0.2.7"], "ports": [
                    {{"name": "http2", "nodePort": 30518, "port": 80, "protocol": "TCP", "targetPort": 8080}},
                    {{"name": "https", "nodePort": 30205, "port": 443, "protocol": "TCP", "targetPort": 8443}}]}},
                "status": {{"loadBalancer": {status}}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_most_public_address_comes_first() {
        let nodes = ["172.18.0.2".to_owned(), "fd00::2".to_owned()];
        let rest = ["192.0.2.7:80", "172.18.0.2:30518", "[fd00::2]:30518", "10.96.230.222:80"];
        assert_eq!(candidates(&kourier("{}"), Port::Plain, &nodes), rest);
        let secured = candidates(&kourier("{}"), Port::Tls, &nodes[..1]);
        assert_eq!(secured, ["192.0.2.7:443", "172.18.0.2:30205", "10.96.230.222:443"]);
        let with_balancer = candidates(
            &kourier(r#"{"ingress": [{"ip": "198.51.100.1"}, {"hostname": "lb.example"}]}"#),
            Port::Plain,
            &[],
        );
        assert_eq!(with_balancer, ["198.51.100.1:80", "lb.example:80", "192.0.2.7:80", "10.96.230.222:80"]);
    }

    #[tokio::test]
    async fn only_addresses_that_accept_connections_count() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap().to_string();
        let closed = "127.0.0.1:1".to_owned();
        assert_eq!(reachable(&[closed.clone(), open.clone()]).await, Some(open));
        assert_eq!(reachable(&[closed]).await, None);
        assert_eq!(reachable(&[]).await, None);
    }
}
