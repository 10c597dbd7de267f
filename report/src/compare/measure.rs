//! The figures of runs that can be compared.

use loader_proto::v1::{self, Distribution, RunSummary};

use super::part::Part;
use crate::figure::Quantity;

/// A figure of a run that can be compared.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its unit.
    pub quantity: Quantity,
    /// Whether a greater value is better; else a smaller one is.
    pub more_is_better: bool,
    /// Whether it is compared unless others are named.
    pub is_default: bool,
    pub(super) value: fn(&RunSummary) -> Option<f64>,
    /// The 95 % interval that the summary has of it.
    pub(super) interval: fn(&RunSummary) -> Option<v1::Interval>,
    /// Of which part of the rows it is computed anew.
    pub(super) part: Option<Part>,
}

impl Measure {
    const fn new(
        name: &'static str,
        about: &'static str,
        quantity: Quantity,
        value: fn(&RunSummary) -> Option<f64>,
    ) -> Self {
        let (more_is_better, is_default) = (false, false);
        Self { name, about, quantity, more_is_better, is_default, value, interval: |_| None, part: None }
    }

    const fn by_default(mut self) -> Self {
        self.is_default = true;
        self
    }

    const fn more_is_better(mut self) -> Self {
        self.more_is_better = true;
        self
    }

    const fn of(mut self, part: Part) -> Self {
        self.part = Some(part);
        self
    }

    const fn with(mut self, interval: fn(&RunSummary) -> Option<v1::Interval>) -> Self {
        self.interval = interval;
        self
    }
}

impl Measure {
    /// The figure of a run, by its summary; absent where the run has none.
    pub(crate) fn in_summary(&self, summary: &RunSummary) -> Option<f64> {
        (self.value)(summary)
    }
}

/// A number of microseconds.
fn us(value: Option<u64>) -> Option<f64> {
    value.map(|us| us as f64)
}

fn intervals(distribution: &Option<Distribution>) -> Option<&v1::Intervals> {
    distribution.as_ref()?.intervals.as_ref()
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The figures. Six are compared by default: with more of them, five runs a group could show no difference (docs/reports.md).
pub const MEASURES: [Measure; 19] = [
    Measure::new("response-p50", "response time of what succeeded, median", Quantity::Micros, |it| {
        us(it.response_us.as_ref()?.p50)
    })
    .with(|it| intervals(&it.response_us)?.p50)
    .of(Part::Response(0.5))
    .by_default(),
    Measure::new("response-p90", "response time, 90th percentile", Quantity::Micros, |it| {
        us(it.response_us.as_ref()?.p90)
    })
    .with(|it| intervals(&it.response_us)?.p90)
    .of(Part::Response(0.9)),
    Measure::new("response-p95", "response time, 95th percentile", Quantity::Micros, |it| {
        us(it.response_us.as_ref()?.p95)
    })
    .with(|it| intervals(&it.response_us)?.p95)
    .of(Part::Response(0.95)),
    Measure::new("response-p99", "response time, 99th percentile", Quantity::Micros, |it| {
        us(it.response_us.as_ref()?.p99)
    })
    .with(|it| intervals(&it.response_us)?.p99)
    .of(Part::Response(0.99))
    .by_default(),
    Measure::new("response-p999", "response time, 99.9th percentile", Quantity::Micros, |it| {
        us(it.response_us.as_ref()?.p999)
    })
    .with(|it| intervals(&it.response_us)?.p999)
    .of(Part::Response(0.999)),
    Measure::new("response-mean", "response time, arithmetic mean", Quantity::Micros, |it| {
        it.response_us.as_ref()?.mean
    }),
    Measure::new("response-all-p99", "response time, failures as endless, 99th percentile", Quantity::Micros, |it| {
        us(it.response_incl_failures.as_ref()?.p99)
    }),
    Measure::new("response-due-p99", "response time from the due time, 99th percentile", Quantity::Micros, |it| {
        us(it.response_from_due_us.as_ref()?.p99)
    })
    .with(|it| intervals(&it.response_from_due_us)?.p99),
    Measure::new("scheduling-p50", "scheduling latency, median", Quantity::Micros, |it| {
        us(it.scheduling_latency_us.as_ref()?.p50)
    })
    .with(|it| intervals(&it.scheduling_latency_us)?.p50),
    Measure::new("scheduling-p99", "scheduling latency, 99th percentile", Quantity::Micros, |it| {
        us(it.scheduling_latency_us.as_ref()?.p99)
    })
    .with(|it| intervals(&it.scheduling_latency_us)?.p99),
    Measure::new("slowdown", "slowdown, geometric mean", Quantity::Number, |it| it.slowdown.as_ref()?.geometric_mean)
        .by_default(),
    Measure::new("slowdown-p99", "slowdown, 99th percentile", Quantity::Number, |it| it.slowdown.as_ref()?.p99),
    Measure::new("failed", "share of invocations that failed", Quantity::Share, |it| share(it.failed, it.requested))
        .of(Part::Failed)
        .by_default(),
    Measure::new("cold-starts", "share of cold starts", Quantity::Share, |it| it.cold_starts.as_ref()?.share)
        .of(Part::Cold)
        .by_default(),
    Measure::new("cold-start-p50", "response time of cold invocations, median", Quantity::Micros, |it| {
        us(it.cold_starts.as_ref()?.latency_p50_us)
    }),
    Measure::new("cold-start-p99", "response time of cold invocations, 99th percentile", Quantity::Micros, |it| {
        us(it.cold_starts.as_ref()?.latency_p99_us)
    }),
    Measure::new("goodput", "invocations per second that succeeded in time", Quantity::PerSecond, |it| it.goodput)
        .more_is_better(),
    Measure::new("capacity", "mode rps: greatest rate that was sustained", Quantity::PerSecond, |it| {
        it.rps.as_ref()?.sustained_rate
    })
    .more_is_better()
    .by_default(),
    Measure::new("burst-p99", "mode burst: response time of the burst, 99th percentile", Quantity::Micros, |it| {
        us(it.burst.as_ref()?.burst_us.as_ref()?.p99)
    }),
];

/// The figure of that name.
pub fn find(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|measure| measure.name == name)
}
