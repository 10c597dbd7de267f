//! The kubelets: asked directly, or through the API server.
//!
//! ```text
//! Direct     ─▶ https://NODE:10250/PATH           get on nodes/stats, nodes/metrics; the cluster's CA vouches for the kubelet
//! ApiServer  ─▶ /api/v1/nodes/NODE/proxy/PATH     get on nodes/proxy, which opens the whole kubelet, running commands included
//! ```

use std::{collections::HashMap, net::IpAddr, time::Duration};

use futures_util::{StreamExt as _, stream};
use http::{Request, Uri};
use k8s_openapi::api::core::v1::Node;
use kube::{Client, Config};

use super::super::{cluster::Cluster, failure};

/// Where a kubelet listens, unless its node says otherwise.
const PORT: u16 = 10250;
/// A kubelet is in the cluster's own network.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Requests in flight at the same time.
const MAX_CONCURRENT: usize = 32;
/// Kinds of addresses, best first: as metrics-server chooses.
const ADDRESSES: [&str; 3] = ["InternalIP", "ExternalIP", "Hostname"];

/// How a kubelet is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Direct,
    ApiServer,
}

/// The kubelet of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kubelet {
    pub(super) node: String,
    /// `host:port`; absent where the node has no address.
    address: Option<String>,
}

impl Kubelet {
    /// The kubelet of a node; absent for a node without a name.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let status = node.status.as_ref();
        let port = status.and_then(|status| status.daemon_endpoints.as_ref()?.kubelet_endpoint.as_ref());
        let port = port.and_then(|endpoint| u16::try_from(endpoint.port).ok()).unwrap_or(PORT);
        let addresses = status.and_then(|status| status.addresses.as_deref()).unwrap_or_default();
        let best = ADDRESSES.iter().find_map(|kind| addresses.iter().find(|it| it.type_ == *kind));
        let address = best.map(|it| match it.address.parse::<IpAddr>() {
            Ok(IpAddr::V6(ip)) => format!("[{ip}]:{port}"),
            Ok(IpAddr::V4(_)) | Err(_) => format!("{}:{port}", it.address),
        });
        Some(Self { node: node.metadata.name.clone()?, address })
    }
}

/// Texts by node; and why nodes are missing, where some are.
type Texts = (Vec<(String, String)>, Option<String>);

/// Asks kubelets, with a client for each that is asked directly.
pub(super) struct Kubelets {
    limit: Duration,
    /// By address; made anew after a failure, as the credentials may have been renewed.
    clients: HashMap<String, Client>,
}

impl Kubelets {
    /// Each kubelet may take `limit` to answer.
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, clients: HashMap::new() }
    }

    /// The texts at a path of all kubelets that answer.
    ///
    /// # Errors
    /// Why none answers: what the first one failed with.
    pub(super) async fn ask(
        &mut self,
        cluster: &Cluster,
        kubelets: &[Kubelet],
        way: Way,
        path: &str,
    ) -> Result<Texts, String> {
        let clients = match way {
            Way::Direct => self.clients(cluster, kubelets).await?,
            Way::ApiServer => HashMap::new(),
        };
        let (limit, clients) = (self.limit, &clients);
        let asked = kubelets.iter().map(|kubelet| async move {
            let asked = async {
                match way {
                    Way::Direct => direct(clients, kubelet, path).await,
                    Way::ApiServer => through(cluster, kubelet, path).await,
                }
            };
            let late = |_| Err(format!("no answer within {}", humantime::format_duration(limit)));
            (kubelet.node.clone(), tokio::time::timeout(limit, asked).await.unwrap_or_else(late))
        });
        // Collected first: a lazy iterator of futures that borrow is not `Send`.
        let asked: Vec<_> = asked.collect();
        let answers: Vec<_> = stream::iter(asked).buffered(MAX_CONCURRENT).collect().await;
        sorted(answers).inspect_err(|_| self.clients.clear()).inspect(|(_, missing)| {
            if missing.is_some() {
                self.clients.clear();
            }
        })
    }

    /// A client for each kubelet that has an address.
    async fn clients(&mut self, cluster: &Cluster, kubelets: &[Kubelet]) -> Result<HashMap<String, Client>, String> {
        let mut known = std::mem::take(&mut self.clients);
        let mut config = None;
        for address in kubelets.iter().filter_map(|kubelet| kubelet.address.as_ref()) {
            let client = match known.remove(address) {
                Some(client) => client,
                None => {
                    let config = match &config {
                        Some(config) => config,
                        None => config.insert(cluster.config().await.map_err(|error| error.to_string())?),
                    };
                    client(config, address)?
                }
            };
            self.clients.insert(address.clone(), client);
        }
        Ok(self.clients.clone())
    }
}

