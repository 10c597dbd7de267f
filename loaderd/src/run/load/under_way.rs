//! A load under way: paced, drained, recorded, and reported meanwhile.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior},
};

use super::{observer::LoadObserver, outcome::Ended, sender::Sender};
use crate::{
    dispatch::{Counters, Running},
    invoke::{ConnectionCount, Status},
    plan::Phase,
    platform::PlatformError,
    record::{Event, HostRecorder, Occupancy, Progress, Recorded},
    run::{
        DrainLimits, Interrupts, Telemetry,
        failure::{Failure, LoadError},
        progress::{ProgressFacts, progress},
        warmup::WarmupOutcome,
    },
    spec::RunSpec,
};

/// How often records are flushed and progress is reported.
const TICK: Duration = Duration::from_millis(250);

/// Capacity of the channel of events to the recorder.
pub(super) const EVENTS: usize = 1 << 16;

/// A load under way.
pub(super) struct UnderWay<'a> {
    pub(super) drain: &'a DrainLimits,
    pub(super) telemetry: &'a Telemetry,
    pub(super) spec: &'a RunSpec,
    pub(super) facts: ProgressFacts,
    pub(super) sender: Sender,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) counters: Arc<Counters>,
    pub(super) connections: ConnectionCount,
    pub(super) progress: watch::Receiver<Progress>,
    pub(super) failure: watch::Receiver<Option<String>>,
    pub(super) host: HostRecorder,
    /// Due invocations that were exported to the metrics.
    pub(super) scheduled: u64,
    /// Whether the load is still in its warm-up.
    pub(super) warming: bool,
}

