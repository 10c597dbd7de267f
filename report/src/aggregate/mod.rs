//! What a report keeps of a run's rows, added up in one pass. Its size depends on the length of the run and on the number of
//! functions, and not on the number of rows.
//!
//! ```text
//! rows ──▶ Series         by the second: due, sent, failed, cold, response, own lag
//!      ──▶ Distributions  response, scheduling latency, slowdown: all, warm, cold; lags; gaps
//!      ──▶ Functions      sums by function
//! ```
//!
//! Who is counted: docs/definitions.md. Series are of everything in the file, counts of the measured phase, distributions of it without
//! `step_warmup`.

mod distribution;
mod functions;
mod gaps;
mod series;
mod sketch;
mod statuses;

pub use distribution::Distribution;
pub use functions::FunctionFigures;
use functions::Functions;
use gaps::Gaps;
pub use series::{Bin, Series};
pub use sketch::Sketch;
pub use statuses::Statuses;

use crate::rows::Invocation;

/// By how much slowdowns are scaled in a distribution of whole numbers.
pub const SLOWDOWN_SCALE: f64 = 1e6;

/// A figure of all invocations, and of the warm and the cold ones, as the functions report.
#[derive(Debug, Clone, Default)]
pub struct ByTemperature {
    /// All of them, those that report nothing among them.
    pub all: Distribution,
    /// Those of an instance that had been invoked before.
    pub warm: Distribution,
    /// The first ones of their instance.
    pub cold: Distribution,
}

impl ByTemperature {
    fn each(&mut self, cold: Option<bool>, mut add: impl FnMut(&mut Distribution)) {
        add(&mut self.all);
        match cold {
            Some(true) => add(&mut self.cold),
            Some(false) => add(&mut self.warm),
            None => {}
        }
    }

    fn sort(&mut self) {
        [&mut self.all, &mut self.warm, &mut self.cold].into_iter().for_each(Distribution::sort);
    }
}

/// Everything that was added up.
#[derive(Debug)]
pub struct Aggregates {
    /// By the second.
    pub series: Series,
    /// Statuses, counted over the measured phase.
    pub statuses: Statuses,
    /// Invocations of the measured phase that became due.
    pub requested: u64,
    /// Those that were sent.
    pub issued: u64,
    /// Those that were answered.
    pub returned: u64,
    /// Those with any status but ok.
    pub failed: u64,
    /// Those that were the first of their instance.
    pub cold: u64,
    /// Those whose function reports cold starts.
    pub told: u64,
    /// Response times of what succeeded, microseconds.
    pub response: ByTemperature,
    /// Scheduling latencies of what succeeded, microseconds.
    pub scheduling: ByTemperature,
    /// Slowdowns of what succeeded, times [`SLOWDOWN_SCALE`].
    pub slowdown: ByTemperature,
    /// Response times of a burst's own invocations, microseconds.
    pub burst: Distribution,
    /// Slowdowns below 1: the function ran shorter than it was asked to.
    pub below_one: u64,
    /// Dispatch lags, microseconds.
    pub dispatch_lag: Distribution,
    /// The loader's own lags, microseconds.
    pub own_lag: Distribution,
    /// Receive lags, microseconds.
    pub receive_lag: Distribution,
    /// By how much the times between invocations differ from the planned ones, microseconds.
    pub gaps: Distribution,
    /// Rows that came too late to be in the gaps.
    pub gaps_left_out: u64,
    /// Requested run times of what succeeded, microseconds.
    pub requested_runtime: Distribution,
    /// Run times that functions measured, microseconds.
    pub actual_runtime: Distribution,
    /// Rows whose time is out of reach of the run's.
    pub outside: u64,
    /// By function, by name.
    pub functions: Vec<FunctionFigures>,
}

/// Adds rows up.
#[derive(Debug, Default)]
pub(crate) struct Adder {
    t0_unix_us: Option<i64>,
    has_runtimes: bool,
    functions: Functions,
    gaps: Gaps,
    sums: Option<Box<Aggregates>>,
}

impl Adder {
    /// Adds up rows of a run that began then; where that is not known, with its first row. Slowdowns are of functions that run for
    /// the requested time.
    pub(crate) fn new(t0_unix_us: Option<i64>, has_runtimes: bool) -> Self {
        Self { t0_unix_us, has_runtimes, ..Self::default() }
    }

    /// Takes a row.
    pub(crate) fn add(&mut self, row: &Invocation<'_>) {
        let t0 = *self.t0_unix_us.get_or_insert(row.due_unix_us);
        let sums = self.sums.get_or_insert_with(|| Box::new(Aggregates::new(t0)));
        let status = sums.statuses.number(row.status);
        sums.in_time(row, status);
        if !row.measured() {
            return;
        }
        sums.statuses.count(status);
        sums.count(row);
        if row.distributed() {
            sums.distribute(row, self.has_runtimes);
        }
        if let Some(sent) = row.sent_unix_us
            && !matches!(row.mark, b"burst" | b"victim")
        {
            self.gaps.add(row.due_unix_us, sent);
        }
        if let Some(figures) = self.functions.of(row.function) {
            of_function(figures, row, self.has_runtimes);
        }
    }

