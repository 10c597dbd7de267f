//! How the platform is set up.

use std::{collections::BTreeMap, path::PathBuf};

use super::cluster::Access;
use crate::scrape::Prometheus;

/// How the platform is set up.
#[derive(Clone, Default)]
pub struct Settings {
    /// How the API server is found.
    pub access: Access,
    /// Where functions are deployed; absent: the namespace of the kubeconfig's context.
    pub namespace: Option<String>,
    /// The functions' image, where a spec names none.
    pub image: Option<String>,
    /// `host:port` of the ingress; absent: it is looked for.
    pub gateway: Option<String>,
    /// The authority (PEM) that vouches for the ingress, where functions are reached by https; absent: those that this machine
    /// believes.
    pub gateway_ca: Option<PathBuf>,
    /// A manifest for functions of every kind; absent: those that the daemon brings.
    pub manifest: Option<PathBuf>,
    /// Labels of the nodes that functions go to; needs Knative's feature `kubernetes.podspec-nodeselector`.
    pub node_selector: BTreeMap<String, String>,
    /// A Prometheus that scrapes the cluster.
    pub prometheus: Option<Prometheus>,
}
