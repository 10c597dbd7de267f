//! Disturbances on purpose: what is done to a platform while a load goes, to measure how it recovers. Pure.

use std::{fmt, time::Duration};

/// A disturbance of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disturbance {
    /// When it is due, from the start of the load.
    pub at: Duration,
    /// What is done.
    pub action: Action,
}

/// What is done to a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Pods are deleted.
    DeletePods {
        /// Which pods.
        of: Target,
        /// How many of them.
        count: Count,
    },
    /// Deployments have no replicas for a while.
    ScaleToZero {
        /// Which Deployments.
        of: Target,
        /// For how long.
        lasting: Lasting,
    },
    /// A node takes no new pods for a while.
    Cordon {
        /// The name of the node.
        node: String,
        /// For how long.
        lasting: Lasting,
    },
    /// A node takes no new pods for a while, and those that it has are evicted.
    Drain {
        /// The name of the node.
        node: String,
        /// For how long.
        lasting: Lasting,
    },
    /// The pods of Deployments are replaced by new ones.
    Restart {
        /// Which Deployments.
        of: Target,
    },
    /// Instances are killed.
    KillInstances {
        /// How many of them.
        count: Count,
    },
    /// Instances stand still for a while.
    PauseInstances {
        /// How many of them.
        count: Count,
        /// For how long.
        lasting: Lasting,
    },
    /// No instance is started for a while.
    RefuseStarts {
        /// For how long.
        lasting: Lasting,
    },
}

/// How long a change lasts; absent: until the last invocation was sent.
pub type Lasting = Option<Duration>;

/// What is disturbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A component of the platform.
    Component(Component),
    /// What serves this run's functions.
    Functions,
    /// What a label selector selects in a namespace.
    Selected {
        /// The namespace.
        namespace: String,
        /// The label selector.
        selector: String,
    },
}

/// A component of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// It holds invocations until there is an instance.
    Activator,
    /// It decides on scales.
    Autoscaler,
    /// It makes instances of what is deployed.
    Controller,
    /// Invocations come in through it.
    Gateway,
}

impl Component {
    /// All components.
    pub const ALL: [Self; 4] = [Self::Activator, Self::Autoscaler, Self::Controller, Self::Gateway];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activator => "activator",
            Self::Autoscaler => "autoscaler",
            Self::Controller => "controller",
            Self::Gateway => "gateway",
        }
    }
}

/// A number of pods or instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many, the oldest ones; fewer where there are fewer.
    Number(u32),
    /// All that there are.
    All,
}

impl Count {
    /// The number of things that are taken of `available`.
    pub fn of(self, available: usize) -> usize {
        match self {
            Self::Number(count) => available.min(count as usize),
            Self::All => available,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(count) => write!(f, "{count}"),
            Self::All => f.write_str("all"),
        }
    }
}

/// The kind of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Action::DeletePods`].
    DeletePods,
    /// [`Action::ScaleToZero`].
    ScaleToZero,
    /// [`Action::Cordon`].
    Cordon,
    /// [`Action::Drain`].
    Drain,
    /// [`Action::Restart`].
    Restart,
    /// [`Action::KillInstances`].
    KillInstances,
    /// [`Action::PauseInstances`].
    PauseInstances,
    /// [`Action::RefuseStarts`].
    RefuseStarts,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::DeletePods,
        Self::ScaleToZero,
        Self::Cordon,
        Self::Drain,
        Self::Restart,
        Self::KillInstances,
        Self::PauseInstances,
        Self::RefuseStarts,
    ];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeletePods => "deletePods",
            Self::ScaleToZero => "scaleToZero",
            Self::Cordon => "cordon",
            Self::Drain => "drain",
            Self::Restart => "restart",
            Self::KillInstances => "killInstances",
            Self::PauseInstances => "pauseInstances",
            Self::RefuseStarts => "refuseStarts",
        }
    }

    /// What undoes it, for people.
    pub const fn undone_by(self) -> &'static str {
        match self {
            Self::DeletePods => "nothing: their controllers make new ones",
            Self::ScaleToZero => "the replicas from before",
            Self::Cordon => "uncordoning the node",
            Self::Drain => "uncordoning the node; evicted pods stay where they went",
            Self::Restart => "nothing: the new pods take over",
            Self::KillInstances => "nothing: new ones start on demand",
            Self::PauseInstances => "resuming them",
            Self::RefuseStarts => "allowing starts",
        }
    }
}

impl Action {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::DeletePods { .. } => Kind::DeletePods,
            Self::ScaleToZero { .. } => Kind::ScaleToZero,
            Self::Cordon { .. } => Kind::Cordon,
            Self::Drain { .. } => Kind::Drain,
            Self::Restart { .. } => Kind::Restart,
            Self::KillInstances { .. } => Kind::KillInstances,
            Self::PauseInstances { .. } => Kind::PauseInstances,
            Self::RefuseStarts { .. } => Kind::RefuseStarts,
        }
    }

    /// How long it lasts; absent for an action that is over once it was carried out.
    pub const fn lasting(&self) -> Option<Lasting> {
        match self {
            Self::ScaleToZero { lasting, .. }
            | Self::Cordon { lasting, .. }
            | Self::Drain { lasting, .. }
            | Self::PauseInstances { lasting, .. }
            | Self::RefuseStarts { lasting } => Some(*lasting),
            Self::DeletePods { .. } | Self::Restart { .. } | Self::KillInstances { .. } => None,
        }
    }

    /// What it is done to, for people and records, such as `1 of activator` or `node worker-2`.
    pub fn target(&self) -> String {
        match self {
            Self::DeletePods { of, count } => format!("{count} of {of}"),
            Self::ScaleToZero { of, .. } | Self::Restart { of } => of.to_string(),
            Self::Cordon { node, .. } | Self::Drain { node, .. } => format!("node {node}"),
            Self::KillInstances { count } | Self::PauseInstances { count, .. } => format!("{count} of functions"),
            Self::RefuseStarts { .. } => Target::Functions.to_string(),
        }
    }
}

/// Most names of objects in a text.
const MOST_NAMED: usize = 20;

/// Names of objects as text: the first ones, and how many more there are.
pub fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(MOST_NAMED).map(String::as_str).collect();
    let more = names.len() - shown.len();
    let shown = shown.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(component) => f.write_str(component.as_str()),
            Self::Functions => f.write_str("functions"),
            Self::Selected { namespace, selector } => write!(f, "{selector} in {namespace}"),
        }
    }
}
