//! Workers that come, and come back.

use super::{Coordinator, member::Line, say};
use crate::{
    id::WorkerIndex,
    record::WorkerState,
    workers::messages::{Joining, Refusal, Session},
};
use loader_proto::worker::{WorkerHello, work_response::Message as To};

impl Coordinator {
    /// A worker has opened a stream: takes it, or says why not.
    pub(super) fn join(&mut self, joining: Joining) {
        let Joining { hello, to, busy, answer } = joining;
        let worker = match self.admit(&hello) {
            Ok(worker) => worker,
            Err(refusal) => {
                let (Refusal::Dismissed(reason) | Refusal::Wrong(reason)) = &refusal;
                log::warn!(RUN_ID = self.settings.run.as_str(); "worker {} is not taken: {reason}", hello.index);
                if let Refusal::Dismissed(reason) = &refusal {
                    let message = Some(say::dismissed(reason.clone()));
                    let _gone = to.try_send(loader_proto::worker::WorkResponse { message });
                }
                let _gone = answer.send(Err(refusal));
                return;
            }
        };
        self.sessions += 1;
        let index = self.members[worker].index;
        let session = Session { worker: index, number: self.sessions, end: self.settings.end.child_token() };
        let member = &mut self.members[worker];
        // Its former stream is broken, and the worker knew it first.
        member.hang_up();
        member.line = Some(Line { session: session.clone(), to, busy });
        let WorkerHello { process, node, pod, resumes, .. } = hello;
        (member.process, member.node, member.pod) = (process, node, pod);
        self.is_heard(worker);
        if !resumes {
            let (next_batch, trace) = (self.members[worker].next_batch, self.settings.trace.as_deref());
            let assignment = self.settings.assigned.of(u32::from(index.0), next_batch, trace);
            self.members[worker].tell(To::Assignment(assignment));
        }
        self.tell_state(worker);
        match answer.send(Ok(session)) {
            Ok(()) => self.members[worker].sessions += 1,
            Err(_) => self.members[worker].hang_up(),
        }
    }

    /// Something is heard of a worker: one that was lost, and whose share is not being filled in, is back.
    pub(super) fn is_heard(&mut self, worker: usize) {
        let member = &mut self.members[worker];
        member.heard = Some(self.settings.clock.now());
        if member.is_lost() && !member.gone && !member.over && member.filling.is_none() {
            (member.lost_at, member.final_at) = (None, None);
            (member.state, member.resumed) = (WorkerState::Resumed, true);
            let index = member.index;
            log::info!(RUN_ID = self.settings.run.as_str(); "worker {index} is back");
        }
    }

    /// The place of a worker that says hello.
    fn admit(&mut self, hello: &WorkerHello) -> Result<usize, Refusal> {
        let WorkerHello { run_id, index, version, process, .. } = hello;
        let own = self.settings.version;
        if *run_id != self.settings.run.as_str() {
            return Err(Refusal::Wrong(format!(
                "this is the coordinator of run {}, not of {run_id}",
                self.settings.run
            )));
        }
        let place = usize::try_from(*index).ok().filter(|place| *place < self.members.len());
        let place = place.ok_or_else(|| {
            Refusal::Wrong(format!("the run has {} workers: there is no worker {index}", self.members.len()))
        })?;
        if version != own {
            let reason = format!("its program is of version {version}, and the daemon's of {own}");
            self.not_ready(place, &reason);
            return Err(Refusal::Wrong(format!("worker {index}: {reason}")));
        }
        if process.is_empty() {
            return Err(Refusal::Wrong("a worker's process has a name that it draws".to_owned()));
        }
        let member = &self.members[place];
        let reason = if !member.process.is_empty() && member.process != *process {
            "another process has this worker's share"
        } else if member.filling.is_some() {
            "it was lost, and its share was filled in"
        } else {
            return Ok(place);
        };
        Err(Refusal::Dismissed(reason.to_owned()))
    }

    /// Before the load begins, a worker that can't be ready ends the run.
    pub(super) fn not_ready(&mut self, worker: usize, reason: &str) {
        if self.t0.is_none() {
            self.members[worker].reason = reason.to_owned();
            let WorkerIndex(index) = self.members[worker].index;
            self.fail(format!("worker {index} cannot start: {reason}"));
        }
    }
}
