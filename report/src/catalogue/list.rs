//! The list of all figures.

use super::{
    bursts, cold, distributions,
    entry::{Entry, Panel},
    functions, loads, over_time, quality, resources, workers,
};
use crate::{figure::Figure, run::Run};

/// All figures, in the order of a report.
pub const FIGURES: [Entry; 39] = {
    use Panel::{ColdStarts, Distributions, Functions, Mode, Quality, Time};
    const fn entry(name: &'static str, about: &'static str, panel: Panel, draw: fn(&Entry, &[Run]) -> Figure) -> Entry {
        Entry { name, about, panel, draw }
    }
    [
        entry("rate", "Requested and achieved rate", Time, over_time::rate),
        entry("response-time", "Response time by the second, p50 and p99", Time, over_time::response),
        entry("failures", "Failures by kind", Time, over_time::failures),
        entry("in-flight", "Invocations in flight", Time, over_time::in_flight),
        entry("instances", "Instances, desired and running", Time, resources::instances),
        entry("lag", "The loader's own lag by the second, p99 and greatest", Time, over_time::lag),
        entry("node-cpu", "CPU of nodes in use", Time, resources::node_cpu),
        entry("node-memory", "Memory of nodes in use", Time, resources::node_memory),
        entry("allocation", "CPU in use and requested, sum over the nodes", Time, resources::allocation),
        entry("pod-cpu", "CPU of the run's pods", Time, resources::pod_cpu),
        entry("pod-memory", "Memory of the run's pods", Time, resources::pod_memory),
        entry(
            "autoscaler",
            "The autoscaler's pods, desired and running, and the activator's queue",
            Time,
            resources::autoscaler,
        ),
        entry("asked-memory", "Memory that invocations in flight asked for, by slot", Time, resources::asked_memory),
        entry("runtime", "Run time that functions measured, mean by the second", Time, over_time::runtime),
        entry("latency-heat", "Response times over time, as heat", Time, over_time::heat),
        entry("response-cdf", "Response time, CDF", Distributions, distributions::response_cdf),
        entry("response-ccdf", "Response time, complementary CDF", Distributions, distributions::response_ccdf),
        entry(
            "response-percentiles",
            "Response time by percentile",
            Distributions,
            distributions::response_percentiles,
        ),
        entry("scheduling-cdf", "Scheduling latency of invocations, CDF", Distributions, distributions::scheduling_cdf),
        entry(
            "scheduling-ccdf",
            "Scheduling latency of invocations, complementary CDF",
            Distributions,
            distributions::scheduling_ccdf,
        ),
        entry("slowdown-cdf", "Slowdown of invocations, CDF", Distributions, distributions::slowdown_cdf),
        entry(
            "slowdown-ccdf",
            "Slowdown of invocations, complementary CDF",
            Distributions,
            distributions::slowdown_ccdf,
        ),
        entry("cold-share", "Share of cold starts over time", ColdStarts, cold::share),
        entry("cold-response", "Response time of cold invocations, CDF", ColdStarts, cold::response),
        entry("cold-breakdown", "Cold starts by stage", ColdStarts, cold::breakdown),
        entry("cold-functions", "Cold starts of the functions that had most", ColdStarts, cold::functions),
        entry("provisioning", "Instances ready since the first was created", ColdStarts, cold::provisioning),
        entry("function-slowdown-rate", "Rate and slowdown of functions", Functions, functions::slowdown_by_rate),
        entry(
            "function-slowdown-cdf",
            "Slowdown of functions, CDF of geometric means",
            Functions,
            functions::slowdown_cdf,
        ),
        entry(
            "function-scheduling-cdf",
            "Scheduling latency of functions, CDF of means",
            Functions,
            functions::scheduling_cdf,
        ),
        entry("function-response-cdf", "Response time of functions, CDF of means", Functions, functions::response_cdf),
        entry(
            "slowdown-size",
            "Slowdown against the number of functions, a point a run",
            Functions,
            functions::slowdown_by_size,
        ),
        entry("latency-load", "Response time p50 and p99 against the rate of slots", Mode, loads::latency),
        entry("cold-sweep", "Response time p50 and p99 against cold starts per second", Mode, loads::cold_sweep),
        entry("burst", "Response times before and during the burst", Mode, bursts::burst),
        entry("lag-cdf", "Dispatch lag, own lag and receive lag, CDF", Quality, quality::lags),
        entry("gaps", "Times between invocations: achieved against planned, CDF", Quality, quality::gaps),
        entry("runtimes", "Requested and measured run time, CDF", Quality, quality::runtimes),
        entry("worker-lag", "Own lag and receive lag of workers, p99", Quality, workers::lags),
    ]
};

/// The figure of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    FIGURES.iter().find(|entry| entry.name == name)
}
