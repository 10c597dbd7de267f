//! The platform itself: its gateway, its runs, and how they begin and end.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    capacity::{Capacity, Demand},
    gateway::Gateway,
    instance::Launcher,
    process::Processes,
    route,
    run::{self, ComingUp, Host, Run},
    settings::Settings,
    spec::Spec,
    workers::WorkerProcesses,
};
use crate::{
    clock::Clock,
    endpoint::Endpoint,
    id::{FunctionIndex, RunId},
    platform::{
        Allocate, Deploy, Deployment, Disturb, Embedded, FunctionDeployment, Platform, PlatformError, ScaleSample,
        WarmUp, Workers,
    },
};

/// The platform's name in a spec.
pub(super) const NAME: &str = "local";
/// Open files per instance: two pipes of its output, its process, a connection.
const FILES_PER_INSTANCE: u64 = 4;

/// The platform `local`: functions as processes of this machine.
pub struct Local {
    pub(super) settings: Settings,
    clock: Clock,
    address: SocketAddr,
    gateway: Arc<Gateway>,
    launcher: Arc<dyn Launcher>,
    /// The launcher again, if it is the real one, which has to be shut down.
    processes: Option<Arc<Processes>>,
    pub(super) capacity: Arc<Capacity>,
    /// Starts the workers of runs; absent: none can be started.
    workers: Option<WorkerProcesses>,
    runs: Mutex<Runs>,
}

/// Runs that have not been cleaned.
#[derive(Debug, Default)]
pub(super) struct Runs {
    by_id: HashMap<RunId, Arc<Run>>,
    /// By run, whether its instances are kept even when idle.
    pub(super) holds: HashMap<RunId, watch::Sender<bool>>,
    /// Whether the platform accepts no more runs.
    closed: bool,
}

