//! What is said next on a stream: reports first, then what stands to be said, then batches in order, and the end behind the last.

use loader_proto::worker::{EventBatch, work_request::Message};

use super::{
    load::Standing,
    outbox::Outbox,
    spool::{Spool, SpoolError},
};

/// Batches that are sent ahead of what was taken: so many the coordinator reads while it is behind, and hears the rest.
const WINDOW: u64 = 8;

/// What was said on one stream.
#[derive(Debug)]
pub(super) struct Course {
    /// The first standing message that was not said.
    standing: u64,
    /// The next batch.
    batch: u64,
    is_ended: bool,
    report: bool,
}

impl Course {
    /// Nothing yet. Batches that were not taken are sent again.
    pub(super) fn new(spool: &Spool) -> Self {
        Self { standing: 0, batch: spool.range().0, is_ended: false, report: false }
    }

    /// It is time for a report.
    pub(super) fn report(&mut self) {
        self.report = true;
    }

    /// What is to be said now, if anything.
    ///
    /// # Errors
    /// A batch that can't be read back.
    pub(super) fn next(
        &mut self,
        outbox: &Outbox,
        spool: &Spool,
        standing: &Standing,
    ) -> Result<Option<Message>, SpoolError> {
        if self.report {
            return Ok(Some(Message::Report(standing.report(spool))));
        }
        if let Some((number, message)) = outbox.standing(self.standing) {
            // Whatever is between was replaced.
            self.standing = number;
            return Ok(Some(message));
        }
        let last = outbox.last();
        let (first, next) = spool.range();
        self.batch = self.batch.max(first);
        if self.batch < next {
            let batch = if self.batch < first + WINDOW { spool.get(self.batch)? } else { None };
            return Ok(batch.map(Message::Events));
        }
        Ok(last.filter(|_| !self.is_ended))
    }

    /// That was said.
    pub(super) fn sent(&mut self, message: Option<&Message>) {
        match message {
            Some(Message::Events(EventBatch { number, .. })) => self.batch = number + 1,
            Some(Message::Done(_) | Message::Failed(_)) => self.is_ended = true,
            Some(Message::Prepared(_) | Message::Ready(_) | Message::Outcome(_)) => self.standing += 1,
            Some(Message::Report(_)) => self.report = false,
            Some(Message::Hello(_)) | None => {}
        }
    }
}