/// A client with the identity that the API server knows, and the cluster's CA, which must vouch for the kubelet: it is sent a token.
fn client(of_cluster: &Config, address: &str) -> Result<Client, String> {
    let mut config = of_cluster.clone();
    config.cluster_url = Uri::builder()
        .scheme("https")
        .authority(address)
        .path_and_query("/")
        .build()
        .map_err(|error| format!("address {address}: {error}"))?;
    config.accept_invalid_certs = false;
    // These are about the API server.
    config.tls_server_name = None;
    config.proxy_url = None;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    Client::try_from(config).map_err(|error| failure::describe(&error))
}

async fn direct(clients: &HashMap<String, Client>, kubelet: &Kubelet, path: &str) -> Result<String, String> {
    let address = kubelet.address.as_deref().ok_or("the node has no address")?;
    let client = clients.get(address).ok_or("the node has no address")?;
    let request = Request::get(path).body(Vec::new()).map_err(|error| error.to_string())?;
    client.request_text(request).await.map_err(|error| format!("{address}: {}", describe(&error)))
}

async fn through(cluster: &Cluster, kubelet: &Kubelet, path: &str) -> Result<String, String> {
    let path = format!("/api/v1/nodes/{}/proxy{path}", kubelet.node);
    cluster.text(&path).await.map_err(|error| error.to_string())
}

/// Why a kubelet did not answer, with a remedy where one is known.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other errors are described by their chain")]
fn describe(error: &kube::Error) -> String {
    let text = match error {
        kube::Error::Api(status) if status.code == 401 => "the kubelet rejected the credentials (401)".to_owned(),
        kube::Error::Api(status) => format!("{} ({})", status.message.trim(), status.code),
        other => crate::error_chain::of(other),
    };
    // As rustls words it.
    if text.contains("invalid peer certificate") {
        return format!(
            "{text}: the cluster's CA must have signed the kubelet's certificate (serverTLSBootstrap in its configuration), \
             or install a metrics-server"
        );
    }
    text
}

fn sorted(answers: Vec<(String, Result<String, String>)>) -> Result<Texts, String> {
    let (asked, mut texts, mut first, mut failed) = (answers.len(), Vec::new(), None, 0_usize);
    for (node, answer) in answers {
        match answer {
            Ok(text) => texts.push((node, text)),
            Err(error) => {
                failed += 1;
                first.get_or_insert_with(|| format!("{node}: {error}"));
            }
        }
    }
    match first {
        Some(error) if texts.is_empty() => Err(error),
        Some(error) => Ok((texts, Some(format!("{failed} of {asked} missing, as {error}")))),
        None => Ok((texts, None)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kubelet_is_where_its_node_says() {
        let node = |status| {
            let node = json!({"metadata": {"name": "n"}, "status": status});
            Kubelet::of(&serde_json::from_value(node).unwrap()).unwrap().address
        };
        let of = |kind: &str, address: &str| json!({"type": kind, "address": address});
        // node.json.
        let recorded = json!({"addresses": [of("InternalIP", "10.88.77.1"), of("Hostname", "node1")],
                              "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}});
        assert_eq!(node(recorded).as_deref(), Some("10.88.77.1:10250"));
        let moved = json!({"addresses": [of("Hostname", "node1"), of("ExternalIP", "2001:db8::1")],
                           "daemonEndpoints": {"kubeletEndpoint": {"Port": 10260}}});
        assert_eq!(node(moved).as_deref(), Some("[2001:db8::1]:10260"));
        assert_eq!(node(json!({"addresses": [of("Hostname", "node1")]})).as_deref(), Some("node1:10250"));
        assert_eq!(node(json!({})), None);
    }

    #[test]
    fn kubelets_that_do_not_answer_are_missing_and_only_all_of_them_are_an_error() {
        let ok = |node: &str| (node.to_owned(), Ok("text".to_owned()));
        let failed = |node: &str| (node.to_owned(), Err("refused".to_owned()));
        let all = sorted(vec![ok("a"), ok("b")]).unwrap();
        assert_eq!((all.0.len(), all.1), (2, None));
        let some = sorted(vec![failed("a"), ok("b"), failed("c")]).unwrap();
        assert_eq!(some.0, [("b".to_owned(), "text".to_owned())]);
        assert_eq!(some.1.as_deref(), Some("2 of 3 missing, as a: refused"));
        assert_eq!(sorted(vec![failed("a"), failed("b")]).unwrap_err(), "a: refused");
    }
}
