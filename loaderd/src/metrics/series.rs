//! Names, labels and buckets of the exported series. Labels are bounded: functions and runs are none, but for the one
//! run that is active.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::sync::atomic::AtomicU64;

/// Upper bounds for times, in seconds: 100 µs to 300 s, five a decade (Renard's R5 series).
const TIMES: [f64; 33] = [
    0.0001, 0.00016, 0.00025, 0.0004, 0.00063, 0.001, 0.0016, 0.0025, 0.004, 0.0063, 0.01, 0.016, 0.025, 0.04, 0.063,
    0.1, 0.16, 0.25, 0.4, 0.63, 1.0, 1.6, 2.5, 4.0, 6.3, 10.0, 16.0, 25.0, 40.0, 63.0, 100.0, 160.0, 300.0,
];

/// Upper bounds for slowdown; 1 is perfect.
const RATIOS: [f64; 14] = [1.01, 1.02, 1.05, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0];

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
pub(super) struct ColdLabel {
    pub(super) cold_start: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct SourceLabel {
    pub(super) source: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct NodeLabels {
    pub(super) node: String,
    pub(super) role: &'static str,
}

/// A gauge of fractions.
pub(super) type Fraction = Gauge<f64, AtomicU64>;

pub(super) type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// A histogram of seconds.
pub(super) fn times() -> Histogram {
    Histogram::new(TIMES)
}

/// A histogram of slowdowns.
pub(super) fn ratios() -> Histogram {
    Histogram::new(RATIOS)
}

/// All series that the daemon exports.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) build: Family<BuildLabels, Gauge>,
    pub(super) run: Family<RunInfo, Gauge>,
    pub(super) runs: Family<StateLabel, Counter>,
    pub(super) queued: Gauge,
    pub(super) phase: Family<PhaseLabel, Gauge>,
    pub(super) target_rate: Fraction,
    pub(super) scheduled: Counter,
    pub(super) sent: Counter,
    pub(super) completed: Family<OutcomeLabels, Counter>,
    pub(super) in_flight: Gauge,
    pub(super) lag: Histogram,
    pub(super) response: Histograms<ColdLabel>,
    pub(super) scheduling_latency: Histogram,
    pub(super) slowdown: Histogram,
    pub(super) saturated: Gauge,
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
}

impl Default for Series {
    fn default() -> Self {
        Self {
            build: Family::default(),
            run: Family::default(),
            runs: Family::default(),
            queued: Gauge::default(),
            phase: Family::default(),
            target_rate: Fraction::default(),
            scheduled: Counter::default(),
            sent: Counter::default(),
            completed: Family::default(),
            in_flight: Gauge::default(),
            lag: times(),
            response: Family::new_with_constructor(times),
            scheduling_latency: times(),
            slowdown: ratios(),
            saturated: Gauge::default(),
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
        loader.register("runs_queued", "Runs in the queue", self.queued.clone());
        loader.register("run_phase", "Phase of the active run: 1 for the one it is in", self.phase.clone());
        let help = "Target rate of the current slot, in invocations per second";
        loader.register("target_rate", help, self.target_rate.clone());
        loader.register("invocations_scheduled", "Invocations that came due", self.scheduled.clone());
        loader.register("invocations_sent", "Invocations that were sent", self.sent.clone());
        let help = "Invocations that ended, by outcome and by whether their instance was cold";
        loader.register("invocations_completed", help, self.completed.clone());
        loader.register("invocations_in_flight", "Invocations in flight", self.in_flight.clone());
        loader.register("dispatch_lag_seconds", "Time from due to sent, connecting left out", self.lag.clone());
        loader.register("response_seconds", "Time from the send to the answer", self.response.clone());
        let help = "Response time without the execution that the function measured";
        loader.register("scheduling_latency_seconds", help, self.scheduling_latency.clone());
        loader.register("slowdown_ratio", "Response time over requested run time", self.slowdown.clone());
        let help = "Whether the loader itself is the bottleneck of the active run";
        loader.register("saturated", help, self.saturated.clone());
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
    }
}
