//! How a load is dispatched and recorded, by its spec.

use std::sync::Arc;

use loader_trace::Arrivals;
use tokio::sync::watch;

use crate::{
    clock::{Anchor, Clock},
    dispatch::{Phases, Settings},
    id::RunId,
    invoke::Policy,
    plan::{Collector, Plan},
    record::{Aborts, AskedArrivals, Latencies, Progress, RecorderSettings, RowSpans, ScaleHistory},
    run::{LoadSettings, Telemetry},
    spec::{RunSpec, RuntimeClock},
};

/// What the recorder reports to, in addition to its files.
pub(super) struct RecorderOutputs {
    pub(super) arrivals: AskedArrivals,
    pub(super) collector: Box<dyn Collector>,
    pub(super) latencies: Latencies,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) spans: Option<RowSpans>,
    /// The expectations that end the run.
    pub(super) aborts: Option<Aborts>,
}

/// How the load is dispatched.
pub(super) fn dispatch_settings(
    load: &LoadSettings,
    clock: Clock,
    run: &RunId,
    spec: &RunSpec,
    phases: Phases,
) -> Settings {
    let LoadSettings { workers, connections, isolation, heartbeat } = load;
    Settings {
        run: run.clone(),
        workers: *workers,
        policy: Policy::of(&spec.connections, *connections),
        max_in_flight: spec.max_in_flight,
        max_memory_in_flight_mib: spec.max_memory_in_flight_mib,
        connect_timeout: spec.timeouts.connect,
        function_timeout: spec.timeouts.function,
        runtime_clock: spec.runtime_clock.map(RuntimeClock::as_str),
        seed: spec.seed,
        trace: None,
        phases,
        isolation: isolation.clone(),
        heartbeat: heartbeat.clone(),
        clock,
    }
}

/// How the load is recorded: rows of `functions`, due from `t0` on.
pub(super) fn recorder_settings(
    telemetry: &Telemetry,
    run: &RunId,
    spec: &RunSpec,
    (functions, t0): (Arc<[String]>, Anchor),
    scales: Arc<ScaleHistory>,
    RecorderOutputs { arrivals, collector, latencies, progress, spans, aborts }: RecorderOutputs,
) -> RecorderSettings {
    RecorderSettings {
        run: run.clone(),
        functions,
        t0,
        lag_bound: spec.saturation.lag,
        slo: spec.slo.map(|slo| slo.response),
        is_timed: spec.kind.runs_as_requested(),
        arrivals,
        collector,
        latencies,
        scales,
        spans,
        aborts,
        metrics: telemetry.metrics.clone(),
        progress,
        clock: telemetry.clock,
    }
}

/// How due times are to be distributed within their slots: uniformly, or as planned. A replay of exact times is compared with its plan
/// alone: no process was asked for.
pub(super) fn asked_arrivals(spec: &RunSpec, plan: &dyn Plan) -> AskedArrivals {
    match spec.arrivals {
        _ if plan.has_exact_times() => AskedArrivals::Planned,
        Arrivals::Poisson | Arrivals::ExponentialShift | Arrivals::UniformShift => AskedArrivals::Uniform,
        Arrivals::Equidistant | Arrivals::Exponential | Arrivals::Uniform => AskedArrivals::Planned,
    }
}
