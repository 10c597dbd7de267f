//! `[local]`, `[knative]` and `[workers]`: the platforms.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use toml::de::DeValue;

use super::{
    read::{FromToml, Section, named},
    workers::Workers,
};
use crate::units;

/// Default maximum of instances for each processor core.
const INSTANCES_PER_CORE: u32 = 8;

/// The sections of the platforms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlatformSections {
    /// `[local]`: the local platform.
    pub local: Local,
    /// `[knative]`: a Knative cluster.
    pub knative: Knative,
    /// `[workers]`: workers of runs on other machines.
    pub workers: Workers,
}

impl PlatformSections {
    pub(super) fn read(&mut self, file: &mut Section<'_>) {
        file.section("local", |section| self.local.read(section));
        file.section("knative", |section| self.knative.read(section));
        file.section("workers", |section| self.workers.read(section));
    }

    /// What is wrong with the values together.
    pub(super) fn check(&self) -> Vec<String> {
        self.workers.check()
    }

    /// Each section, and whether it differs from that of `new`.
    pub(super) fn differences(&self, new: &Self) -> impl Iterator<Item = (&'static str, bool)> {
        let Self { local, knative, workers } = self;
        [
            ("[local]", *local != new.local),
            ("[knative]", *knative != new.knative),
            ("[workers]", *workers != new.workers),
        ]
        .into_iter()
    }
}

/// `[local]`: the local platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Local {
    /// The function server; `None`: `trace-func` next to `loaderd`, else on the PATH.
    pub trace_func: Option<PathBuf>,
    /// Most instances at once, over all functions.
    pub max_instances: u32,
    /// Maximum share of the host's memory for all instances, 0.01 to 1.
    pub memory_ratio: f64,
    /// How long an idle instance is kept.
    pub stable_window: Duration,
    /// How long an instance may take to start.
    pub start_timeout: Duration,
}

impl Local {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("trace_func", &mut self.trace_func);
        section.take_within("max_instances", &mut self.max_instances, 1..=100_000);
        section.take_within("memory_ratio", &mut self.memory_ratio, 0.01..=1.0);
        section.take("stable_window", &mut self.stable_window);
        section.take("start_timeout", &mut self.start_timeout);
    }
}

impl Default for Local {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            trace_func: None,
            max_instances: units::to_u32(cores).saturating_mul(INSTANCES_PER_CORE),
            memory_ratio: 0.8,
            stable_window: Duration::from_secs(30),
            start_timeout: Duration::from_secs(10),
        }
    }
}

/// `[knative]`: a Knative cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Knative {
    /// The kubeconfig; `None`: that of the environment, or of the daemon's pod.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; `None`: the current one.
    pub context: Option<String>,
    /// The namespace of functions; `None`: that of the context.
    pub namespace: Option<String>,
    /// The image of functions whose spec names none.
    pub image: Option<String>,
    /// `host:port` of the ingress; `None`: it is discovered.
    pub gateway: Option<String>,
    /// The CA of the ingress certificate; `None`: the CAs of the system.
    pub gateway_ca: Option<PathBuf>,
    /// A manifest for functions of every kind; `None`: the built-in ones.
    pub manifest: Option<PathBuf>,
    /// Labels of the nodes for functions.
    pub node_selector: Labels,
    /// Whether runs may disturb the cluster on purpose.
    pub disturb: bool,
}

impl Knative {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("kubeconfig", &mut self.kubeconfig);
        section.take("context", &mut self.context);
        section.take("namespace", &mut self.namespace);
        section.take("image", &mut self.image);
        section.take("gateway", &mut self.gateway);
        section.take("gateway_ca", &mut self.gateway_ca);
        section.take("manifest", &mut self.manifest);
        section.take("node_selector", &mut self.node_selector);
        section.take("disturb", &mut self.disturb);
    }
}

/// Labels and their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(pub BTreeMap<String, String>);

impl FromToml for Labels {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        let wanted = "labels such as { \"kind\" = \"worker\" }";
        let label = |name, value: &DeValue<'_>| Some((name, value.as_str()?.to_owned()));
        named(value, label).map(|labels| Self(labels.into_iter().collect())).ok_or(wanted)
    }
}
