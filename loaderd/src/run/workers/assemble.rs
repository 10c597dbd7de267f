//! Workers from their assignment until all are ready.

use std::sync::Arc;

use tokio::task::JoinError;

use crate::{
    clock::Clock,
    dispatch::Phases,
    id::RunId,
    plan::{Request, Shares, fingerprint},
    platform::{NodeSharing, Platform, StartWorkers, WorkerPlacement, WorkerResources},
    run::{
        Interrupts, LoadSettings, Planner,
        deploy::Deployed,
        failure::{Failure, Verdict},
    },
    spec::{Placement, RunSpec, Sharing, Workers},
    store::SubmittedSpec,
    workers::{
        Assigned, Coordinated, Coordination, Limits, Listening, MOST_PENDING, PlanAgain, PlanFacts, Times, TraceFiles,
    },
};

/// What a run's workers are assembled from.
pub(in crate::run) struct Assembly<'a> {
    pub(in crate::run) run: &'a RunId,
    pub(in crate::run) spec: &'a RunSpec,
    pub(in crate::run) workers: &'a Workers,
    pub(in crate::run) submitted: &'a SubmittedSpec,
    pub(in crate::run) platform: &'a dyn Platform,
    pub(in crate::run) planner: &'a Arc<Planner>,
    pub(in crate::run) facts: PlanFacts,
    pub(in crate::run) shares: Shares,
    pub(in crate::run) deployed: &'a Deployed,
    pub(in crate::run) load: &'a LoadSettings,
    pub(in crate::run) phases: Phases,
    /// Where the workers connect.
    pub(in crate::run) listening: Listening,
    pub(in crate::run) clock: Clock,
}

impl Assembly<'_> {
    /// Starts the workers, and waits until all are ready, or the run is ended early. `waiting` gets what is waited for.
    ///
    /// # Errors
    /// How the run ends instead. Workers that were started are the caller's to stop.
    pub(in crate::run) async fn assemble(
        self,
        interrupts: &Interrupts,
        waiting: impl Fn(String),
    ) -> Result<Coordination, Verdict> {
        tokio::select! {
            biased;
            () = interrupts.cancel.cancelled() => Err(Verdict::Cancelled),
            () = interrupts.shutdown.cancelled() => Err(Verdict::Interrupted),
            ready = self.all_ready(waiting) => Ok(ready?),
        }
    }

    async fn all_ready(self, waiting: impl Fn(String)) -> Result<Coordination, Failure> {
        let request = self.submitted.checked.clone().map_err(Failure::Spec)?;
        let starts = self.platform.workers().ok_or_else(|| Failure::NoPlatform(self.spec.platform))?;
        let (plan_hash, trace) = self.read_again(&request).await?;
        let (run, count) = (self.run.clone(), self.workers.count);
        let coordinated = Coordinated {
            run: self.run,
            workers: self.workers,
            seed: self.spec.seed,
            facts: self.facts.clone(),
            plan_again: plan_again(self.planner, &request),
            assigned: self.assigned(plan_hash),
            trace,
            phases: self.phases.clone(),
            scales: Arc::clone(&self.deployed.scale_state),
            times: Times::of(self.workers.orphan_timeout),
            most_pending: MOST_PENDING,
            clock: self.clock,
        };
        let mut coordination = Coordination::serve(coordinated, self.listening);
        let request = StartWorkers {
            run,
            count,
            coordinator: coordination.address().to_owned(),
            token: coordination.token().secret(),
            ca_pem: coordination.ca_pem().map(str::to_owned),
            placement: placement(&self.workers.placement),
            resources: WorkerResources {
                cpu_millicores: self.workers.resources.millicores,
                memory_mib: self.workers.resources.memory_mib,
            },
        };
        starts.start(request, coordination.news()).await.map_err(Failure::StartingWorkers)?;
        let show = |ready: usize, reason: &str| {
            let separator = if reason.is_empty() { "" } else { "; " };
            waiting(format!("workers: {ready} of {count} are ready{separator}{reason}"));
        };
        coordination.ready(count, self.workers.start_timeout, show).await.map_err(Failure::WorkersNotReady)?;
        waiting(String::new());
        Ok(coordination)
    }

    /// Reads the trace, for its hash, and makes the plan once more, for its own.
    async fn read_again(&self, request: &Arc<Request>) -> Result<([u8; 32], Option<TraceFiles>), Failure> {
        let (planner, request) = (Arc::clone(self.planner), Arc::clone(request));
        let read = move || {
            let plan_hash = fingerprint(planner.plan_again(&request)?);
            let open = planner.trace_source(&request);
            Ok((plan_hash, open.map(TraceFiles::read_all).transpose()?))
        };
        let read: Result<Result<_, String>, JoinError> = tokio::task::spawn_blocking(read).await;
        read.map_err(Failure::PreparingPanicked)?.map_err(Failure::PlanningAgain)
    }

    fn assigned(&self, plan_hash: [u8; 32]) -> Assigned {
        let Deployed { names, endpoints, .. } = self.deployed;
        // A platform has one way for all of its functions.
        let roots_pem = endpoints.iter().flatten().find_map(|endpoint| endpoint.tls.as_ref()?.roots_pem.as_deref());
        let functions = names.iter().cloned().zip(endpoints.iter().map(|it| it.as_ref().ok().cloned()));
        Assigned {
            spec: self.submitted.message.clone(),
            default_platform: self.spec.platform.as_str().to_owned(),
            workers: self.workers.count,
            shares: self.shares.clone(),
            functions: functions.collect(),
            plan_hash,
            limits: Limits {
                in_flight: self.spec.max_in_flight,
                memory_in_flight_mib: self.spec.max_memory_in_flight_mib,
                sending_threads: self.load.workers,
                connections: self.load.connections,
            },
            orphan_timeout: self.workers.orphan_timeout,
            function_roots_pem: roots_pem.map(<[u8]>::to_vec).unwrap_or_default(),
        }
    }
}

fn plan_again(planner: &Arc<Planner>, request: &Arc<Request>) -> PlanAgain {
    let (planner, request) = (Arc::clone(planner), Arc::clone(request));
    Arc::new(move || planner.plan_again(&request))
}

fn placement(placement: &Placement) -> WorkerPlacement {
    let Placement { node_selector, with_functions, with_workers } = placement;
    let sharing = |sharing: Sharing| match sharing {
        Sharing::Avoid => NodeSharing::Avoid,
        Sharing::Never => NodeSharing::Never,
        Sharing::Allow => NodeSharing::Allow,
    };
    WorkerPlacement {
        node_selector: node_selector.clone(),
        with_functions: sharing(*with_functions),
        with_workers: sharing(*with_workers),
    }
}
