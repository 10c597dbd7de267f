//! The recorder: takes the events of workers and pacer, in order, and records them. It runs on a thread of its own and is the
//! only writer of invocations.csv and slots.csv.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use loader_proto::schema;
use tokio::sync::{mpsc, watch};

use super::{
    Aborts, AskedArrivals, CsvFile, Latencies, MemoryLevel, Missed, Progress, RecordError, Row, RowSpans, ScaleHistory,
    Statistics, export,
    progress::{Recent, Times, Window},
    slots,
    slots::{Closed, CompletedSlot, Slots},
    statistics::Rules,
    workers::RecentLags,
};
use crate::{
    clock::{Anchor, Clock, UnixMicros},
    id::{RunId, WorkerIndex},
    invoke::Outcome,
    metrics::Metrics,
    plan::{Collector, Findings, Offset, Phase, SlotHead, SlotOutcome},
    units::micros,
};

/// Events that are taken at once.
const BATCH: usize = 1024;

/// How long events gather when there are few: far less than the recorder's channel holds, and than a viewer notices.
const NAP: Duration = Duration::from_millis(5);

/// After how long progress is updated without a tick.
const BEHIND: Duration = Duration::from_secs(1);

/// An event for the recorder.
#[derive(Debug)]
pub enum Event {
    /// A slot begins.
    Opened {
        /// The slot.
        head: SlotHead,
        /// The memory in flight of earlier ones.
        memory: MemoryLevel,
    },
    /// A slot that has begun begins for one more of the run's workers.
    Joined {
        /// The slot.
        slot: u32,
        /// The worker.
        worker: WorkerIndex,
        /// The memory in flight of earlier slots, of this worker's.
        memory: MemoryLevel,
    },
    /// An invocation has ended, or was not sent.
    Row(Box<Row>),
    /// A slot's time is over.
    Closed {
        /// The slot that ended.
        head: SlotHead,
        /// How many of its invocations came due.
        dispatched: u64,
        /// What happened while it was under way.
        outcome: SlotOutcome,
        /// Whether it was carried out to its end.
        complete: bool,
        /// Greatest memory that was in flight meanwhile, in MiB.
        memory_peak_mib: u64,
    },
    /// The load was stopped at this time: slots that are closed from now on, and were not carried out to their end, ended then. Without it
    /// they end when that is heard.
    Stopped(Offset),
    /// Time has passed: flush, and update the progress.
    Tick,
}

/// The settings of a recorder.
pub struct RecorderSettings {
    /// Id of the run.
    pub run: RunId,
    /// Names of the functions, in the plan's order.
    pub functions: Arc<[String]>,
    /// The instant from which offsets count.
    pub t0: Anchor,
    /// Own lag above which the loader counts as too slow.
    pub lag_bound: Duration,
    /// The response time that counts for goodput; absent: any.
    pub slo: Option<Duration>,
    /// Whether functions run for as long as requested, so that a slowdown says something.
    pub is_timed: bool,
    /// The requested arrivals, with which the sent ones are compared.
    pub arrivals: AskedArrivals,
    /// What gathers the findings of the run's mode.
    pub collector: Box<dyn Collector>,
    /// Where the scheduling latencies of a warm-up go.
    pub latencies: Latencies,
    /// The scales of the functions, which rows show.
    pub scales: Arc<ScaleHistory>,
    /// Receives the spans of invocations; absent: none are exported.
    pub spans: Option<RowSpans>,
    /// The expectations that end the run; absent: none does.
    pub aborts: Option<Aborts>,
    /// Where figures are exported.
    pub metrics: Metrics,
    /// The channel on which the run's progress is published.
    pub progress: watch::Sender<Progress>,
    /// The clock of all time stamps.
    pub clock: Clock,
}

impl RecorderSettings {
    fn rules(&self) -> Rules {
        let Self { t0, lag_bound, slo, is_timed, .. } = *self;
        Rules { t0, lag_bound, slo, is_timed }
    }
}