/// Why the platform could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The gateway can't listen.
    #[error("the local platform cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The thread that starts instances can't be started.
    #[error("the local platform cannot start its thread: {0}")]
    Thread(#[source] io::Error),
    /// The size of the host's memory is unknown.
    #[error("the local platform cannot read the size of the host's memory: {0}")]
    Memory(#[from] sysinfo::Error),
}

impl Runs {
    /// A run that has not been cleaned.
    pub(super) fn run(&self, run: &RunId) -> Option<Arc<Run>> {
        self.by_id.get(run).cloned()
    }
}

impl Local {
    /// Starts the gateway. Must be called within a tokio runtime.
    pub async fn start(settings: Settings, clock: Clock) -> Result<Self, StartError> {
        let processes =
            Processes::start(settings.trace_func.clone(), settings.stop_grace).map_err(StartError::Thread)?;
        let processes = Arc::new(processes);
        let capacity = Capacity::new(settings.max_instances, settings.memory_mib()?);
        let mut local = Self::with(Arc::clone(&processes) as Arc<dyn Launcher>, capacity, settings, clock).await?;
        local.processes = Some(processes);
        Ok(local)
    }

    /// Workers of its runs are processes of this program: the daemon's own.
    pub fn with_workers(mut self, program: PathBuf) -> Self {
        self.workers = Some(WorkerProcesses::new(NAME, program));
        self
    }

    /// Where the gateway listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    async fn with(
        launcher: Arc<dyn Launcher>,
        capacity: Capacity,
        settings: Settings,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let gateway = Arc::new(Gateway {
            routes: Default::default(),
            request_timeout: settings.request_timeout,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        gateway.tasks.spawn(Arc::clone(&gateway).accept(listener));
        Ok(Self {
            settings,
            clock,
            address,
            gateway,
            launcher,
            processes: None,
            capacity: Arc::new(capacity),
            workers: None,
            runs: Mutex::default(),
        })
    }

    pub(super) fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn refusal_of(&self, reason: impl Into<String>) -> PlatformError {
        PlatformError::Platform { platform: NAME, reason: reason.into() }
    }

    /// The specs of the functions, unless they exceed the capacity.
    fn specs(&self, functions: &[FunctionDeployment]) -> Result<Vec<Spec>, PlatformError> {
        if let Some(launch_error) = self.launcher.launch_error() {
            return Err(self.refusal_of(launch_error));
        }
        let indices = (0..).map(FunctionIndex);
        let specs: Vec<Spec> =
            indices.zip(functions).map(|(index, function)| Spec::new(index, function, &self.settings)).collect();
        for spec in &specs {
            let demand = spec.demand();
            // Even one that starts at zero has to fit once it is called.
            if let Some(reason) = self.capacity.refusal([Demand { instances: demand.instances.max(1), ..demand }]) {
                return Err(PlatformError::Function { function: spec.name.clone(), reason });
            }
        }
        match self.capacity.refusal(specs.iter().map(Spec::demand)) {
            Some(reason) => Err(self.refusal_of(reason)),
            None => Ok(specs),
        }
    }

    /// Starts a run, unless it is deployed already.
    fn begin(
        &self,
        id: &RunId,
        specs: Vec<Spec>,
    ) -> Result<(Vec<ComingUp>, mpsc::Receiver<ScaleSample>), PlatformError> {
        let mut runs = self.runs();
        if runs.closed {
            return Err(self.refusal_of("shutting down"));
        }
        let held = runs.holds.get(id).map_or_else(|| watch::channel(false).1, watch::Sender::subscribe);
        match runs.by_id.entry(id.clone()) {
            Entry::Occupied(_) => Err(self.refusal_of(format!("run {id} is already deployed"))),
            Entry::Vacant(vacant) => {
                let host = Host {
                    gateway: &self.gateway,
                    launcher: &self.launcher,
                    capacity: &self.capacity,
                    start_timeout: self.settings.start_timeout,
                    clock: self.clock,
                };
                let (run, coming_up, scales) = Run::begin(&host, id, specs, held);
                vacant.insert(Arc::new(run));
                Ok((coming_up, scales))
            }
        }
    }
}

impl Drop for Local {
    /// Without a shutdown everything still ends, but is not awaited.
    fn drop(&mut self) {
        self.gateway.stop.cancel();
    }
}

#[tonic::async_trait]
impl Platform for Local {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn deploy(
        &self,
        deploy: Deploy,
        ready: watch::Sender<u32>,
        cancel: CancellationToken,
    ) -> Result<Deployment, PlatformError> {
        let (coming_up, scales) = self.begin(&deploy.run, self.specs(&deploy.functions)?)?;
        tokio::select! {
            came_up = run::all_up(coming_up, &ready) => came_up?,
            () = cancel.cancelled() => return Err(PlatformError::Cancelled),
        }
        let endpoint = |name: &str| Endpoint::plain(self.address.to_string(), route::authority(name, &deploy.run));
        let endpoints = deploy.functions.iter().map(|function| Ok(endpoint(&function.name))).collect();
        Ok(Deployment { endpoints, scales, starts: None })
    }

    async fn clean(&self, run: &RunId) -> Result<(), PlatformError> {
        if let Some(workers) = &self.workers {
            workers.stop(run, &CancellationToken::new()).await?;
        }
        let known = self.runs().by_id.get(run).cloned();
        if let Some(known) = known {
            self.gateway.routes.remove(&known.authorities);
            known.end().await;
            self.runs().by_id.remove(run);
        }
        self.runs().holds.remove(run);
        Ok(())
    }

    async fn release(&self, run: &RunId) -> Result<(), PlatformError> {
        self.clean(run).await
    }

    /// Always empty: functions end with the daemon at the latest.
    async fn left_behind(&self) -> Result<BTreeMap<RunId, usize>, PlatformError> {
        Ok(BTreeMap::new())
    }

    async fn shutdown(&self) {
        let runs: Vec<RunId> = {
            let mut runs = self.runs();
            runs.closed = true;
            runs.by_id.keys().cloned().collect()
        };
        if let Some(workers) = &self.workers {
            workers.shutdown().await;
        }
        // What is left of a run besides are files, which its clean-up at the next start removes.
        futures_util::future::join_all(runs.iter().map(|run| self.clean(run))).await;
        self.gateway.stop.cancel();
        self.gateway.tasks.close();
        self.gateway.tasks.wait().await;
        if let Some(processes) = &self.processes {
            processes.shutdown().await;
        }
    }

    fn warm_up(&self) -> Option<&dyn WarmUp> {
        Some(self)
    }

    fn allocate(&self) -> Option<&dyn Allocate> {
        Some(self)
    }

    fn disturb(&self) -> Option<&dyn Disturb> {
        Some(self)
    }

    fn workers(&self) -> Option<&dyn Workers> {
        self.workers.as_ref().map(|workers| workers as &dyn Workers)
    }

    fn embedded(&self) -> Option<&dyn Embedded> {
        Some(self)
    }
}

impl Embedded for Local {
    /// This process has both ends of the connections.
    fn open_files(&self, instances: u64, connections: u64) -> u64 {
        let instances = instances.min(self.settings.max_instances.into());
        connections.saturating_add(instances.saturating_mul(FILES_PER_INSTANCE))
    }
}

#[cfg(test)]
mod tests;
