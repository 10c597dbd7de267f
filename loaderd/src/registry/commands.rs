//! Commands about runs: list, cancel, delete, pin.

use std::{convert::Infallible, sync::Arc};

use super::{
    handle::{Page, RegistryError, Selector},
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

    pub(super) fn cancel(&mut self, run: &Selector) -> Result<Arc<RunView>, RegistryError> {
        let id = self.find(run)?.0.clone();
        if self.queue.remove(&id) {
            self.end_queued(&id)?;
            self.export_queue_length();
        }
        let (_, entry) = self.find(&Selector::Id(id))?;
        entry.cancel.cancel();
        Ok(entry.view.borrow().clone())
    }

    /// Cancels a run that is still queued; nothing was deployed for it.
    fn end_queued(&self, id: &RunId) -> Result<(), RegistryError> {
        let (_, entry) = self.find(&Selector::Id(id.clone()))?;
        let mut machine = Machine::<Infallible>::default();
        // A queued run can always be ended.
        let _ended = machine.apply(Event::End(Verdict::Cancelled));
        let mut file = entry.view.borrow().file.clone();
        file.state = machine.state();
        file.reason = machine.reason();
        file.finished_unix_us = Some(self.telemetry().clock.unix().0);
        self.store.directory(id).save(&file)?;
        self.telemetry().metrics.run_ended(file.state.as_str());
        entry.view.send_modify(|view| Arc::make_mut(view).file = file);
        Ok(())
    }

    pub(super) fn delete(&mut self, id: &RunId) -> Result<(), RegistryError> {
        let RunFile { state, idempotency_key, pinned, .. } =
            self.find(&Selector::Id(id.clone()))?.1.view.borrow().file.clone();
        if pinned {
            return Err(RegistryError::Pinned(id.clone()));
        }
        if !state.is_terminal() {
            return Err(RegistryError::NotEnded { run: id.clone(), state });
        }
        self.store.remove(id)?;
        self.keys.remove(&idempotency_key);
        self.runs.remove(id);
        Ok(())
    }

    /// Pins or unpins a run. A pinned run is never removed. While a run is under way, only its driver writes its state.
    pub(super) fn pin(&self, run: &Selector, pinned: bool) -> Result<Arc<RunView>, RegistryError> {
        let (id, entry) = self.find(run)?;
        let mut file = entry.view.borrow().file.clone();
        if !file.state.is_terminal() {
            return Err(RegistryError::NotEnded { run: id.clone(), state: file.state });
        }
        file.pinned = pinned;
        self.store.directory(id).save(&file)?;
        entry.view.send_modify(|view| Arc::make_mut(view).file = file);
        Ok(entry.view.borrow().clone())
    }
}
