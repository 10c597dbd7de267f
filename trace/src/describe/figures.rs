//! What is measured of a trace.

use std::collections::BTreeMap;
use std::time::Duration;

use super::apps::{self, App, AppMemory};
use super::values::{deviation, quantile, share};
use crate::azure2019::POPULAR_SHARE;
use crate::sizes::Clamp;
use crate::trace::Trace;

const HOUR: usize = 60;
const DAY: usize = 24 * HOUR;
/// Upper bound of the share of longest run times.
const LONG: Duration = Duration::from_secs(10);

/// Statistics of a trace. Shares are from 0 to 1. None: the trace has no data for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Share of functions by trigger.
    pub functions_by_trigger: Option<BTreeMap<String, f64>>,
    /// Share of invocations by trigger.
    pub invocations_by_trigger: Option<BTreeMap<String, f64>>,
    /// Share of apps with one function.
    pub apps_of_one: Option<f64>,
    /// Share of apps with at most ten functions.
    pub apps_up_to_ten: Option<f64>,
    /// Share of apps with only HTTP functions.
    pub apps_only_http: Option<f64>,
    /// Share of apps with only timers.
    pub apps_only_timers: Option<f64>,
    /// Share of apps invoked at most once an hour, on average. None for a trace of less than an hour.
    pub apps_hourly: Option<f64>,
    /// Share of apps invoked at most once a minute, on average.
    pub apps_minutely: Option<f64>,
    /// Share of the invocations that the most popular 18.6 % of apps make.
    pub popular_invocations: Option<f64>,
    /// Share of apps whose inter-arrival times have a coefficient of variation above 1, of those with at least three such
    /// times.
    pub apps_varying: Option<f64>,
    /// Share of timers that fire at most once a minute, on average.
    pub timers_minutely: Option<f64>,
    /// Invocations in the quietest hour of the day over those of the mean hour, over all whole days.
    pub quietest_hour: Option<f64>,
    /// Share of functions whose longest run time is at most 10 s.
    pub functions_up_to_10s: Option<f64>,
    /// Median of the functions' average run times, in seconds. An average is that of the run times that a replay draws.
    pub runtime_median_s: Option<f64>,
    /// Standard deviation of the natural logarithm of the functions' average run times.
    pub runtime_ln_deviation: Option<f64>,
    /// Median of the apps' average memory, in MB.
    pub memory_median_mb: Option<f64>,
    /// 90th percentile of the same.
    pub memory_p90_mb: Option<f64>,
}

impl Figures {
    /// Computes the figures of `trace`.
    pub fn of(trace: &Trace, memory: AppMemory) -> Self {
        let mut figures = Self { quietest_hour: quietest_hour(trace), ..Self::default() };
        figures.take_functions(trace);
        if let Some(apps) = apps::apps(trace, memory) {
            figures.take_apps(&apps, trace.units as f64);
        }
        if let Some(by_trigger) = by_trigger(trace) {
            let [functions, invocations] = [0, 1].map(|which| shares(&by_trigger, |figures| figures[which]));
            figures.functions_by_trigger = functions;
            figures.invocations_by_trigger = invocations;
        } else {
            (figures.apps_only_http, figures.apps_only_timers) = (None, None);
        }
        figures
    }

    fn take_functions(&mut self, trace: &Trace) {
        let timers = trace.functions.iter().filter(|function| function.trigger.as_deref() == Some("timer"));
        self.timers_minutely = share(timers, |timer| timer.load.total() <= trace.units as u64);
        let runtimes = || trace.functions.iter().filter_map(|function| function.runtime.as_ref());
        self.functions_up_to_10s = share(runtimes(), |runtime| runtime.quantile(1.0) <= LONG);
        let all = Clamp { min: Duration::ZERO, max: Duration::MAX };
        let averages: Vec<f64> = runtimes().map(|runtime| runtime.mean(all).as_secs_f64()).collect();
        let logs: Vec<f64> = averages.iter().filter(|&&average| average > 0.0).map(|average| average.ln()).collect();
        self.runtime_median_s = quantile(averages, 0.5);
        self.runtime_ln_deviation = deviation(&logs);
    }

    fn take_apps(&mut self, apps: &[App], minutes: f64) {
        self.apps_of_one = share(apps, |app| app.functions == 1);
        self.apps_up_to_ten = share(apps, |app| app.functions <= 10);
        let only = |trigger: &str| share(apps, |app| app.only_trigger.as_deref() == Some(trigger));
        self.apps_only_http = only("http");
        self.apps_only_timers = only("timer");
        let hours = minutes / HOUR as f64;
        self.apps_hourly = share(apps, |app| app.invocations as f64 <= hours).filter(|_| hours >= 1.0);
        self.apps_minutely = share(apps, |app| app.invocations as f64 <= minutes);
        self.popular_invocations = popular_invocations(apps);
        self.apps_varying = share(apps.iter().filter_map(|app| app.variation), |variation| variation > 1.0);
        let memory: Vec<f64> = apps.iter().filter_map(|app| app.memory).collect();
        self.memory_p90_mb = quantile(memory.clone(), 0.9);
        self.memory_median_mb = quantile(memory, 0.5);
    }
}

/// Functions and invocations of each trigger; none where a function has no trigger.
fn by_trigger(trace: &Trace) -> Option<BTreeMap<&str, [u64; 2]>> {
    let mut triggers: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for function in &trace.functions {
        let [functions, invocations] = triggers.entry(function.trigger.as_deref()?).or_default();
        *functions += 1;
        *invocations += function.load.total();
    }
    Some(triggers)
}

/// Each one's share of the sum; none where that is 0.
fn shares(triggers: &BTreeMap<&str, [u64; 2]>, of: impl Fn(&[u64; 2]) -> u64) -> Option<BTreeMap<String, f64>> {
    let sum: u64 = triggers.values().map(&of).sum();
    let share = |(&name, figures): (&&str, &[u64; 2])| (name.to_owned(), of(figures) as f64 / sum as f64);
    (sum > 0).then(|| triggers.iter().map(share).collect())
}

/// The number of the most popular apps is rounded, and is at least one.
fn popular_invocations(apps: &[App]) -> Option<f64> {
    let mut invocations: Vec<u64> = apps.iter().map(|app| app.invocations).collect();
    invocations.sort_unstable_by_key(|&invocations| std::cmp::Reverse(invocations));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the number of apps")]
    let popular = ((apps.len() as f64 * POPULAR_SHARE).round() as usize).max(1);
    let sum: u64 = invocations.iter().sum();
    (sum > 0).then(|| invocations.iter().take(popular).sum::<u64>() as f64 / sum as f64)
}

pub(super) fn quietest_hour(trace: &Trace) -> Option<f64> {
    let mut hours = [0_u64; DAY / HOUR];
    let whole_days = trace.units / DAY * DAY;
    for function in &trace.functions {
        (0..whole_days).for_each(|minute| hours[minute % DAY / HOUR] += u64::from(function.load.count(minute)));
    }
    let sum: u64 = hours.iter().sum();
    let mean = sum as f64 / hours.len() as f64;
    hours.iter().min().filter(|_| sum > 0).map(|&least| least as f64 / mean)
}
