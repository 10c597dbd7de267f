//! The settings of the platform.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use super::cluster::Access;
use crate::scrape::Prometheus;

/// The settings of the platform.
#[derive(Clone, Default)]
pub struct Settings {
    /// How the API server is found.
    pub access: Access,
    /// Where functions are deployed; absent: the namespace of the kubeconfig's context.
    pub namespace: Option<String>,
    /// The functions' image, where a spec names none.
    pub image: Option<String>,
    /// `host:port` of the ingress; absent: it is searched for.
    pub gateway: Option<String>,
    /// The CA certificate (PEM) of the ingress, where functions are reached by https; absent: those that this machine trusts.
    pub gateway_ca: Option<PathBuf>,
    /// A manifest for functions of every kind; absent: the built-in ones.
    pub manifest: Option<PathBuf>,
    /// Labels of the nodes that functions go to; needs Knative's feature `kubernetes.podspec-nodeselector`.
    pub node_selector: BTreeMap<String, String>,
    /// Whether runs may disturb the cluster on purpose.
    pub disturb: bool,
    /// A Prometheus that scrapes the cluster.
    pub prometheus: Option<Prometheus>,
    /// The workers of runs.
    pub workers: WorkerSettings,
}

/// The settings of workers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerSettings {
    /// Where their coordinator listens; absent: runs have none.
    pub listen: Option<SocketAddr>,
    /// `host:port` by which pods reach it; absent: the address itself.
    pub advertise: Option<String>,
    /// Their image, which is the daemon's.
    pub image: Option<String>,
}