/// The results of recording.
#[derive(Debug)]
pub struct Recorded {
    /// The statistics of the run.
    pub statistics: Statistics,
    /// The findings of the run's mode; absent for a mode that has none.
    pub findings: Option<Box<dyn Findings>>,
    /// By instance: when its first invocation was answered.
    pub first_replies: HashMap<String, UnixMicros>,
    /// Why records are missing, if some could not be written. Figures are complete all the same.
    pub error: Option<RecordError>,
}

/// Keeps the records of one run.
pub struct Recorder {
    settings: RecorderSettings,
    invocations: CsvFile<schema::Invocations>,
    slot_rows: CsvFile<schema::Slots>,
    slots: Slots,
    statistics: Statistics,
    window: Window,
    worker_lags: RecentLags,
    exported_stalls: export::ExportedStalls,
    target: Option<SlotHead>,
    /// When the load was stopped, where that was said.
    stopped: Option<Offset>,
    first_replies: HashMap<String, UnixMicros>,
    error: Option<RecordError>,
    missed: Option<Missed>,
    failure: watch::Sender<Option<String>>,
}

impl Recorder {
    /// Makes the files in the run's directory. `failure` is set at once when a record cannot be written.
    ///
    /// # Errors
    /// A file that cannot be created.
    pub fn create(
        directory: &Path,
        settings: RecorderSettings,
        failure: watch::Sender<Option<String>>,
    ) -> Result<Self, RecordError> {
        Ok(Self {
            invocations: CsvFile::create(directory)?,
            slot_rows: CsvFile::create(directory)?,
            slots: Slots::new(settings.t0, settings.lag_bound),
            statistics: Statistics::new(settings.functions.len(), settings.arrivals, settings.rules()),
            window: Window::default(),
            worker_lags: RecentLags::default(),
            exported_stalls: export::ExportedStalls::default(),
            target: None,
            stopped: None,
            first_replies: HashMap::new(),
            error: None,
            missed: None,
            failure,
            settings,
        })
    }

    /// Takes events until there are no more senders, then makes the files durable.
    pub fn run(mut self, mut events: mpsc::Receiver<Event>) -> Recorded {
        let mut batch = Vec::with_capacity(BATCH);
        let mut updated = self.settings.clock.now();
        while events.blocking_recv_many(&mut batch, BATCH) > 0 {
            self.settings.metrics.records_queued(events.len() as u64);
            let more = batch.len() == BATCH;
            batch.drain(..).for_each(|event| self.take(event));
            // A slow disk keeps the next tick waiting in the channel.
            let now = self.settings.clock.now();
            if now.saturating_duration_since(updated) >= BEHIND {
                self.tick();
                updated = now;
            }
            if !more {
                // So that rows gather, and not each of them wakes this thread: that would cost more than the row.
                std::thread::sleep(NAP);
            }
        }
        self.tick();
        if self.error.is_none() {
            let synced = self.invocations.sync().and_then(|()| self.slot_rows.sync());
            self.check(synced);
        }
        Recorded {
            statistics: self.statistics,
            findings: self.settings.collector.finish(),
            first_replies: self.first_replies,
            error: self.error,
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Opened { head, memory } => {
                self.slots.opened(head, memory);
                self.settings.metrics.target_rate(head.rate);
                self.settings.collector.slot_opened(&head);
                self.target = Some(head);
            }
            Event::Joined { slot, worker, memory } => self.slots.joined(slot, worker, memory),
            Event::Row(row) => self.row(&row),
            Event::Closed { head, dispatched, outcome, complete, memory_peak_mib } => {
                if complete {
                    self.settings.collector.slot_closed(&outcome);
                }
                let now = || self.settings.clock.now().saturating_duration_since(self.settings.t0.instant);
                let cut = (!complete).then(|| self.stopped.map_or_else(now, Offset::as_duration));
                let completed = self.slots.closed(head, Closed { cut, dispatched, memory_peak_mib });
                self.slot_completed(completed);
                if self.error.is_none() {
                    let synced = self.invocations.sync();
                    self.check(synced);
                }
            }
            Event::Stopped(at) => self.stopped = Some(at),
            Event::Tick => self.tick(),
        }
    }

