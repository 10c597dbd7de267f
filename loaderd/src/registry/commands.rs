//! Commands about runs: list, cancel, delete, pin.

use std::{convert::Infallible, sync::Arc};

use super::{
    handle::{Page, RegistryError, Reply, Scope, Selector},
    task::RegistryTask,
};
use crate::{
    id::RunId,
    run::{Event, Machine, RunView, Verdict},
    store::{RunFile, State},
};

impl RegistryTask {
    pub(super) fn list(&self, before: Option<&RunId>, states: &[State], limit: usize) -> Page {
        let mut found = self
            .runs
            .iter()
            .rev()
            .filter(|(id, _)| before.is_none_or(|before| *id < before))
            .map(|(_, entry)| entry.view.borrow().clone())
            .filter(|view| states.is_empty() || states.contains(&view.file.state));
        let runs: Vec<_> = found.by_ref().take(limit).collect();
        Page { runs, more: found.next().is_some() }
    }

    pub(super) fn cancel(&mut self, run: &Selector, scope: &Scope, reply: Reply<Arc<RunView>>) {
        let found = self.find(run).and_then(|(id, entry)| {
            let view = entry.view.borrow().clone();
            scope.check(&view.file)?;
            entry.cancel.cancel();
            if view.file.state == State::Cleaning && !view.waiting_for.is_empty() {
                entry.give_up.cancel();
            }
            Ok((id.clone(), view))
        });
        // The caller may have gone meanwhile.
        let _answered = match found {
            Ok((id, view)) if self.queue.remove(&id) => {
                self.export_queue_length();
                self.save(self.ended_queued(&view.file), reply);
                return;
            }
            Ok((_, view)) => reply.send(Ok(view)),
            Err(error) => reply.send(Err(error)),
        };
    }

    /// The state of a run that is cancelled while it is queued; nothing was deployed for it.
    fn ended_queued(&self, queued: &RunFile) -> RunFile {
        let mut machine = Machine::<Infallible>::default();
        // A queued run can always be ended.
        let _ended = machine.apply(Event::End(Verdict::Cancelled));
        let state = machine.state();
        self.telemetry().metrics.run_ended(state.as_str());
        let finished_unix_us = Some(self.telemetry().clock.unix().0);
        RunFile { state, reason: machine.reason(), finished_unix_us, ..queued.clone() }
    }

    pub(super) fn delete(&mut self, id: &RunId, reply: Reply<()>) {
        match self.removable(id) {
            Ok(()) => self.remove(std::slice::from_ref(id), Some(reply)),
            Err(error) => {
                // The caller may have gone meanwhile.
                let _answered = reply.send(Err(error));
            }
        }
    }

    /// Whether a run may be removed now.
    pub(super) fn removable(&self, id: &RunId) -> Result<(), RegistryError> {
        let RunFile { state, pinned, .. } = self.find(&Selector::Id(id.clone()))?.1.view.borrow().file.clone();
        if pinned {
            return Err(RegistryError::Pinned(id.clone()));
        }
        if !state.is_terminal() {
            return Err(RegistryError::NotEnded { run: id.clone(), state });
        }
        Ok(())
    }

    /// Pins or unpins a run. A pinned run is never removed. While a run is under way, only its driver writes its state.
    pub(super) fn pin(&mut self, run: &Selector, pinned: bool, scope: &Scope, reply: Reply<Arc<RunView>>) {
        let found = self.find(run).map(|(_, entry)| entry.view.borrow().file.clone());
        match found.and_then(|file| scope.check(&file).map(|()| file)) {
            Ok(file) if file.state.is_terminal() => self.save(RunFile { pinned, ..file }, reply),
            found => {
                let not_ended = |file: RunFile| RegistryError::NotEnded { run: file.run_id, state: file.state };
                // The caller may have gone meanwhile.
                let _answered = reply.send(Err(found.map_or_else(|error| error, not_ended)));
            }
        }
    }
}
