//! The run under way of a study: awaited, judged, and written down.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    ClientStage, Stage,
    driver::{Driver, Halt},
    judge::{self, Judgement},
};
use crate::{
    id::RunId,
    registry::{RegistryError, Scope, Selector},
    run::RunView,
    study::{Attempt, AttemptEnd, StudyPlan},
};

impl Driver {
    /// Awaits the run under way for the planned run at `index`, and writes down what it is to the study.
    pub(super) async fn await_run(&mut self, plan: &StudyPlan, index: usize) -> Result<(), Halt> {
        let Some(run) = self.last(index).map(|attempt| attempt.run_id.clone()) else { return Ok(()) };
        self.show(Stage { next: Some(index), run: Some(run.clone()), ..Stage::default() });
        let views = match self.parts.registry.watch(Selector::Id(run.clone())).await {
            Ok(views) => views,
            Err(RegistryError::NotFound(_)) => {
                return self.write_down(index, Judgement::not(AttemptEnd::Deleted, "it was deleted by hand")).await;
            }
            Err(error) => return Err(error.into()),
        };
        let view = self.ended(&run, views).await?;
        let (directory, store) = (self.parts.runs.directory(&run), self.parts.studies.clone());
        let figure = plan.settings.until.as_ref().map(|until| until.figure.clone());
        let finished = view.file.finished_unix_us;
        let judged =
            tokio::task::spawn_blocking(move || judge::judge(&view, &directory, store.codec(), figure.as_deref()));
        // Fails only when the runtime ends.
        let mut judgement = judged.await.map_err(|_| Halt::Shutdown)?;
        self.file.last_run_finished_unix_us = finished.or(self.file.last_run_finished_unix_us);
        if judgement.end != AttemptEnd::Interrupted && !self.orders.cancel.is_cancelled() {
            let after =
                self.hook_of_run(plan.settings.hooks.after_run.as_deref(), ClientStage::AfterRun, (index, &run));
            if let Err(reason) = after.await? {
                judgement = Judgement::not(AttemptEnd::Failed, reason);
            }
        }
        self.write_down(index, judgement).await
    }

    /// The run's view once it has ended. A run of a study that is cancelled is cancelled, too.
    async fn ended(&self, run: &RunId, mut views: watch::Receiver<Arc<RunView>>) -> Result<Arc<RunView>, Halt> {
        let mut is_cancelled = false;
        loop {
            let view = views.borrow_and_update().clone();
            if view.file.state.is_terminal() {
                return Ok(view);
            }
            tokio::select! {
                biased;
                () = self.orders.cancel.cancelled(), if !is_cancelled => {
                    is_cancelled = true;
                    self.parts.registry.cancel(Selector::Id(run.clone()), Scope::All).await?;
                }
                // Fails when the registry has ended, which it does when the daemon does.
                changed = views.changed() => changed.map_err(|_| Halt::Shutdown)?,
            }
        }
    }

    /// Ends the run under way of a study that is not carried out further, and writes down how it ended.
    pub(super) async fn end_run_under_way(&mut self) -> Result<(), Halt> {
        let under_way =
            self.file.runs.iter().position(|run| run.attempts.last().is_some_and(|last| last.end.is_none()));
        let Some(index) = under_way else { return Ok(()) };
        let Some(run) = self.last(index).map(|attempt| attempt.run_id.clone()) else { return Ok(()) };
        self.orders.cancel.cancel();
        match self.parts.registry.watch(Selector::Id(run.clone())).await {
            Ok(views) => {
                let view = self.ended(&run, views).await?;
                let end = Judgement::not(
                    AttemptEnd::Cancelled,
                    format!("the study ended while it was under way: {}", view.file.state.as_str()),
                );
                self.write_down(index, end).await
            }
            // It was written down, and not submitted.
            Err(RegistryError::NotFound(_)) => {
                self.forget(index);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes down what the last run for the planned run at `index` is to the study.
    pub(super) async fn write_down(&mut self, index: usize, judgement: Judgement) -> Result<(), Halt> {
        let Judgement { end, reason, figure } = judgement;
        if let Some(attempt) = self.file.runs.get_mut(index).and_then(|run| run.attempts.last_mut()) {
            if end != AttemptEnd::Sample {
                log::warn!(RUN_ID = attempt.run_id.as_str(); "no sample of study {}: {reason}", self.file.study_id);
            }
            *attempt = Attempt { end: Some(end), reason, figure, ..attempt.clone() };
        }
        self.save().await
    }

    /// Forgets the last run for the planned run at `index`, which was not submitted.
    pub(super) fn forget(&mut self, index: usize) {
        if let Some(run) = self.file.runs.get_mut(index) {
            run.attempts.pop();
        }
    }

    fn last(&self, index: usize) -> Option<&Attempt> {
        self.file.runs.get(index)?.attempts.last()
    }
}
