//! Which runs name which uploaded traces.

use std::collections::HashMap;

use super::{
    handle::{Command, Registry, RegistryError},
    task::RegistryTask,
};
use crate::id::RunId;

/// The runs that name an uploaded trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceUse {
    /// Those that have not ended, oldest first: they need it.
    pub active: Vec<RunId>,
    /// The number of those that have ended and are kept: only running them again would need it.
    pub ended: u32,
}

impl Registry {
    /// The uses of each uploaded trace that a run names, by its id.
    ///
    /// # Errors
    /// The daemon is shutting down.
    pub async fn trace_uses(&self) -> Result<HashMap<String, TraceUse>, RegistryError> {
        self.ask(Command::TraceUses).await
    }
}

impl RegistryTask {
    pub(super) fn trace_uses(&self) -> HashMap<String, TraceUse> {
        let mut uses: HashMap<String, TraceUse> = HashMap::new();
        for (id, entry) in &self.runs {
            let view = entry.view.borrow();
            let Some(trace) = &view.spec.upload else { continue };
            let of_trace = uses.entry(trace.clone()).or_default();
            if view.file.state.is_terminal() {
                of_trace.ended += 1;
            } else {
                of_trace.active.push(id.clone());
            }
        }
        uses
    }
}
