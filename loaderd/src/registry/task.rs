//! The state of the registry's task.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{
    entry::Entry,
    handle::{Activity, Command, RegistryError, Selector},
    needed::NeededByStudies,
    queue::Queue,
    writes::Writes,
};
use crate::{
    clock::Anchor,
    id::RunId,
    run::{Stations, Telemetry},
    store::{Retention, RunFile, Store},
    traces::TraceStore,
    units,
};

/// What is subject to retention.
pub struct Keeping {
    /// Which runs are kept, and for how long.
    pub retention: watch::Receiver<Retention>,
    /// Uploaded traces, which expire when no run names them.
    pub traces: TraceStore,
    /// What studies that have not ended need.
    pub needed: watch::Receiver<NeededByStudies>,
}

/// Whose idempotency key it is, and the key. Those of earlier versions, which kept no owners, are everybody's.
pub(super) type Key = (Option<String>, String);

/// The task that owns the registry's state.
pub struct RegistryTask {
    pub(super) store: Store,
    pub(super) stations: Arc<Stations>,
    pub(super) keeping: Keeping,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) runs: BTreeMap<RunId, Entry>,
    pub(super) keys: BTreeMap<Key, RunId>,
    /// The greatest time in an id so far, in Unix milliseconds.
    pub(super) newest: Option<i64>,
    pub(super) queue: Queue,
    pub(super) writes: Writes,
    pub(super) active: Option<RunId>,
    pub(super) drivers: JoinSet<()>,
    /// Clean-ups of runs without a task; no run starts before they are done.
    pub(super) recovering: JoinSet<RunFile>,
    /// Those of them that have neither ended nor found their platform away.
    pub(super) untried: watch::Sender<usize>,
    /// Searches for expired runs.
    pub(super) sweeps: JoinSet<Vec<RunId>>,
    /// When the last search was started.
    pub(super) swept: Anchor,
    pub(super) ends: Ends,
}

/// How the daemon ends.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    /// Shut down: no run starts any more.
    pub shutdown: CancellationToken,
    /// Interrupt the active run.
    pub interrupt: CancellationToken,
    /// Do not await the active run's answers.
    pub skip_drain: CancellationToken,
}

impl RegistryTask {
    pub(super) fn find(&self, run: &Selector) -> Result<(&RunId, &Entry), RegistryError> {
        match run {
            Selector::Latest => self.runs.last_key_value().ok_or(RegistryError::Empty),
            Selector::Id(id) => self.runs.get_key_value(id).ok_or_else(|| RegistryError::NotFound(id.clone())),
        }
    }

    pub(super) fn activity(&self) -> Activity {
        Activity { active: self.active.clone(), queued: units::to_u32(self.queue.len()) }
    }

    pub(super) fn telemetry(&self) -> &Telemetry {
        &self.stations.telemetry
    }

    pub(super) fn export_queue_length(&self) {
        self.telemetry().metrics.runs_queued(self.activity().queued);
    }
}
