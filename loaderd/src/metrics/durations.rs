//! The histograms of invocations, by population, so that they can be compared with the summary.
//!
//! The recorder observes up to eight values a row and has some microseconds for all of it, so each series is looked up
//! once, when it is created, and held.

use std::{array, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, histogram::Histogram},
    registry::Registry,
};

use super::{
    figures::{COLD_STARTS, Completed, Population, Sent, temperature},
    histograms::{Histograms, ratios, times},
};

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PopulationLabel {
    phase: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResponseLabels {
    phase: &'static str,
    cold_start: &'static str,
}

/// A histogram for each population.
#[derive(Debug)]
struct ByPopulation {
    family: Histograms<PopulationLabel>,
    of: [Histogram; Population::ALL.len()],
}

impl ByPopulation {
    fn new(constructor: fn() -> Histogram) -> Self {
        let family: Histograms<PopulationLabel> = Family::new_with_constructor(constructor);
        let of = Population::ALL.map(|of| family.get_or_create_owned(&PopulationLabel { phase: of.label() }));
        Self { family, of }
    }

    fn observe(&self, of: Population, value: Option<f64>) {
        if let (Some(histogram), Some(value)) = (self.of.get(of as usize), value) {
            histogram.observe(value);
        }
    }

    fn observe_time(&self, of: Population, time: Option<Duration>) {
        self.observe(of, time.map(|time| time.as_secs_f64()));
    }
}

/// All histograms of invocations. A value that is unknown is not observed.
#[derive(Debug)]
pub(super) struct Durations {
    lag: ByPopulation,
    own_lag: ByPopulation,
    connect: ByPopulation,
    stream_wait: ByPopulation,
    receive_lag: ByPopulation,
    response: Histograms<ResponseLabels>,
    responses: [[Histogram; COLD_STARTS.len()]; Population::ALL.len()],
    scheduling_latency: ByPopulation,
    slowdown: ByPopulation,
}

impl Default for Durations {
    fn default() -> Self {
        let response: Histograms<ResponseLabels> = Family::new_with_constructor(times);
        let responses = Population::ALL.map(|of| {
            COLD_STARTS.map(|cold_start| {
                let labels = ResponseLabels { phase: of.label(), cold_start: temperature(cold_start) };
                response.get_or_create_owned(&labels)
            })
        });
        let [lag, own_lag, connect, stream_wait, receive_lag, scheduling_latency] =
            array::from_fn(|_| ByPopulation::new(times));
        let slowdown = ByPopulation::new(ratios);
        Self { lag, own_lag, connect, stream_wait, receive_lag, response, responses, scheduling_latency, slowdown }
    }
}

impl Durations {
    /// Registers the histograms under their names.
    pub(super) fn register(&self, loader: &mut Registry) {
        let mut register = |name: &str, help: &str, of: &ByPopulation| loader.register(name, help, of.family.clone());
        register("dispatch_lag_seconds", "Time from due to sent, all of it", &self.lag);
        let help = "Time from due to sent without the waits for connections and streams: the loader's own";
        register("own_lag_seconds", help, &self.own_lag);
        let help = "Time that invocations waited for a connection; those that found one open are not in it";
        register("connect_seconds", help, &self.connect);
        let help =
            "Time that invocations waited for a free stream or for flow control; those that did not wait are not in it";
        register("stream_wait_seconds", help, &self.stream_wait);
        let help = "Time from the arrival of an answer until the loader had read it";
        register("receive_lag_seconds", help, &self.receive_lag);
        let help = "Response time without the execution that the function measured, of what succeeded";
        register("scheduling_latency_seconds", help, &self.scheduling_latency);
        let help = "Response time over requested run time, of what succeeded";
        register("slowdown_ratio", help, &self.slowdown);
        let help = "Time from the send to the arrival of the answer, of what succeeded";
        loader.register("response_seconds", help, self.response.clone());
    }

    /// Observes an invocation that was sent.
    pub(super) fn sent(&self, sent: &Sent) {
        let Sent { population, lag, own_lag, connect, stream_wait } = *sent;
        self.lag.observe_time(population, Some(lag));
        self.own_lag.observe_time(population, Some(own_lag));
        self.connect.observe_time(population, connect);
        self.stream_wait.observe_time(population, stream_wait);
    }

    /// Observes an invocation that ended.
    pub(super) fn completed(&self, completed: &Completed<'_>) {
        let Completed { population, status: _, cold_start, response, receive_lag, scheduling_latency, slowdown } =
            *completed;
        let temperature = COLD_STARTS.iter().position(|of| *of == cold_start);
        let responses = self.responses.get(population as usize).zip(temperature);
        if let (Some(histogram), Some(response)) = (responses.and_then(|(of, index)| of.get(index)), response) {
            histogram.observe(response.as_secs_f64());
        }
        self.receive_lag.observe_time(population, receive_lag);
        self.scheduling_latency.observe_time(population, scheduling_latency);
        self.slowdown.observe(population, slowdown);
    }
}
