//! Which runs name which uploaded traces.

use std::collections::HashMap;

use super::{handle::TraceUse, task::RegistryTask};

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
