//! How a run ends: its platform cleaned up, records completed, figures summarised, both sealed, the final state published.

use std::{collections::HashMap, sync::Arc};

use loader_report::expectation::Judged;

use super::{
    CleanUp, CleanedUp, Interrupts, Machine, Step, Stops,
    deploy::{Environment, Feeds},
    disturb::{self, disturbances_backup},
    driver::{CompletedLoad, Driver},
    failure::{Event, Failure},
    load::Outcome,
    warmup,
};
use crate::{
    clock::UnixMicros,
    plan::Outline,
    record::{self, DisturbanceEvent, DisturbanceFindings, Summary, SummaryFacts, summarise},
    results,
    spec::Output,
    store::{RunFile, RunSummary, State},
};

impl Driver {
    /// Undoes what the run changed of the cluster, and removes what it deployed, unless it is to be kept.
    pub(super) async fn clean(&mut self, environment: &Environment<'_>, settings_held: bool) {
        let run = self.run_id();
        let Interrupts { cancel, shutdown, give_up } = self.interrupts.clone();
        let hurry = self.stations.drain.skip_drain.clone();
        let clean_up = CleanUp {
            platform: environment.platform,
            run: &run,
            clock: self.stations.telemetry.clock,
            stops: Stops { cancel, give_up, shutdown, hurry },
        };
        let is_disturbed = !environment.spec.disturbances.is_empty();
        let undo = is_disturbed.then(|| Step::Undo(disturbances_backup(environment.directory)));
        let restore = settings_held.then(|| Step::Restore(warmup::settings_backup(environment.directory)));
        let remove = if environment.spec.deploy.keep { Step::Release } else { Step::Remove };
        let workers = environment.spec.workers.as_ref().map(|_| Step::EndWorkers);
        let steps = workers.into_iter().chain(undo).chain(restore).chain([remove]).collect();
        let waiting = |what| self.publish(|view| view.waiting_for = what);
        let (ended, failures) = clean_up.carry_out(steps, waiting).await;
        self.publish(|view| view.waiting_for = String::new());
        match ended {
            CleanedUp::Completed => failures.into_iter().for_each(|failure| self.end_uncleaned(failure)),
            CleanedUp::GivenUp => self.end_uncleaned(Failure::given_up(&failures)),
            CleanedUp::Stopped => self.is_uncleaned = true,
        }
    }

    /// The run fails by its clean-up; if it has failed before, that is added to its reason.
    fn end_uncleaned(&mut self, failure: Failure) {
        if self.machine.reason().is_empty() {
            self.end(failure);
        } else {
            self.remark.push_str(&format!("; {failure}"));
        }
    }

    /// Waits until the feeds have ended, which they do when the run is cleaned; how many instances were started.
    pub(super) async fn end_feeds(&mut self, feeds: Feeds) -> u64 {
        let (instances, errors) = feeds.ended().await;
        errors.into_iter().for_each(|error| self.end(error));
        instances
    }

    /// Completes the records and puts the figures together.
    pub(super) async fn complete(&mut self, load: CompletedLoad) -> Summary {
        let CompletedLoad { spec, outline, functions, fitted, instances_started, outcome } = load;
        let Outcome { verdict: _, t0, clock_changes, recorded, events, warmup, workers } = outcome;
        let stopped = self.after_cleaning().state() != State::Succeeded;
        self.fill_in(recorded.first_replies).await;
        let disturbances = self.effects(events, spec.kind.runs_as_requested()).await;
        self.finish_records(spec.output).await;
        let facts = SummaryFacts {
            seed: spec.seed,
            t0: t0.unix,
            not_due: not_due(stopped, &outline, recorded.statistics.rows()),
            clock_changes,
            functions,
            instances_started,
            findings: recorded.findings,
            dropped_functions: outline.dropped_functions,
            notes: outline.notes,
            warmup: fitted.map(|fitted| warmup::findings(warmup, &fitted)),
            disturbances,
            workers,
            max_clock_error: spec.workers.as_ref().map(|workers| workers.max_clock_error),
        };
        summarise(recorded.statistics, facts)
    }

    /// Completes the cold starts by the first replies of their instances.
    async fn fill_in(&mut self, replies: HashMap<String, UnixMicros>) {
        let directory = self.directory.clone();
        let filled = tokio::task::spawn_blocking(move || record::fill_in(directory.path(), &replies)).await;
        if let Ok(Err(error)) = filled {
            self.end(error);
        }
    }

