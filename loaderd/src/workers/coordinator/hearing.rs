//! What is heard of workers: their batches, what else they say, and what the platform says of them.

use loader_proto::worker::{WorkerDone, WorkerFailed, WorkerReport};

use super::{Coordinator, member::Member};
use crate::{
    id::WorkerIndex,
    platform::{WorkerNews, WorkerState as Seen},
    record::WorkerState,
    workers::{
        messages::{Decoded, FromSession, Message, Said, Session},
        outcomes::Part,
        wire,
    },
};

impl Coordinator {
    pub(super) fn hear(&mut self, message: Message) {
        match message {
            Message::Joining(joining) => self.join(*joining),
            Message::Said(session, said) => self.said(&session, *said),
            Message::Start(t0, out) => self.start(t0, out),
        }
    }

    /// The place of the worker whose session this is, unless another one has taken over.
    fn place(&self, session: &Session) -> Option<usize> {
        let place = usize::from(session.worker.0);
        self.members.get(place).filter(|member| member.is_on(session)).map(|_| place)
    }

    fn said(&mut self, session: &Session, said: Said) {
        let Some(place) = self.place(session) else { return };
        self.is_heard(place);
        match said {
            Said::Prepared(prepared) => {
                if prepared.plan_hash != self.settings.assigned.plan_hash {
                    self.not_ready(place, "it has made another plan of the same spec and trace");
                }
            }
            Said::Ready(ready) => {
                let member = &mut self.members[place];
                ready.clock.iter().for_each(|clock| member.compared(clock));
                if member.state == WorkerState::Starting {
                    member.state = WorkerState::Ready;
                    member.reason.clear();
                }
            }
            Said::Outcome(outcome) => self.outcome(session.worker, outcome),
            Said::Report(report) => self.report(place, report),
            Said::Done(WorkerDone { batches, reason }) => {
                let member = &mut self.members[place];
                member.done = Some(batches);
                if !reason.is_empty() {
                    member.reason = member.ends_because(&reason);
                }
            }
            Said::Failed(WorkerFailed { reason }) => {
                let reason = self.members[place].ends_because(&reason);
                if self.t0.is_none() {
                    return self.not_ready(place, &reason);
                }
                // Said behind the last batch that it has.
                self.members[place].gone = true;
                let until = self.elapsed();
                self.lose(place, &reason, until);
                self.members[place].hang_up();
            }
        }
    }

    fn report(&mut self, place: usize, report: WorkerReport) {
        let member = &mut self.members[place];
        report.clock.iter().for_each(|clock| member.compared(clock));
        member.due = member.due.max(report.due);
        member.issued = member.issued.max(report.issued);
        member.report = report;
    }

    fn outcome(&mut self, worker: WorkerIndex, outcome: crate::plan::SlotOutcome) {
        let slot = outcome.slot;
        match self.outcomes.take(worker, outcome) {
            Part::Taken => {}
            // The sum was missed while the stream was broken.
            Part::Decided(sum) => {
                let message = wire::from_outcome(&sum);
                self.members[usize::from(worker.0)]
                    .tell(loader_proto::worker::work_response::Message::Outcome(message));
            }
            Part::TooEarly => {
                self.broken(usize::from(worker.0), &format!("it has an outcome of slot {slot} too early"))
            }
        }
    }

    pub(super) fn batch(&mut self, from: FromSession) {
        match from {
            FromSession::Batch(decoded) => self.decoded(*decoded),
            FromSession::Unreadable(session, reason) => {
                if let Some(place) = self.place(&session) {
                    self.broken(place, &reason);
                }
            }
            FromSession::Left(session) => {
                let Some(member) = self.members.get_mut(usize::from(session.worker.0)) else { return };
                member.sessions = member.sessions.saturating_sub(1);
                if member.is_on(&session) {
                    member.line = None;
                }
            }
        }
    }

    fn decoded(&mut self, batch: Decoded) {
        let Decoded { session, number, bytes, events, _permit } = batch;
        let place = usize::from(session.worker.0);
        let Some(member) = self.members.get_mut(place).filter(|member| member.filling.is_none() && !member.over) else {
            return;
        };
        // From a stream that broke, too: a batch is a batch. One that was taken before came again.
        if number != member.next_batch {
            if number > member.next_batch {
                let expected = member.next_batch;
                self.broken(place, &format!("batch {number} came, and {expected} was expected"));
            }
            return;
        }
        member.next_batch += 1;
        member.bytes += bytes;
        Self::acknowledge(member);
        self.is_heard(place);
        self.take(place, events);
    }

    /// Merges events of a worker.
    pub(super) fn take(&mut self, place: usize, events: impl IntoIterator<Item = crate::record::Event>) {
        let (worker, mut merged) = (self.members[place].index, Vec::new());
        let taken = events.into_iter().try_for_each(|event| self.merge.take(worker, event, &mut merged));
        self.pending.extend(merged);
        if let Err(disorder) = taken {
            self.broken(place, &disorder.to_string());
        }
    }

    /// What a worker sends is no stream of its share: it is given up, and its share filled in.
    fn broken(&mut self, place: usize, reason: &str) {
        let Member { index, .. } = self.members[place];
        log::error!(RUN_ID = self.settings.run.as_str(); "worker {index}: {reason}; this is a bug in loaderd");
        self.members[place].hang_up();
        self.members[place].gone = true;
        let until = self.elapsed();
        self.lose(place, reason, until);
    }

    /// Takes what the platform says of a worker.
    pub(super) fn news(&mut self, news: WorkerNews) {
        let WorkerNews { index, state } = news;
        let Some(place) = usize::try_from(index).ok().filter(|place| *place < self.members.len()) else { return };
        let member = &mut self.members[place];
        match state {
            Seen::Pending(reason) => {
                if member.state == WorkerState::Starting {
                    member.reason = reason;
                }
            }
            Seen::Running { node, pod } => {
                (member.node, member.pod) = (node, pod);
                if member.state == WorkerState::Starting {
                    member.reason.clear();
                }
            }
            Seen::Ending { reason } => {
                if member.state == WorkerState::Starting {
                    member.reason.clone_from(&reason);
                }
                member.ending = reason;
            }
            Seen::Gone { reason } => {
                if self.t0.is_none() {
                    return self.not_ready(place, &reason);
                }
                // All that was due until now may have been sent.
                member.gone = true;
                let until = self.elapsed();
                self.lose(place, &reason, until);
            }
        }
    }
}
