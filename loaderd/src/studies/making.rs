//! The next run of a study: taken over from before the study, or made.

use std::time::Duration;

use super::{
    ClientStage, Stage,
    driver::{Driver, Halt},
    judge::{self, Judgement},
};
use crate::{
    clock::UnixMicros,
    id::RunId,
    plan::Request,
    registry::{RegistryError, Selector, Submission},
    store::{StudyPlace, SubmittedSpec},
    study::{Attempt, AttemptEnd, StudyPlan},
    units,
};

/// How long the study waits before it asks again for room in the queue of runs.
const QUEUE_PAUSE: Duration = Duration::from_secs(5);

impl Driver {
    /// Makes a run for the planned run at `index`, or takes one over.
    pub(super) async fn make(&mut self, plan: &StudyPlan, index: usize) -> Result<(), Halt> {
        let Some(planned) = self.file.runs.get(index).map(|run| run.planned()) else { return Ok(()) };
        self.show(Stage { next: Some(index), ..Stage::default() });
        let spec = self.parts.studies.codec().spec_of(plan, planned);
        let request = spec.checked.clone().map_err(|violations| {
            let faults: Vec<_> = violations.iter().map(ToString::to_string).collect();
            Halt::Failed(format!("a run's spec is not valid any more: {}", faults.join("; ")))
        })?;
        if self.file.reuse && self.take_over(plan, index, (&spec, &request)).await? {
            return Ok(());
        }
        self.pause(plan, index).await?;
        self.await_idle(plan, index, request.run.platform.as_str()).await?;
        let run = self.parts.registry.reserve().await?;
        self.needed.send_modify(|needed| needed.runs.extend([run.clone()]));
        let attempts = &mut self.file.runs[index].attempts;
        attempts.push(Attempt::new(run.clone()));
        let attempt = units::to_u32(attempts.len() - 1);
        self.save().await?;
        let before = self.hook_of_run(plan.settings.hooks.before_run.as_deref(), ClientStage::BeforeRun, (index, &run));
        if let Err(reason) = before.await? {
            return self.write_down(index, Judgement::not(AttemptEnd::Failed, reason)).await;
        }
        let place = StudyPlace {
            study_id: self.file.study_id.clone(),
            cell: planned.cell,
            repeat: planned.repeat,
            round: planned.round,
            attempt,
        };
        self.submit(index, (spec, &request), (run, place)).await
    }

    /// Submits the run that was written down.
    async fn submit(
        &mut self,
        index: usize,
        (spec, request): (SubmittedSpec, &Request),
        study: (RunId, StudyPlace),
    ) -> Result<(), Halt> {
        let submission = Submission {
            spec,
            name: request.run.name.clone(),
            mode: request.run.mode,
            platform: request.run.platform.as_str().to_owned(),
            owner: self.file.owner.clone(),
            idempotency_key: String::new(),
            study: Some(study),
        };
        loop {
            match self.parts.registry.submit(submission.clone()).await {
                Ok(_) => return Ok(()),
                Err(RegistryError::QueueFull) => {
                    self.show(Stage {
                        next: Some(index),
                        waiting_for: "room in the queue of runs".to_owned(),
                        ..Stage::default()
                    });
                    self.wait(tokio::time::sleep(QUEUE_PAUSE)).await?;
                }
                Err(RegistryError::Store(error)) => {
                    self.write_down(index, Judgement::not(AttemptEnd::Failed, error.to_string())).await?;
                    // The next run would fare no better.
                    return if error.is_full() { Err(Halt::Failed(error.to_string())) } else { Ok(()) };
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes over a run from before the study, with the same spec, that is a sample; whether there is one that the study does not have yet.
    async fn take_over(
        &mut self,
        plan: &StudyPlan,
        index: usize,
        (spec, request): (&SubmittedSpec, &Request),
    ) -> Result<bool, Halt> {
        let alike = self.parts.registry.alike(spec.identity, request.run.platform.as_str().to_owned()).await?;
        let figure = plan.settings.until.as_ref().map(|until| until.figure.clone());
        for run in alike.into_iter().filter(|run| !self.file.run_ids().any(|known| known == run)).collect::<Vec<_>>() {
            // It may be deleted at any time.
            let Ok(views) = self.parts.registry.watch(Selector::Id(run.clone())).await else { continue };
            let view = views.borrow().clone();
            let (directory, store, figure) =
                (self.parts.runs.directory(&run), self.parts.studies.clone(), figure.clone());
            let judged =
                tokio::task::spawn_blocking(move || judge::judge(&view, &directory, store.codec(), figure.as_deref()));
            let judgement = judged.await.map_err(|_| Halt::Shutdown)?;
            if judgement.end == AttemptEnd::Sample {
                self.needed.send_modify(|needed| needed.runs.extend([run.clone()]));
                self.file.runs[index].attempts.push(Attempt { reused: true, ..Attempt::new(run) });
                self.write_down(index, judgement).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits until the pause after the last run is over.
    async fn pause(&self, plan: &StudyPlan, index: usize) -> Result<(), Halt> {
        let Some(last) = self.file.last_run_finished_unix_us else { return Ok(()) };
        let passed = self.parts.clock.unix().since(UnixMicros(last));
        let left = plan.settings.pause.saturating_sub(passed);
        if left.is_zero() {
            return Ok(());
        }
        self.show(Stage { next: Some(index), waiting_for: "the pause between runs".to_owned(), ..Stage::default() });
        self.wait(tokio::time::sleep(left)).await
    }
}