    /// What the disturbances with these events did to invocations.
    async fn effects(&mut self, events: Vec<DisturbanceEvent>, is_timed: bool) -> Vec<DisturbanceFindings> {
        let directory = self.directory.clone();
        let found = tokio::task::spawn_blocking(move || disturb::findings(directory.path(), &events, is_timed)).await;
        found.unwrap_or_else(|error| {
            self.end(Failure::EffectsPanicked(error));
            Vec::new()
        })
    }

    /// The state in which the run will end as of now. It is being cleaned, and after that it can only end.
    fn after_cleaning(&self) -> Machine<Arc<Failure>> {
        let mut last = self.machine.clone();
        let _cleaned = last.apply(Event::Cleaned);
        last
    }

    /// Converts the records to the requested form. Those of a failed run are left as they are.
    async fn finish_records(&mut self, output: Output) {
        if !matches!(self.after_cleaning().state(), State::Succeeded | State::Cancelled) {
            return;
        }
        let directory = self.directory.clone();
        let finished = tokio::task::spawn_blocking(move || results::finish(directory.path(), output)).await;
        match finished {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.end(error),
            Err(error) => self.end(Failure::FinishingPanicked(error)),
        }
    }

    /// Writes the manifest of all other files of the run.
    async fn seal(&mut self) {
        let (directory, run, state) = (self.directory.clone(), self.run_id(), self.after_cleaning().state());
        let now = self.stations.telemetry.clock.unix();
        let sealed = tokio::task::spawn_blocking(move || directory.seal(&run, state, now)).await;
        match sealed {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.end(error),
            Err(error) => self.end(Failure::SealingPanicked(error)),
        }
    }

    /// The summary, with the state in which the run ends as of now.
    fn summary(&self, load: Summary) -> RunSummary {
        let (last, file) = (self.after_cleaning(), &self.view.borrow().file);
        RunSummary {
            run_id: file.run_id.clone(),
            name: file.name.clone(),
            mode: file.mode.clone(),
            platform: file.platform.clone(),
            state: last.state(),
            reason: last.reason() + &self.remark,
            expectations: self.judged(&load),
            load,
        }
    }

    /// Which expectations of the spec are met. The one that ended the run is not, whatever came in afterwards.
    fn judged(&self, load: &Summary) -> Vec<Judged> {
        let spec = Arc::clone(&self.view.borrow().spec);
        let Ok(request) = &spec.checked else { return Vec::new() };
        let ended_by = match self.machine.failure().map(|failure| &**failure) {
            Some(Failure::Missed(missed)) => Some(missed.expectation.as_str()),
            Some(_) | None => None,
        };
        let figures = self.directory.figures(load);
        let judged = request.run.expectations.iter().map(|it| it.judge(&figures));
        judged.map(|it| Judged { aborted: ended_by == Some(it.expectation.as_str()), ..it }).collect()
    }

    /// Publishes how the run ended, with its summary and manifest, once all are on disk.
    pub(super) async fn finish(&mut self, load: Option<Summary>) {
        if let Some(load) = load {
            let summary = self.summary(load);
            if let Err(error) = self.directory.save_summary(&summary) {
                self.end(error);
            }
            let met = |it: &Judged| Some((it.expectation.clone(), it.is_met.map(|met| met && !it.aborted)?));
            self.stations.telemetry.metrics.expectations(summary.expectations.iter().filter_map(met));
            self.publish(|view| view.summary = Some(Arc::new(summary)));
        }
        self.seal().await;
        if self.is_uncleaned {
            return self.leave();
        }
        self.apply(Event::Cleaned);
        let metrics = &self.stations.telemetry.metrics;
        metrics.idle();
        metrics.run_ended(self.machine.state().as_str());
    }
}

impl Driver {
    /// Leaves the run as it is, with all but its clean-up done: the daemon's next start goes on with that.
    fn leave(&self) {
        let ends_as = Some(self.after_cleaning().state());
        let file = RunFile { ends_as, reason: self.reason(), ..self.view.borrow().file.clone() };
        if let Err(error) = self.directory.save(&file) {
            log::error!(RUN_ID = file.run_id.as_str(); "cannot save the run's state: {error}");
        }
        log::warn!(RUN_ID = file.run_id.as_str(); "the daemon's next start goes on with the clean-up");
        self.publish(|view| view.file = file);
        self.stations.telemetry.metrics.idle();
    }
}

/// Invocations of the plan that had not come due when the run was stopped, of which `came_due` have.
fn not_due(stopped: bool, outline: &Outline, came_due: u64) -> Option<u64> {
    let planned: u64 = outline.slots.iter().map(|slot| slot.invocations).sum();
    match (stopped, outline.open_ended) {
        (false, _) => Some(0),
        (true, false) => Some(planned.saturating_sub(came_due)),
        (true, true) => None,
    }
}
