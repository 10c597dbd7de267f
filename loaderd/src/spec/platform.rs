//! The platforms that a spec can name, and what differs between them before anything is deployed.

use crate::disturbance::Kind;

/// The platform that a run uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlatformKind {
    /// Processes on this machine.
    Local,
    /// Knative Services of a cluster.
    Knative,
    /// Functions that were deployed by other means.
    Attach,
}

/// What a spec can set on a platform, and what its numbers mean there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// Its name in a spec.
    pub name: &'static str,
    /// The spec names the functions' endpoints (`attach.targets`), instead of having them deployed.
    pub named_targets: bool,
    /// CPU and memory are requested and limited for each instance (`deploy.cpuLimit`, `deploy.overcommitment`).
    pub instance_resources: bool,
    /// Open files are estimated for one address, a cluster's ingress, instead of one for each function. (The local platform's
    /// gateway is one address too, and is estimated on the safe side.)
    pub one_address: bool,
    /// The disturbances that it knows (`disturb`).
    pub disturbances: &'static [Kind],
}

/// Disturbances of processes.
const OF_PROCESSES: [Kind; 3] = [Kind::KillInstances, Kind::PauseInstances, Kind::RefuseStarts];

/// Disturbances of clusters.
const OF_CLUSTERS: [Kind; 5] = [Kind::DeletePods, Kind::ScaleToZero, Kind::Cordon, Kind::Drain, Kind::Restart];

impl PlatformKind {
    /// All platforms.
    pub const ALL: [Self; 3] = [Self::Local, Self::Knative, Self::Attach];

    /// The table of the platforms' features.
    pub const fn features(self) -> Features {
        let plain = Features {
            name: "",
            named_targets: false,
            instance_resources: false,
            one_address: false,
            disturbances: &[],
        };
        match self {
            Self::Local => Features { name: "local", disturbances: &OF_PROCESSES, ..plain },
            Self::Knative => Features {
                name: "knative",
                instance_resources: true,
                one_address: true,
                disturbances: &OF_CLUSTERS,
                ..plain
            },
            Self::Attach => Features { name: "attach", named_targets: true, ..plain },
        }
    }

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        self.features().name
    }
}