    fn row(&mut self, row: &Row) {
        if row.planned.slot.phase == Phase::Measure {
            self.settings.collector.observe(&row.observed(self.settings.t0.instant));
        }
        let RecorderSettings { run, functions, t0, lag_bound, latencies, scales, spans, clock, .. } = &self.settings;
        self.statistics.row(row);
        let now = clock.now();
        if let (Phase::Warmup, true, Some(latency)) =
            (row.planned.slot.phase, row.succeeded(), row.scheduling_latency())
        {
            latencies.record(t0.instant + row.planned.due.as_duration(), latency);
        }
        let Outcome { cold_start, sent, response, instance, .. } = &row.outcome;
        if let (Some(true), Some(sent), Some(response)) = (cold_start, sent, response) {
            self.first_replies.insert(instance.clone(), t0.unix_at(*sent + *response));
        }
        let (lag, own_lag) = (row.lag(t0.instant), row.own_lag(t0.instant));
        if let Some(worker) = row.worker {
            self.worker_lags.add(now, worker, own_lag);
        }
        let (lag, own_lag) = (lag.map(micros), own_lag.map(micros));
        self.window.add(now, Times { lag, own_lag, response: row.outcome.response.map(micros) });
        let function = functions.get(row.planned.function.as_usize()).map_or("", String::as_str);
        if let Some(spans) = spans {
            spans.take(row, function, t0);
        }
        if self.error.is_none() {
            let saturated = row.is_saturated(t0.instant, *lag_bound);
            let instances = scales.at(row.planned.function, row.due(t0));
            let written = self.invocations.append(&row.record(run.as_str(), function, t0, saturated, instances));
            self.check(written);
        }
        self.settings.metrics.records_written(u64::from(self.error.is_none()));
        export::row(&self.settings.metrics, row, self.settings.t0.instant);
        let completed = self.slots.row(row);
        self.slot_completed(completed);
    }

    fn slot_completed(&mut self, completed: Option<CompletedSlot>) {
        let Some(completed) = completed else { return };
        if let Some(verdict) = &completed.saturated {
            self.settings.metrics.saturated(true);
            log::warn!(RUN_ID = self.settings.run.as_str(); "the loader is the bottleneck: {verdict}");
        }
        if let Some(held) = &completed.held {
            self.settings.metrics.open_loop_violated(true);
            log::warn!(RUN_ID = self.settings.run.as_str(); "the load is not open-loop: {held}");
        }
        if self.error.is_none() {
            let written = self.slot_rows.append(&slots::record(&completed.row));
            self.check(written);
        }
        self.statistics.slot_completed(completed);
    }

    fn tick(&mut self) {
        if self.error.is_none() {
            let flushed = self.invocations.flush().and_then(|()| self.slot_rows.flush());
            self.check(flushed);
        }
        let Recent { lag, own_lag, response } = self.window.figures(self.settings.clock.now());
        let statistics = &self.statistics;
        self.exported_stalls.update(&self.settings.metrics, &statistics.stalls);
        if let (Some(aborts), None) = (&mut self.settings.aborts, &self.missed) {
            let is_measuring = self.target.is_some_and(|head| head.phase == Phase::Measure);
            self.missed = aborts.judge(self.settings.clock.now(), is_measuring, statistics);
        }
        self.settings.progress.send_replace(Progress {
            slot: self.target.map_or(0, |head| head.index),
            phase: self.target.map(|head| head.phase),
            target_rate: self.target.map_or(0.0, |head| head.rate),
            completed: statistics.all.requested,
            failed: statistics.all.failed,
            cold_starts: statistics.all_cold,
            lag_p99_us: lag.percentile(0.99),
            own_lag_p99_us: own_lag.percentile(0.99),
            response_p50_us: response.percentile(0.5),
            response_p99_us: response.percentile(0.99),
            saturated: statistics.is_saturated(),
            missed: self.missed.clone(),
            workers: self.worker_lags.figures(self.settings.clock.now()),
        });
    }

    /// Notes the first failure. After it nothing more is written, so that what was written stays whole.
    fn check(&mut self, result: Result<(), RecordError>) {
        if let (Err(error), None) = (result, &self.error) {
            log::error!(RUN_ID = self.settings.run.as_str(); "records are lost: {error}");
            self.failure.send_replace(Some(error.to_string()));
            self.error = Some(error);
        }
    }
}

#[cfg(test)]
mod tests;
