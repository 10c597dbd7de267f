//! Names and labels of the exported series. Labels are bounded: functions and runs are none, but for the one
//! run that is active.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::sync::atomic::AtomicU64;

use super::{
    durations::Durations,
    histograms::{Histograms, times},
};

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct BuildLabels {
    pub(super) version: &'static str,
    pub(super) revision: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct RunInfo {
    pub(super) run_id: String,
    pub(super) mode: String,
    pub(super) platform: String,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct StateLabel {
    pub(super) state: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct PhaseLabel {
    pub(super) phase: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub(super) status: String,
    pub(super) cold_start: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct SideLabel {
    pub(super) side: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct SourceLabel {
    pub(super) source: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct StageLabel {
    pub(super) stage: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct NodeLabels {
    pub(super) node: String,
    pub(super) role: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ExpectationLabel {
    pub(super) expectation: String,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct WorkerLabel {
    pub(super) worker: u16,
}

/// A gauge of fractions.
pub(super) type Fraction = Gauge<f64, AtomicU64>;

/// All series that the daemon exports.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) build: Family<BuildLabels, Gauge>,
    pub(super) run: Family<RunInfo, Gauge>,
    pub(super) runs: Family<StateLabel, Counter>,
    pub(super) disturbances: Family<StageLabel, Counter>,
    pub(super) queued: Gauge,
    pub(super) phase: Family<PhaseLabel, Gauge>,
    pub(super) target_rate: Fraction,
    pub(super) scheduled: Counter,
    pub(super) sent: Counter,
    pub(super) completed: Family<OutcomeLabels, Counter>,
    pub(super) in_flight: Gauge,
    pub(super) memory_in_flight: Gauge,
    pub(super) durations: Durations,
    pub(super) stalls: Family<SideLabel, Counter>,
    pub(super) saturated: Gauge,
    pub(super) open_loop_violated: Gauge,
    pub(super) expectation_met: Family<ExpectationLabel, Gauge>,
    pub(super) connections: Family<StateLabel, Gauge>,
    pub(super) records_written: Counter,
    pub(super) records_queued: Gauge,
    pub(super) scrape_duration: Histograms<SourceLabel>,
    pub(super) scrape_errors: Family<SourceLabel, Counter>,
    pub(super) pods: Family<StateLabel, Gauge>,
    pub(super) activator_queue: Gauge,
    pub(super) node_cpu_ratio: Family<NodeLabels, Fraction>,
    pub(super) node_memory_ratio: Family<NodeLabels, Fraction>,
    pub(super) node_pods: Family<NodeLabels, Gauge>,
    pub(super) worker_up: Family<WorkerLabel, Gauge>,
    pub(super) worker_due: Family<WorkerLabel, Gauge>,
    pub(super) worker_sent: Family<WorkerLabel, Gauge>,
    pub(super) worker_in_flight: Family<WorkerLabel, Gauge>,
    pub(super) worker_own_lag: Family<WorkerLabel, Fraction>,
    pub(super) worker_clock_error: Family<WorkerLabel, Fraction>,
    pub(super) workers_lost: Gauge,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            build: Family::default(),
            run: Family::default(),
            runs: Family::default(),
            disturbances: Family::default(),
            queued: Gauge::default(),
            phase: Family::default(),
            target_rate: Fraction::default(),
            scheduled: Counter::default(),
            sent: Counter::default(),
            completed: Family::default(),
            in_flight: Gauge::default(),
            memory_in_flight: Gauge::default(),
            durations: Durations::default(),
            stalls: Family::default(),
            saturated: Gauge::default(),
            open_loop_violated: Gauge::default(),
            expectation_met: Family::default(),
            connections: Family::default(),
            records_written: Counter::default(),
            records_queued: Gauge::default(),
            scrape_duration: Family::new_with_constructor(times),
            scrape_errors: Family::default(),
            pods: Family::default(),
            activator_queue: Gauge::default(),
            node_cpu_ratio: Family::default(),
            node_memory_ratio: Family::default(),
            node_pods: Family::default(),
            worker_up: Family::default(),
            worker_due: Family::default(),
            worker_sent: Family::default(),
            worker_in_flight: Family::default(),
            worker_own_lag: Family::default(),
            worker_clock_error: Family::default(),
            workers_lost: Gauge::default(),
        }
    }
}

impl Series {
    /// Registers the series under their names. A registry adds `_total` to the names of counters.
    pub(super) fn register(&self, registry: &mut Registry) {
        let loader = registry.sub_registry_with_prefix("loader");
        loader.register("build_info", "Version of the daemon; always 1", self.build.clone());
        loader.register("run_info", "The active run; 1 while a run is active", self.run.clone());
        loader.register("runs", "Runs that have ended, by state", self.runs.clone());
        let help = "Disturbances of runs that were carried out (begin) and undone (end)";
        loader.register("disturbances", help, self.disturbances.clone());
        loader.register("runs_queued", "Runs in the queue", self.queued.clone());
        loader.register("run_phase", "Phase of the active run: 1 for the one it is in", self.phase.clone());
        let help = "Target rate of the current slot, in invocations per second";
        loader.register("target_rate", help, self.target_rate.clone());
        loader.register("invocations_scheduled", "Invocations that came due", self.scheduled.clone());
        loader.register("invocations_sent", "Invocations that were sent", self.sent.clone());
        let help = "Invocations that ended, by outcome and by whether their instance was cold";
        loader.register("invocations_completed", help, self.completed.clone());
        loader.register("invocations_in_flight", "Invocations in flight", self.in_flight.clone());
        let help = "Memory that the invocations in flight asked for";
        loader.register("memory_in_flight_bytes", help, self.memory_in_flight.clone());
        self.durations.register(loader);
        let help = "Times in which the loader sent invocations, or read answers, late by more than saturation.lag";
        loader.register("stalls", help, self.stalls.clone());
        let help = "Whether the loader itself is the bottleneck of the active run";
        loader.register("saturated", help, self.saturated.clone());
        let help = "Whether the active run is not open-loop: invocations wait for connections or streams";
        loader.register("open_loop_violated", help, self.open_loop_violated.clone());
        let help =
            "Whether an expectation of the last run that ended is met; without a value where its figure is not known";
        loader.register("expectation_met", help, self.expectation_met.clone());
        loader.register("connections", "Connections to functions, by state", self.connections.clone());
        loader.register("records_written", "Rows written to invocations.csv", self.records_written.clone());
        loader.register("records_queued", "Events in the recorder's queue", self.records_queued.clone());
        loader.register("scrape_duration_seconds", "Time that a scrape took", self.scrape_duration.clone());
        loader.register("scrape_errors", "Scrapes that failed", self.scrape_errors.clone());
        loader.register("cluster_pods", "Instances of the active run's functions, by state", self.pods.clone());
        let help = "Invocations of the active run that wait for an instance";
        loader.register("cluster_activator_queue", help, self.activator_queue.clone());
        let help = "CPU in use on a node of the cluster, relative to its allocatable amount";
        loader.register("cluster_node_cpu_ratio", help, self.node_cpu_ratio.clone());
        let help = "Memory in use on a node of the cluster, relative to its allocatable amount";
        loader.register("cluster_node_memory_ratio", help, self.node_memory_ratio.clone());
        loader.register("cluster_node_pods", "Pods on a node of the cluster", self.node_pods.clone());
        self.register_workers(loader);
    }

    fn register_workers(&self, loader: &mut Registry) {
        let help = "Whether a worker of the active run reports";
        loader.register("worker_up", help, self.worker_up.clone());
        let help = "Invocations of a worker's share that came due in the active run";
        loader.register("worker_invocations_due", help, self.worker_due.clone());
        let help = "Invocations that a worker has sent in the active run";
        loader.register("worker_invocations_sent", help, self.worker_sent.clone());
        let help = "Invocations of a worker in flight";
        loader.register("worker_invocations_in_flight", help, self.worker_in_flight.clone());
        let help = "Own lag of a worker, 99th percentile of the last seconds";
        loader.register("worker_own_lag_p99_seconds", help, self.worker_own_lag.clone());
        let help = "Bound of the error by which a worker's clock is known";
        loader.register("worker_clock_error_seconds", help, self.worker_clock_error.clone());
        loader.register("workers_lost", "Workers of the active run that were lost", self.workers_lost.clone());
    }
}
