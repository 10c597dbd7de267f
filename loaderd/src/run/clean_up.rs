//! The clean-up of a run: its workers ended, its disturbances undone, the cluster's settings restored and its functions removed, however
//! long the platform is away.
//!
//! ```text
//! attempt ─┬─▶ done, or refused for good
//!          └─▶ the platform is away ─▶ published ─▶ pause ─▶ attempt
//!                                                     └─ told to stop: by a user, or as the daemon ends
//! ```
//!
//! An API server that has just come back refuses what is allowed, or does not know all resources. What gives up then leaves functions
//! that run and settings that are not the administrator's.

use std::{fmt::Write as _, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{disturb::disturbances_backup, failure::Failure, warmup::settings_backup};
use crate::{
    clock::Clock,
    id::RunId,
    platform::{Platform, PlatformError, SettingsBackup},
    store::RunDirectory,
};

/// The first pause between two attempts; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause while the outage is a short one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long an outage counts as a short one.
const SHORT_OUTAGE: Duration = Duration::from_mins(10);
/// The pause between two attempts in a long outage.
const SLOW_PAUSE: Duration = Duration::from_mins(2);
/// How long it is still tried when the daemon ends. The next start goes on with it.
const GRACE: Duration = Duration::from_secs(30);

/// A step of a clean-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// What its disturbances changed is changed back.
    Undo(SettingsBackup),
    /// The settings of the cluster are restored.
    Restore(SettingsBackup),
    /// Its workers are ended.
    EndWorkers,
    /// What the run deployed is removed.
    Remove,
    /// What the run deployed is kept.
    Release,
}

impl Step {
    /// Undoes what a run has changed of the cluster, by the backups that are in its directory. Not each disturbance has one: with
    /// `is_disturbed` they are undone without one, too.
    pub(crate) fn reverting(directory: &RunDirectory, is_disturbed: bool) -> Vec<Self> {
        let (disturbances, settings) = (disturbances_backup(directory), settings_backup(directory));
        let undo = (is_disturbed || disturbances.exists()).then_some(Self::Undo(disturbances));
        let restore = settings.exists().then_some(Self::Restore(settings));
        undo.into_iter().chain(restore).collect()
    }

    fn failure(&self, error: PlatformError) -> Failure {
        match self {
            Self::Undo(_) => Failure::Undoing(error),
            Self::Restore(_) => Failure::Restoring(error),
            Self::EndWorkers => Failure::EndingWorkers(error),
            Self::Remove | Self::Release => Failure::Cleaning(error),
        }
    }
}

/// What ends a clean-up that waits for its platform.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stops {
    /// A user has cancelled the run: nothing is waited for that ends by itself.
    pub(crate) cancel: CancellationToken,
    /// A user gives up. Ends an attempt too.
    pub(crate) give_up: CancellationToken,
    /// The daemon ends.
    pub(crate) shutdown: CancellationToken,
    /// The daemon ends soon.
    pub(crate) hurry: CancellationToken,
}

/// How a clean-up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CleanedUp {
    /// Each step was done, or refused for good.
    Completed,
    /// A user gave up.
    GivenUp,
    /// The daemon ends: the next start goes on with it.
    Stopped,
}

/// What is cleaned up.
pub(crate) struct CleanUp<'a> {
    pub(crate) platform: &'a dyn Platform,
    pub(crate) run: &'a RunId,
    pub(crate) clock: Clock,
    pub(crate) stops: Stops,
}

impl CleanUp<'_> {
    /// Does the steps, in their order. `waiting` is called with what each failed attempt met.
    ///
    /// Returns how it ended, and what went wrong with the steps that were not done.
    pub(crate) async fn carry_out(
        &self,
        mut steps: Vec<Step>,
        mut waiting: impl FnMut(String) + Send,
    ) -> (CleanedUp, Vec<Failure>) {
        let begun = self.clock.now();
        let mut stopped = std::pin::pin!(self.stopped());
        let (mut refused, mut away) = (Vec::new(), Vec::new());
        for attempt in 0.. {
            let attempted = tokio::select! {
                biased;
                attempted = self.attempt(steps.clone()) => attempted,
                () = self.stops.give_up.cancelled() => break,
            };
            let (failed, left): (Vec<_>, Vec<_>) = attempted.into_iter().partition(|(_, error)| !error.may_pass());
            refused.extend(failed.into_iter().map(|(step, error)| step.failure(error)));
            if left.is_empty() {
                return (CleanedUp::Completed, refused);
            }
            (steps, away) = left.into_iter().map(|(step, error)| (step.clone(), step.failure(error))).unzip();
            let what = joined(&away);
            let pause = pause(attempt, self.clock.now().saturating_duration_since(begun));
            let next = humantime::format_duration(pause);
            log::warn!(RUN_ID = self.run.as_str(); "{what}; tried again in {next}");
            waiting(what);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stops.give_up.cancelled() => break,
                () = &mut stopped => {
                    self.release().await;
                    return (CleanedUp::Stopped, merged(refused, away));
                }
            }
        }
        self.release().await;
        (CleanedUp::GivenUp, merged(refused, away))
    }

    /// The steps that failed, of those that are left.
    async fn attempt(&self, steps: Vec<Step>) -> Vec<(Step, PlatformError)> {
        let mut failed = Vec::new();
        for step in steps {
            let done = match &step {
                Step::Undo(backup) => match self.platform.disturb() {
                    Some(disturb) => disturb.restore(self.run, backup).await,
                    None => Ok(()),
                },
                Step::Restore(backup) => match self.platform.warm_up() {
                    Some(warm_up) => warm_up.restore_settings(self.run, backup).await,
                    None => Ok(()),
                },
                Step::EndWorkers => match self.platform.workers() {
                    Some(workers) => workers.stop(self.run, &self.stops.cancel).await,
                    None => Ok(()),
                },
                Step::Remove => self.platform.clean(self.run).await,
                Step::Release => self.platform.release(self.run).await,
            };
            failed.extend(done.err().map(|error| (step, error)));
        }
        failed
    }

    /// The feeds of the run end, which a clean-up that was not completed may not have done.
    async fn release(&self) {
        if let Err(error) = self.platform.release(self.run).await {
            log::warn!(RUN_ID = self.run.as_str(); "{error}");
        }
    }

    /// Returns when it has to stop, as the daemon ends.
    async fn stopped(&self) {
        self.stops.shutdown.cancelled().await;
        tokio::select! {
            () = tokio::time::sleep(GRACE) => {}
            () = self.stops.hurry.cancelled() => {}
        }
    }
}

/// The pause after an attempt, from 0, when the clean-up has lasted so long.
fn pause(attempt: u32, lasted: Duration) -> Duration {
    if lasted >= SHORT_OUTAGE {
        return SLOW_PAUSE;
    }
    FIRST_PAUSE.saturating_mul(1 << attempt.min(10)).min(LONGEST_PAUSE)
}

fn merged(mut refused: Vec<Failure>, away: Vec<Failure>) -> Vec<Failure> {
    refused.extend(away);
    refused
}

/// Failures as one text.
fn joined(failures: &[Failure]) -> String {
    failures.iter().fold(String::new(), |mut text, failure| {
        let separator = if text.is_empty() { "" } else { "; " };
        let _never_fails = write!(text, "{separator}{failure}");
        text
    })
}

#[cfg(test)]
mod tests;
