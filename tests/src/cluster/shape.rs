//! How a cluster is made, where it is not as the recorded one: another ingress, TLS, more nodes, a token in a file.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use super::{NAMESPACE, pod::NODE};

/// How a cluster is made.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// The ingress of Knative.
    pub ingress: Ingress,
    /// Whether functions are reached by https, with the certificate in `Cluster::gateway_ca`.
    pub tls: bool,
    /// Nodes beside the control plane, each with the next address of loopback.
    pub workers: u8,
    /// Whether the kubeconfig names a file that has the token.
    pub token_file: bool,
}

/// An ingress of Knative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ingress {
    /// `kourier-service.json`.
    #[default]
    Kourier,
    /// Not recorded: namespace, name and ports are those of Istio's own installation, which Knative's uses.
    Istio,
    /// Not recorded: namespace and name are those of Knative's documentation of Contour.
    Contour,
}

impl Ingress {
    /// Namespace and name of its Service.
    pub(super) const fn service(self) -> [&'static str; 2] {
        match self {
            Self::Kourier => ["kourier-system", "kourier"],
            Self::Istio => ["istio-system", "istio-ingressgateway"],
            Self::Contour => ["contour-external", "envoy"],
        }
    }

    /// Its Service, with the node ports of http and https.
    pub(super) fn object(self, plain: u16, secured: u16) -> Value {
        let [namespace, name] = self.service();
        let port = |name: &str, port: u16, target: u16, node_port: u16| json!({"name": name, "nodePort": node_port, "port": port, "protocol": "TCP", "targetPort": target});
        let mut ports = match self {
            Self::Kourier => vec![port("http2", 80, 8080, plain), port("https", 443, 8443, secured)],
            // Its first port is that of the probes; nothing of this machine listens there.
            Self::Istio => vec![
                port("status-port", 15021, 15021, 1),
                port("http2", 80, 8080, plain),
                port("https", 443, 8443, secured),
            ],
            Self::Contour => vec![port("http", 80, 8080, plain), port("https", 443, 8443, secured)],
        };
        ports.retain(|port| port["nodePort"] != 0);
        let policy = if self == Self::Contour { "Local" } else { "Cluster" };
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
            "spec": {"type": "LoadBalancer", "clusterIP": "127.0.0.1", "externalTrafficPolicy": policy, "ports": ports},
            "status": {"loadBalancer": {}},
        })
    }
}

impl Shape {
    /// The names of all nodes.
    pub(super) fn node_names(&self) -> Vec<String> {
        let workers = (1..=self.workers).map(|number| format!("knative-worker-{number}"));
        [NODE.to_owned()].into_iter().chain(workers).collect()
    }

    /// The nodes: `node.json`. Functions are kept from the control plane where there are others.
    pub(super) fn nodes(&self) -> Vec<Value> {
        let amounts = json!({"cpu": "2", "memory": "8123456Ki", "pods": "110"});
        let node = |(index, name): (usize, String)| {
            let mut labels = json!({"kubernetes.io/hostname": name});
            let mut spec = json!({});
            if index == 0 {
                labels["node-role.kubernetes.io/control-plane"] = json!("");
                if self.workers > 0 {
                    spec =
                        json!({"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]});
                }
            }
            json!({
                "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec,
                "status": {"addresses": [{"type": "InternalIP", "address": format!("127.0.0.{}", index + 1)}],
                           "allocatable": amounts, "capacity": amounts},
            })
        };
        self.node_names().into_iter().enumerate().map(node).collect()
    }

    /// The address of the only node that has a pod of the gateway, the last one.
    pub(super) fn gateway_node(&self) -> [u8; 4] {
        [127, 0, 0, self.workers + 1]
    }

    /// The node of the pod with a number: the nodes for functions take turns.
    pub(super) fn node_of(&self, pod: &str) -> String {
        let nodes = self.node_names();
        let number: usize = pod.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        match nodes.as_slice() {
            [only] => only.clone(),
            [_, workers @ ..] => workers[number % workers.len()].clone(),
            [] => NODE.to_owned(),
        }
    }
}

/// The gateway's side of TLS, and the certificate (PEM) that clients are to trust.
pub(super) fn secured() -> (TlsAcceptor, String) {
    let names = [format!("*.{NAMESPACE}.example.com")];
    let signed = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("has versions")
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key);
    let mut config = config.expect("they belong together");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (TlsAcceptor::from(Arc::new(config)), signed.cert.pem())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_spread_over_the_workers() {
        let shape = Shape { workers: 2, ..Shape::default() };
        let nodes = ["f-7d-00001", "f-7d-00002", "f-7d-00003"].map(|pod| shape.node_of(pod));
        assert_eq!(nodes, ["knative-worker-2", "knative-worker-1", "knative-worker-2"]);
        assert_eq!(Shape::default().node_of("f-7d-00001"), NODE);
    }
}
