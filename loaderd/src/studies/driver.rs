//! The one task that carries out a study: what it knows, and how it keeps and publishes that.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Stage, StudyParts, StudyView, handle::Proceed};
use crate::{
    registry::{NeededByStudies, RegistryError},
    store::{StoreError, StudyFile, SubmittedStudy},
    study::StudyPlan,
};

/// What a study is told while it is carried out.
pub(super) struct Orders {
    /// Cancelled when a user ends the study.
    pub(super) cancel: CancellationToken,
    /// Cancelled when the daemon ends.
    pub(super) shutdown: CancellationToken,
    /// The words of the study's client.
    pub(super) proceeds: mpsc::Receiver<Proceed>,
}

/// Why a study is not carried out further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// The daemon ends; the study goes on at its next start.
    Shutdown,
    /// A user has ended it.
    Cancelled,
    /// It can't go on.
    Failed(String),
}

impl From<RegistryError> for Halt {
    fn from(error: RegistryError) -> Self {
        if matches!(error, RegistryError::ShuttingDown) { Self::Shutdown } else { Self::Failed(error.to_string()) }
    }
}

/// Carries out one study.
pub(super) struct Driver {
    pub(super) parts: StudyParts,
    /// What study.json has, or will have once it is saved.
    pub(super) file: StudyFile,
    pub(super) study: Arc<SubmittedStudy>,
    view: watch::Sender<Arc<StudyView>>,
    pub(super) needed: watch::Sender<NeededByStudies>,
    pub(super) orders: Orders,
    /// Whether the state directory has no room but for the study's end.
    pub(super) is_full: bool,
}

impl Driver {
    pub(super) fn new(
        parts: StudyParts,
        view: watch::Sender<Arc<StudyView>>,
        needed: watch::Sender<NeededByStudies>,
        orders: Orders,
    ) -> Self {
        let (file, study) = {
            let view = view.borrow();
            (StudyFile::clone(&view.file), Arc::clone(&view.study))
        };
        Self { parts, file, study, view, needed, orders, is_full: false }
    }

    /// The study's plan.
    ///
    /// # Errors
    /// It is not valid any more, as with another version of the daemon.
    pub(super) fn plan(&self) -> Result<Arc<StudyPlan>, Halt> {
        let plan = self.study.checked.as_ref().map_err(|violations| {
            let faults: Vec<_> = violations.iter().map(ToString::to_string).collect();
            Halt::Failed(format!("the study is not valid any more: {}", faults.join("; ")))
        })?;
        if plan.cells.len() != self.file.cells.len() {
            return Err(Halt::Failed("study.yaml has other cells than study.json".to_owned()));
        }
        Ok(Arc::clone(plan))
    }

    /// Saves what the study knows, and publishes it.
    ///
    /// # Errors
    /// The state directory can't be written.
    pub(super) async fn save(&mut self) -> Result<(), Halt> {
        let (store, file) = (self.parts.studies.clone(), self.file.clone());
        let saved = tokio::task::spawn_blocking(move || store.save(&file)).await;
        // Fails only when the runtime ends.
        let saved = saved.map_err(|_| Halt::Shutdown)?;
        self.is_full |= saved.as_ref().is_err_and(StoreError::is_full);
        saved.map_err(|error| Halt::Failed(error.to_string()))?;
        self.publish();
        Ok(())
    }

    /// Publishes what the study knows.
    pub(super) fn publish(&self) {
        self.view.send_modify(|view| Arc::make_mut(view).file = Arc::new(self.file.clone()));
    }

    /// Publishes what the study does at the moment.
    pub(super) fn show(&self, stage: Stage) {
        self.view.send_if_modified(|view| {
            let changes = view.stage != stage;
            if changes {
                Arc::make_mut(view).stage = stage;
            }
            changes
        });
    }

    /// Awaits something, unless the study is to end before.
    pub(super) async fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Halt> {
        tokio::select! {
            biased;
            () = self.orders.shutdown.cancelled() => Err(Halt::Shutdown),
            () = self.orders.cancel.cancelled() => Err(Halt::Cancelled),
            value = future => Ok(value),
        }
    }

    /// Adds a sentence to what is to be known of the study; not saved yet.
    pub(super) fn note(&mut self, sentence: String) {
        /// Most sentences that are kept.
        const MOST: usize = 1000;
        log::warn!("study {}: {sentence}", self.file.study_id);
        if self.file.notes.len() < MOST {
            self.file.notes.push(sentence);
        }
    }
}