impl UnderWay<'_> {
    /// Runs until the last invocation was dispatched, or the load is ended early. Controls the warm-up meanwhile.
    pub(super) async fn pace(
        &mut self,
        interrupts: &Interrupts,
        warmup: Option<impl Future<Output = Result<WarmupOutcome, PlatformError>>>,
        warmup_outcome: &mut Option<WarmupOutcome>,
        observer: &mut impl LoadObserver,
    ) -> Result<Ended, LoadError> {
        let mut warming_up = std::pin::pin!(async {
            match warmup {
                Some(warmup) => warmup.await,
                None => std::future::pending().await,
            }
        });
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            tokio::select! {
                biased;
                () = interrupts.cancel.cancelled() => break Ended::Cancelled,
                () = interrupts.shutdown.cancelled() => break Ended::Shutdown,
                () = failed(&mut self.failure) => break Ended::RecordsLost,
                paced = self.sender.paced() => match paced? {
                    Ok(()) => return Ok(Ended::Complete),
                    Err(lost) => break Ended::Failed(Failure::WorkerLost(lost)),
                },
                ended = &mut warming_up, if warmup_outcome.is_none() => match ended {
                    Ok(outcome) => *warmup_outcome = Some(outcome),
                    Err(error) => break Ended::Failed(Failure::WarmUp(error)),
                },
                _ = tick.tick() => {
                    self.tick(observer);
                    if self.spec.saturation.abort && self.progress.borrow().saturated {
                        break Ended::Failed(Failure::Saturated);
                    }
                    if let Some(missed) = self.progress.borrow().missed.clone() {
                        break Ended::Failed(Failure::Missed(missed));
                    }
                }
            }
        };
        self.sender.stop();
        self.sender.stopped().await?;
        Ok(ended)
    }

    /// Waits until everything that was sent has ended; for less, or not at all, when the run is ended early.
    pub(super) async fn drain(
        &mut self,
        interrupts: &Interrupts,
        ended: &mut Ended,
        observer: &mut impl LoadObserver,
    ) -> Result<(), LoadError> {
        let begun = self.telemetry.clock.now();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = begun + self.drain_timeout(ended);
            tokio::select! {
                biased;
                drained = self.sender.drained() => return drained,
                () = interrupts.cancel.cancelled(), if !matches!(ended, Ended::Cancelled) => *ended = Ended::Cancelled,
                () = interrupts.shutdown.cancelled(), if matches!(ended, Ended::Complete) => *ended = Ended::Shutdown,
                () = self.drain.skip_drain.cancelled() => break,
                () = tokio::time::sleep_until(deadline) => break,
                _ = tick.tick() => self.tick(observer),
            }
        }
        self.sender.cancel_calls(if matches!(ended, Ended::Cancelled) {
            Status::Cancelled
        } else {
            Status::Unfinished
        });
        self.hand_over(interrupts, ended, observer).await
    }

    /// Waits until everything that was recorded is here. Workers that are far behind take their time, unless the run is ended early.
    async fn hand_over(
        &mut self,
        interrupts: &Interrupts,
        ended: &mut Ended,
        observer: &mut impl LoadObserver,
    ) -> Result<(), LoadError> {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if matches!(ended, Ended::Cancelled | Ended::Shutdown) {
                self.sender.hurry();
            }
            tokio::select! {
                biased;
                drained = self.sender.drained() => return drained,
                () = interrupts.cancel.cancelled(), if !matches!(ended, Ended::Cancelled) => *ended = Ended::Cancelled,
                () = interrupts.shutdown.cancelled(), if matches!(ended, Ended::Complete) => *ended = Ended::Shutdown,
                _ = tick.tick() => self.tick(observer),
            }
        }
    }

    /// Waits until everything is written, which a slow disk delays.
    pub(super) async fn recorded(
        self,
        recorder: &mut Running<Recorded>,
        observer: &mut impl LoadObserver,
    ) -> Result<(Recorded, Sender, HostRecorder), LoadError> {
        let Self { telemetry, mut facts, sender, events, counters, progress: figures, host, .. } = self;
        // The recorder ends with its last sender.
        drop(events);
        let now = telemetry.clock.now();
        let workers = sender.standings();
        let mut report = || observer.progress(progress(&mut facts, now, &counters, &workers, figures.borrow().clone()));
        let mut taken = std::pin::pin!(recorder.take());
        let mut tick = tokio::time::interval(TICK);
        let recorded = loop {
            tokio::select! {
                biased;
                recorded = &mut taken => break recorded?,
                _ = tick.tick() => report(),
            }
        };
        report();
        Ok((recorded, sender, host))
    }

    /// How long answers are awaited after the last send.
    fn drain_timeout(&self, ended: &Ended) -> Duration {
        match ended {
            Ended::Complete => self.spec.timeouts.drain,
            Ended::Shutdown => self.spec.timeouts.drain.min(self.drain.shutdown),
            Ended::Failed(_) | Ended::RecordsLost | Ended::Cancelled => Duration::ZERO,
        }
    }

    /// Exports the invocations that came due since the last call.
    pub(super) fn export_scheduled(&mut self) {
        let due = self.counters.due();
        self.telemetry.metrics.scheduled(due - self.scheduled);
        self.scheduled = due;
    }

    fn tick(&mut self, observer: &mut impl LoadObserver) {
        self.export_scheduled();
        // A recorder that is behind flushes anyway.
        let _behind = self.events.try_send(Event::Tick);
        let metrics = &self.telemetry.metrics;
        let in_flight = self.counters.in_flight();
        metrics.in_flight(in_flight);
        metrics.memory_in_flight(self.counters.memory_in_flight_mib());
        metrics.connections(self.connections.open(), self.connections.connecting());
        let queued = (EVENTS - self.events.capacity()) as u64;
        let open_connections = self.connections.open();
        self.host.tick(Occupancy { in_flight, open_connections, records_queued: queued });
        let now: Instant = self.telemetry.clock.now();
        let figures = self.progress.borrow().clone();
        if self.warming && figures.phase == Some(Phase::Measure) {
            self.warming = false;
            observer.measurement_started();
        }
        let workers = self.sender.standings();
        observer.progress(progress(&mut self.facts, now, &self.counters, &workers, figures));
    }
}

/// Waits until a record could not be written. The recorder returns the error when it ends.
async fn failed(failure: &mut watch::Receiver<Option<String>>) {
    if failure.wait_for(Option::is_some).await.is_err() {
        // The recorder has ended without a failure.
        std::future::pending().await
    }
}
