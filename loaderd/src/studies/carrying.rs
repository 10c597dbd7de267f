//! A study from its beginning, or from where it was, to its end.

use super::{
    Stage,
    driver::{Driver, Halt},
};
use crate::{
    store::StudyState,
    study::{self, Next},
};

impl Driver {
    /// Carries out the study. When the daemon ends before, the study stays under way, for the next start.
    pub(super) async fn drive(mut self) {
        let carried_out = self.carry_out().await;
        let (state, reason) = match carried_out {
            Ok(()) => (StudyState::Succeeded, String::new()),
            Err(Halt::Shutdown) => return,
            Err(Halt::Cancelled) => (StudyState::Cancelled, String::new()),
            Err(Halt::Failed(reason)) => (StudyState::Failed, reason),
        };
        if self.end_run_under_way().await == Err(Halt::Shutdown) {
            return;
        }
        self.after_study().await;
        self.file.state = state;
        // They would take the room that the study's end needs.
        if let (false, Ok(plan)) = (self.is_full, self.plan())
            && self.write_results(&plan).await.is_err()
        {
            return;
        }
        self.show(Stage::default());
        self.file.reason = reason;
        self.file.finished_unix_us = Some(self.parts.clock.unix().0);
        let level = if state == StudyState::Failed { log::Level::Error } else { log::Level::Info };
        let reason = if self.file.reason.is_empty() { String::new() } else { format!(": {}", self.file.reason) };
        log::log!(level, "study {} {}{reason}", self.file.study_id, state.as_str());
        if let Err(Halt::Failed(error)) = self.save().await {
            // It is still under way on the disk, and goes on at the next start.
            log::error!("study {}: {error}", self.file.study_id);
            self.publish();
        }
    }

    async fn carry_out(&mut self) -> Result<(), Halt> {
        let plan = self.plan()?;
        self.recover().await?;
        if self.file.state == StudyState::Queued {
            self.file.state = StudyState::Running;
            self.file.started_unix_us = Some(self.parts.clock.unix().0);
            self.save().await?;
            log::info!("study {} begins: {}", self.file.study_id, self.file.name);
        }
        self.before_study(&plan).await?;
        let mut round = None;
        loop {
            self.wait(std::future::ready(())).await?;
            self.find_deleted().await?;
            match study::next(&plan.settings, &self.file.runs) {
                Next::Await(index) => self.await_run(&plan, index).await?,
                Next::Make(index) => {
                    let of_next = self.file.runs.get(index).map(|run| run.round);
                    if round.is_some() && round != of_next {
                        self.write_results(&plan).await?;
                    }
                    round = of_next;
                    self.make(&plan, index).await?;
                }
                Next::Succeeded => return Ok(()),
                Next::Failed(reason) => return Err(Halt::Failed(reason)),
            }
        }
    }
}
