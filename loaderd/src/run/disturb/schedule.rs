//! The task that carries disturbances out when they are due, and undoes them.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{Anchor, Clock, UnixMicros},
    disturbance::{Action, Disturbance, Lasting},
    id::RunId,
    metrics::Metrics,
    platform::{Disturb, Platform, PlatformError, SettingsBackup},
    record::{DisturbanceEvent, EventOutcome, EventRows, RecordError, Stage},
    run::{RunView, Telemetry},
};

/// How long the platform may take once the load is over. What it has not undone by then the clean-up does.
const GRACE: Duration = Duration::from_secs(10);

/// The disturbances of a run, before its load.
pub(in crate::run) struct Schedule {
    platform: Arc<dyn Platform>,
    run: RunId,
    disturbances: Vec<Disturbance>,
    backup: SettingsBackup,
    log: EventLog,
    clock: Clock,
}

/// The disturbances of a load under way.
pub(in crate::run) struct Disturbing {
    stop: CancellationToken,
    task: JoinSet<Disturbed>,
}

/// What came of them: the events, and whether all were recorded.
pub(in crate::run) type Disturbed = (Vec<DisturbanceEvent>, Result<(), RecordError>);

/// Takes what happens: into events.csv, the run's view, and a list.
struct EventLog {
    kept: Mutex<Kept>,
    view: watch::Sender<Arc<RunView>>,
    metrics: Metrics,
}

struct Kept {
    rows: EventRows,
    events: Vec<DisturbanceEvent>,
    written: Result<(), RecordError>,
}

impl EventLog {
    fn take(&self, run: &RunId, event: DisturbanceEvent) {
        let DisturbanceEvent { number, stage, kind, target, outcome, detail, .. } = &event;
        let (name, stage) = (kind.as_str(), stage.as_str());
        match outcome {
            EventOutcome::Failed => {
                log::warn!(RUN_ID = run.as_str(); "disturbance {number}, {name} of {target}: {stage} failed: {detail}");
            }
            EventOutcome::Ok | EventOutcome::NotDue => {
                if *outcome == EventOutcome::Ok {
                    self.metrics.disturbed(stage);
                }
                let outcome = outcome.as_str();
                log::info!(RUN_ID = run.as_str(); "disturbance {number}, {name} of {target}: {stage} {outcome}: {detail}");
            }
        }
        let mut kept = self.kept();
        if kept.written.is_ok() {
            kept.written = kept.rows.append(&event);
        }
        kept.events.push(event.clone());
        drop(kept);
        self.view.send_modify(|view| Arc::make_mut(view).events.push(event));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedule {
    /// The disturbances of a run on `platform`; their file is made in the run's directory, and each is added to `view`.
    ///
    /// # Errors
    /// A file that cannot be created.
    pub(in crate::run) fn create(
        (platform, run): (Arc<dyn Platform>, RunId),
        disturbances: Vec<Disturbance>,
        (directory, backup): (&Path, SettingsBackup),
        view: watch::Sender<Arc<RunView>>,
        telemetry: &Telemetry,
    ) -> Result<Self, RecordError> {
        let kept = Kept { rows: EventRows::create(directory)?, events: Vec::new(), written: Ok(()) };
        let log = EventLog { kept: Mutex::new(kept), view, metrics: telemetry.metrics.clone() };
        Ok(Self { platform, run, disturbances, backup, log, clock: telemetry.clock })
    }

    /// Begins with the load, whose start is `t0`.
    pub(in crate::run) fn begin(self, t0: Anchor) -> Disturbing {
        let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
        task.spawn(self.carry_out(t0, stop.clone()));
        Disturbing { stop, task }
    }

    async fn carry_out(self, t0: Anchor, stop: CancellationToken) -> Disturbed {
        let Self { platform, run, disturbances, backup, log, clock } = self;
        if let Some(disturb) = platform.disturb() {
            let (run, backup, log, stop) = (&run, &backup, &log, &stop);
            let all = (0..).zip(&disturbances).map(|(number, disturbance)| {
                let course = Course { disturb, run, number, backup, log, stop, clock };
                course.run(disturbance, t0)
            });
            join_all(all).await;
        }
        let Kept { rows: _, events, written } = log.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        (events, written)
    }
}

/// The course of one disturbance.
struct Course<'a> {
    disturb: &'a dyn Disturb,
    run: &'a RunId,
    number: u32,
    backup: &'a SettingsBackup,
    log: &'a EventLog,
    stop: &'a CancellationToken,
    clock: Clock,
}

impl Course<'_> {
    async fn run(self, disturbance: &Disturbance, t0: Anchor) {
        let Disturbance { at, action } = disturbance;
        let due = t0.unix.plus(*at);
        let stopped = tokio::select! {
            biased;
            () = self.stop.cancelled() => true,
            () = sleep_until(t0.instant + *at) => false,
        };
        if stopped {
            return self.log.take(self.run, DisturbanceEvent::not_due((self.number, action), due));
        }
        let begun = self.in_time(self.disturb.begin(self.run, self.number, action, self.backup)).await;
        let has_begun = begun.is_ok();
        self.log((action, t0), Stage::Begin, due, begun);
        match action.lasting() {
            Some(lasting) if has_begun => self.last(action, lasting, t0).await,
            // What was changed before it failed.
            Some(_) => drop(self.in_time(self.disturb.end(self.run, self.number, self.backup)).await),
            None => {}
        }
    }

    /// Waits while it lasts, and undoes it.
    async fn last(&self, action: &Action, lasting: Lasting, t0: Anchor) {
        let over = lasting.map(|lasting| self.clock.now() + lasting);
        let is_over = async {
            match over {
                Some(over) => sleep_until(over).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = is_over => {}
        }
        let now = self.clock.now();
        let due = t0.unix_at(over.map_or(now, |over| over.min(now)));
        let ended = self.in_time(self.disturb.end(self.run, self.number, self.backup)).await;
        self.log((action, t0), Stage::End, due, ended);
    }

    /// What the platform was asked for, unless it takes too long once the load is over.
    async fn in_time(&self, asked: impl Future<Output = Result<String, PlatformError>>) -> Result<String, String> {
        let is_late = async {
            self.stop.cancelled().await;
            sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            answered = asked => answered.map_err(|error| error.to_string()),
            () = is_late => Err("no answer after the end of the load: left to the clean-up".to_owned()),
        }
    }

    fn log(&self, (action, t0): (&Action, Anchor), stage: Stage, due: UnixMicros, done: Result<String, String>) {
        let done = done.map(|changed| (t0.unix_at(self.clock.now()), changed));
        self.log.take(self.run, DisturbanceEvent::of((self.number, action), stage, due, done));
    }
}

impl Disturbing {
    /// The load is over: nothing more is begun, and what lasts is undone.
    pub(in crate::run) fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until everything is undone that could be; what came of it.
    pub(in crate::run) async fn ended(mut self) -> Disturbed {
        self.stop();
        match self.task.join_next().await {
            Some(Ok(disturbed)) => disturbed,
            // A panic, which is logged where it happens.
            None | Some(Err(_)) => (Vec::new(), Ok(())),
        }
    }
}

#[cfg(test)]
mod tests;
