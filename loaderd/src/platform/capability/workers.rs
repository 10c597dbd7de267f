//! Platforms on which the workers of a run can be started: processes `loaderd worker`, each of which sends a share of the run's plan.

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{id::RunId, platform::error::PlatformError};

/// Starts workers, reports what becomes of them, and ends them.
///
/// ```text
/// start ─▶ Pending* ─▶ Running ─▶ Ending ─▶ Gone
///             └───────────┴─────────────────▲
/// ```
#[tonic::async_trait]
pub trait Workers: Send + Sync {
    /// Why this daemon starts no workers on the platform, and what to configure; absent when it does.
    fn refusal(&self) -> Option<String>;

    /// Where the workers of a run reach their coordinator.
    fn listen(&self) -> CoordinatorListen;

    /// Checks before anything is deployed that workers can be started there: settings and permissions.
    async fn check(&self) -> Result<(), PlatformError>;

    /// Starts the workers of a run. Their news are sent until the receiver is closed, or they are stopped; a worker that is gone is not
    /// started again.
    ///
    /// After a failed start the caller calls [`Workers::stop`].
    async fn start(&self, request: StartWorkers, news: mpsc::Sender<WorkerNews>) -> Result<(), PlatformError>;

    /// Ends the workers of a run, and waits some seconds until nothing of them is left, unless there is a `hurry`. What takes longer,
    /// as on a node that is away, goes on without this daemon. Idempotent; also for runs of an earlier process.
    async fn stop(&self, run: &RunId, hurry: &CancellationToken) -> Result<(), PlatformError>;
}

/// Where a coordinator listens for the workers of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoordinatorListen {
    /// The address; port 0 picks a free one.
    pub address: SocketAddr,
    /// Whether connections are secured: workers come from other machines.
    pub tls: bool,
    /// `host:port` by which workers reach it; absent where that is the address at which it came to listen.
    pub advertise: Option<String>,
}

/// The workers to start.
#[derive(Clone, PartialEq, Eq)]
pub struct StartWorkers {
    /// The run, whose id everything of them carries.
    pub run: RunId,
    /// How many, at least 1: their indexes are 0 to `count - 1`.
    pub count: u32,
    /// `host:port` of the coordinator.
    pub coordinator: String,
    /// By which the coordinator knows the run's workers. Secret: it goes into files that only they can read.
    pub token: Arc<str>,
    /// The certificate of the coordinator's CA (PEM); absent without TLS.
    pub ca_pem: Option<String>,
    /// On which nodes they run, where there are several.
    pub placement: WorkerPlacement,
    /// What each has, where that can be granted.
    pub resources: WorkerResources,
}

impl fmt::Debug for StartWorkers {
    /// Without the token, so that no log has it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, count, coordinator, token: _, ca_pem: _, placement, resources } = self;
        let mut shown = formatter.debug_struct("StartWorkers");
        shown.field("run", run).field("count", count).field("coordinator", coordinator);
        shown.field("placement", placement).field("resources", resources).finish_non_exhaustive()
    }
}

/// On which nodes workers run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkerPlacement {
    /// Labels that their nodes must have.
    pub node_selector: BTreeMap<String, String>,
    /// Whether a node may have both workers and functions of the run.
    pub with_functions: NodeSharing,
    /// Whether a node may have two workers of the run.
    pub with_workers: NodeSharing,
}

/// Whether a node may be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NodeSharing {
    /// Not while there are other nodes.
    #[default]
    Avoid,
    /// In no case.
    Never,
    /// As the scheduler likes.
    Allow,
}

/// The resources of a worker: what it requests, which is also its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerResources {
    /// Thousandths of a processor.
    pub cpu_millicores: u32,
    /// Memory, in MiB.
    pub memory_mib: u32,
}

/// What has become of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerNews {
    /// Its index.
    pub index: u32,
    /// Its state.
    pub state: WorkerState,
}

/// The state of a worker, as the platform sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerState {
    /// It has not started, for this reason.
    Pending(String),
    /// Its process runs.
    Running {
        /// The machine that it runs on.
        node: String,
        /// The name of its pod; empty outside clusters.
        pod: String,
    },
    /// Its process was told to end, or will be. It may still hand over what it has.
    Ending {
        /// Why, such as `EvictionByEvictionAPI: …`.
        reason: String,
    },
    /// Its process has ended, and everything that it kept with it.
    Gone {
        /// How, such as `killed by signal 9`, `OOMKilled` or `Evicted: …`.
        reason: String,
    },
}
