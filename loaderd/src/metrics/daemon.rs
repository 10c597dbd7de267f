//! The daemon's Prometheus metrics.

use std::{sync::Arc, time::Duration};

use prometheus_client::{encoding::text::encode, registry::Registry};

use super::{
    figures::{COLD_STARTS, Completed, NodeFigures, Pods, RunLabels, Sent, Side, WorkerFigures, temperature},
    process::Process,
    series::{
        BuildLabels, ExpectationLabel, NodeLabels, OutcomeLabels, PhaseLabel, RunInfo, Series, SideLabel, SourceLabel,
        StageLabel, StateLabel, WorkerLabel,
    },
    text::{self, TextFormat},
};

/// States in which a run can end.
const ENDS: [&str; 4] = ["succeeded", "failed", "cancelled", "interrupted"];

/// States in which a run is active.
const PHASES: [&str; 5] = ["deploying", "warming_up", "running", "draining", "cleaning"];

/// Stages of a disturbance.
const STAGES: [&str; 2] = ["begin", "end"];

/// Outcomes for which a cold start is unknown. Series of gRPC and HTTP statuses appear with the first
/// of their kind.
const FAILURES: [&str; 7] = [
    "connect_timeout",
    "connect_error",
    "function_timeout",
    "memory_allocation_failed",
    "cancelled",
    "unfinished",
    "not_sent",
];

/// Names of scrape sources.
const SOURCES: [&str; 3] = ["host", "nodes", "autoscaler"];

/// The metrics of one daemon. Clones write to the same series.
#[derive(Debug, Clone)]
pub struct Metrics {
    series: Arc<Series>,
    registry: Arc<Registry>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All series, at zero.
    pub fn new() -> Self {
        let series = Series::default();
        let mut registry = Registry::default();
        series.register(&mut registry);
        registry.register_collector(Box::new(Process));
        let this = Self { series: Arc::new(series), registry: Arc::new(registry) };
        this.zero();
        this
    }

    /// Creates every series whose labels are known.
    fn zero(&self) {
        let series = &self.series;
        let version = env!("CARGO_PKG_VERSION");
        let revision = option_env!("LOADER_REVISION").unwrap_or("unknown");
        series.build.get_or_create(&BuildLabels { version, revision }).set(1);
        for state in ENDS {
            series.runs.get_or_create(&StateLabel { state }).inc_by(0);
        }
        for stage in STAGES {
            series.disturbances.get_or_create(&StageLabel { stage }).inc_by(0);
        }
        self.phase(None);
        for cold_start in COLD_STARTS.map(temperature) {
            series.completed.get_or_create(&OutcomeLabels { status: "ok".to_owned(), cold_start }).inc_by(0);
        }
        for status in FAILURES.map(str::to_owned) {
            series.completed.get_or_create(&OutcomeLabels { status, cold_start: temperature(None) }).inc_by(0);
        }
        for side in Side::ALL {
            self.stalls(side, 0);
        }
        self.connections(0, 0);
        self.pods(Pods::default());
        for source in SOURCES {
            drop(series.scrape_duration.get_or_create(&SourceLabel { source }));
            series.scrape_errors.get_or_create(&SourceLabel { source }).inc_by(0);
        }
    }

