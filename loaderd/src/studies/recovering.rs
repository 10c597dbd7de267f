//! What study.json and the registry have of a study's runs is brought together: after a start, and when a run is deleted.

use super::driver::{Driver, Halt};
use crate::study::{Attempt, AttemptEnd};

impl Driver {
    /// Forgets runs that were written down, and never submitted: those that have not ended and are not there.
    pub(super) async fn recover(&mut self) -> Result<(), Halt> {
        let open = self.file.runs.iter().flat_map(|run| &run.attempts).filter(|attempt| attempt.end.is_none());
        let open: Vec<_> = open.map(|attempt| attempt.run_id.clone()).collect();
        if open.is_empty() {
            return Ok(());
        }
        let missing = self.parts.registry.missing(open).await?;
        if missing.is_empty() {
            return Ok(());
        }
        for run in &mut self.file.runs {
            run.attempts.retain(|attempt| attempt.end.is_some() || !missing.contains(&attempt.run_id));
        }
        self.save().await
    }

    /// Finds samples that were deleted by hand, which are made again.
    pub(super) async fn find_deleted(&mut self) -> Result<(), Halt> {
        let samples = self.file.runs.iter().filter_map(|run| run.sample());
        let missing = self.parts.registry.missing(samples.map(|attempt| attempt.run_id.clone()).collect()).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let is_missing =
            |attempt: &&mut Attempt| missing.contains(&attempt.run_id) && attempt.end == Some(AttemptEnd::Sample);
        for attempt in self.file.runs.iter_mut().flat_map(|run| &mut run.attempts).filter(is_missing) {
            attempt.end = Some(AttemptEnd::Deleted);
            "it was deleted by hand".clone_into(&mut attempt.reason);
        }
        for run in missing {
            self.note(format!("run {run} was deleted by hand; it is made again"));
        }
        self.save().await
    }
}