    /// The sums of all rows.
    pub(crate) fn finish(self) -> Aggregates {
        let t0 = self.t0_unix_us.unwrap_or_default();
        let mut sums = self.sums.map_or_else(|| Aggregates::new(t0), |sums| *sums);
        (sums.gaps, sums.gaps_left_out) = self.gaps.finish();
        sums.functions = self.functions.finish();
        for figure in [&mut sums.response, &mut sums.scheduling, &mut sums.slowdown] {
            figure.sort();
        }
        let rest = [&mut sums.dispatch_lag, &mut sums.own_lag, &mut sums.receive_lag, &mut sums.burst];
        rest.into_iter().chain([&mut sums.requested_runtime, &mut sums.actual_runtime]).for_each(Distribution::sort);
        sums
    }
}

fn of_function(figures: &mut FunctionFigures, row: &Invocation<'_>, has_runtimes: bool) {
    figures.requested += 1;
    figures.cold += u64::from(row.cold_start == Some(true));
    figures.failed += u64::from(!row.ok());
    if !row.ok() || !row.distributed() {
        return;
    }
    let add = |(count, sum): &mut (u64, f64), value: Option<f64>| {
        if let Some(value) = value {
            (*count, *sum) = (*count + 1, *sum + value);
        }
    };
    add(&mut figures.responses, row.response_us.map(|us| us as f64));
    add(&mut figures.latencies, row.scheduling_latency_us().map(|us| us as f64));
    add(&mut figures.slowdowns, row.slowdown().filter(|_| has_runtimes).map(f64::ln));
}

impl Aggregates {
    fn new(t0_unix_us: i64) -> Self {
        Self {
            series: Series::new(t0_unix_us),
            statuses: Statuses::default(),
            requested: 0,
            issued: 0,
            returned: 0,
            failed: 0,
            cold: 0,
            told: 0,
            response: ByTemperature::default(),
            scheduling: ByTemperature::default(),
            slowdown: ByTemperature::default(),
            burst: Distribution::default(),
            below_one: 0,
            dispatch_lag: Distribution::default(),
            own_lag: Distribution::default(),
            receive_lag: Distribution::default(),
            gaps: Distribution::default(),
            gaps_left_out: 0,
            requested_runtime: Distribution::default(),
            actual_runtime: Distribution::default(),
            outside: 0,
            functions: Vec::new(),
        }
    }

    /// The series, of every row.
    fn in_time(&mut self, row: &Invocation<'_>, status: usize) {
        let Some(bin) = self.series.bin(row.due_unix_us) else {
            self.outside += 1;
            return;
        };
        bin.due += 1;
        bin.cold += u64::from(row.cold_start == Some(true));
        bin.told += u64::from(row.cold_start.is_some());
        if let Some(lag) = row.own_lag_us() {
            bin.own_lag.add(lag);
        }
        if let Some(runtime) = row.actual_runtime_us {
            bin.runtime_us += runtime as f64;
            bin.runtimes += 1;
        }
        match row.response_us.and_then(|us| u64::try_from(us).ok()) {
            _ if !row.ok() => bin.fail(status),
            Some(response) => bin.response.add(response),
            None => {}
        }
        if let Some(bin) = row.sent_unix_us.and_then(|sent| self.series.bin(sent)) {
            bin.sent += 1;
        }
    }

    fn count(&mut self, row: &Invocation<'_>) {
        self.requested += 1;
        self.issued += u64::from(row.sent_unix_us.is_some());
        self.returned += u64::from(row.response_us.is_some());
        self.failed += u64::from(!row.ok());
        self.cold += u64::from(row.cold_start == Some(true));
        self.told += u64::from(row.cold_start.is_some());
    }

    fn distribute(&mut self, row: &Invocation<'_>, has_runtimes: bool) {
        let lag = |us: Option<i64>, into: &mut Distribution| {
            if let Some(us) = us {
                into.add(u64::try_from(us).unwrap_or(0));
            }
        };
        lag(row.dispatch_lag_us, &mut self.dispatch_lag);
        lag(row.receive_lag_us, &mut self.receive_lag);
        if let Some(own) = row.own_lag_us() {
            self.own_lag.add(own);
        }
        if row.ok() {
            self.succeeded(row, has_runtimes);
        }
    }

    fn succeeded(&mut self, row: &Invocation<'_>, has_runtimes: bool) {
        let positive = |us: Option<i64>| us.and_then(|us| u64::try_from(us).ok());
        if let Some(response) = positive(row.response_us) {
            self.response.each(row.cold_start, |values| values.add(response));
            if row.mark == b"burst" {
                self.burst.add(response);
            }
        }
        if let Some(latency) = row.scheduling_latency_us() {
            self.scheduling.each(row.cold_start, |values| values.add(latency));
        }
        if let Some(runtime) = positive(row.actual_runtime_us) {
            self.actual_runtime.add(runtime);
            positive(row.requested_runtime_us).into_iter().for_each(|asked| self.requested_runtime.add(asked));
        }
        if let Some(slowdown) = row.slowdown().filter(|_| has_runtimes) {
            self.below_one += u64::from(slowdown < 1.0);
            let scaled = crate::number::whole(slowdown * SLOWDOWN_SCALE);
            self.slowdown.each(row.cold_start, |values| values.add_ratio(scaled, slowdown));
        }
    }
}

#[cfg(test)]
mod tests;