    /// The metrics in the text format of OpenMetrics 1.0.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to a string fails only if a series cannot be encoded.
            Err(error) => format!("# {error}\n# EOF\n"),
        }
    }

    /// The metrics in `format`.
    pub fn encode_as(&self, format: TextFormat) -> String {
        match format {
            TextFormat::OpenMetrics => self.encode(),
            TextFormat::Prometheus => text::from_open_metrics(&self.encode()),
        }
    }

    /// A run became the active one.
    pub fn run_started(&self, run: &RunLabels) {
        let RunLabels { run_id, mode, platform } = run.clone();
        self.saturated(false);
        self.open_loop_violated(false);
        self.series.expectation_met.clear();
        self.series.run.get_or_create(&RunInfo { run_id, mode, platform }).set(1);
    }

    /// A disturbance was carried out, or undone.
    pub fn disturbed(&self, stage: &'static str) {
        self.series.disturbances.get_or_create(&StageLabel { stage }).inc();
    }

    /// No run is active any more.
    pub fn idle(&self) {
        self.series.run.clear();
        self.series.target_rate.set(0.0);
        self.workers(&[]);
        self.phase(None);
    }

    /// A run ended in `state`, whether it was ever active or not.
    pub fn run_ended(&self, state: &'static str) {
        self.series.runs.get_or_create(&StateLabel { state }).inc();
    }

    /// The number of queued runs.
    pub fn runs_queued(&self, count: u32) {
        self.series.queued.set(count.into());
    }

    /// The phase of the active run.
    pub fn phase(&self, current: Option<&str>) {
        for phase in PHASES {
            self.series.phase.get_or_create(&PhaseLabel { phase }).set(i64::from(current == Some(phase)));
        }
    }

    /// The cluster's nodes, which replace the previous ones. An unknown value has no series.
    pub fn nodes(&self, nodes: &[NodeFigures]) {
        let Series { node_cpu_ratio, node_memory_ratio, node_pods, .. } = &*self.series;
        node_cpu_ratio.clear();
        node_memory_ratio.clear();
        node_pods.clear();
        for NodeFigures { node, role, cpu_ratio, memory_ratio, pods } in nodes {
            let label = NodeLabels { node: node.clone(), role };
            if let Some(ratio) = cpu_ratio {
                node_cpu_ratio.get_or_create(&label).set(*ratio);
            }
            if let Some(ratio) = memory_ratio {
                node_memory_ratio.get_or_create(&label).set(*ratio);
            }
            if let Some(pods) = pods {
                node_pods.get_or_create(&label).set((*pods).into());
            }
        }
    }

    /// The workers of the active run, which replace the previous ones. An unknown value has no series.
    pub fn workers(&self, workers: &[WorkerFigures]) {
        let Series { worker_up, worker_due, worker_sent, worker_in_flight, worker_own_lag, worker_clock_error, .. } =
            &*self.series;
        for counts in [worker_up, worker_due, worker_sent, worker_in_flight] {
            counts.clear();
        }
        worker_own_lag.clear();
        worker_clock_error.clear();
        let lost = workers.iter().filter(|worker| worker.is_lost).count();
        self.series.workers_lost.set(crate::units::to_i64(lost));
        for WorkerFigures { worker, is_up, is_lost: _, due, sent, in_flight, own_lag_p99, clock_bound } in workers {
            let label = WorkerLabel { worker: *worker };
            worker_up.get_or_create(&label).set((*is_up).into());
            worker_due.get_or_create(&label).set(signed(*due));
            worker_sent.get_or_create(&label).set(signed(*sent));
            worker_in_flight.get_or_create(&label).set(signed(*in_flight));
            if let Some(lag) = own_lag_p99 {
                worker_own_lag.get_or_create(&label).set(lag.as_secs_f64());
            }
            if let Some(bound) = clock_bound {
                worker_clock_error.get_or_create(&label).set(bound.as_secs_f64());
            }
        }
    }

    /// The rate of the slot that begins, in invocations per second.
    pub fn target_rate(&self, rate: f64) {
        self.series.target_rate.set(rate);
    }

    /// `count` more invocations came due.
    pub fn scheduled(&self, count: u64) {
        self.series.scheduled.inc_by(count);
    }

    /// Counts an invocation that was sent, and observes what it waited for.
    pub fn sent(&self, sent: &Sent) {
        self.series.sent.inc();
        self.series.durations.sent(sent);
    }

    /// Counts an invocation that ended, and observes its durations.
    pub fn completed(&self, completed: &Completed<'_>) {
        let cold_start = temperature(completed.cold_start);
        let labels = OutcomeLabels { status: completed.status.to_owned(), cold_start };
        self.series.completed.get_or_create(&labels).inc();
        self.series.durations.completed(completed);
    }

    /// `count` more stalls ended.
    pub fn stalls(&self, side: Side, count: u64) {
        self.series.stalls.get_or_create(&SideLabel { side: side.label() }).inc_by(count);
    }

    /// Sets the number of invocations in flight.
    pub fn in_flight(&self, count: u64) {
        self.series.in_flight.set(signed(count));
    }

    /// Sets the memory that the invocations in flight asked for, in MiB.
    pub fn memory_in_flight(&self, mib: u64) {
        self.series.memory_in_flight.set(signed(mib.saturating_mul(1 << 20)));
    }

    /// Whether the loader is the bottleneck.
    pub fn saturated(&self, saturated: bool) {
        self.series.saturated.set(saturated.into());
    }

    /// Whether invocations wait for connections or streams, so that the load is not the requested one.
    pub fn open_loop_violated(&self, violated: bool) {
        self.series.open_loop_violated.set(violated.into());
    }

    /// Which expectations the active run has met, each as in its spec.
    pub fn expectations(&self, judged: impl Iterator<Item = (String, bool)>) {
        for (expectation, met) in judged {
            self.series.expectation_met.get_or_create(&ExpectationLabel { expectation }).set(met.into());
        }
    }

    /// Connections that stand, and those that are being made.
    pub fn connections(&self, open: u64, connecting: u64) {
        for (state, count) in [("open", open), ("connecting", connecting)] {
            self.series.connections.get_or_create(&StateLabel { state }).set(signed(count));
        }
    }

    /// `count` more rows were written.
    pub fn records_written(&self, count: u64) {
        self.series.records_written.inc_by(count);
    }

    /// How many events wait for the recorder.
    pub fn records_queued(&self, count: u64) {
        self.series.records_queued.set(signed(count));
    }

    /// A scrape of `source` took so long, and failed or not.
    pub fn scraped(&self, source: &'static str, took: Duration, failed: bool) {
        self.series.scrape_duration.get_or_create(&SourceLabel { source }).observe(took.as_secs_f64());
        self.series.scrape_errors.get_or_create(&SourceLabel { source }).inc_by(failed.into());
    }

    /// Instances of the active run.
    pub fn pods(&self, pods: Pods) {
        let Pods { desired, running, unready, pending, terminating, queue } = pods;
        let states = [
            ("desired", desired),
            ("running", running),
            ("unready", unready),
            ("pending", pending),
            ("terminating", terminating),
        ];
        for (state, count) in states {
            self.series.pods.get_or_create(&StateLabel { state }).set(count.into());
        }
        self.series.activator_queue.set(queue.into());
    }
}

fn signed(count: u64) -> i64 {
    crate::units::to_i64(count)
}

#[cfg(test)]
mod tests;
