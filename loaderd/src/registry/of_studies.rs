//! What studies ask of the registry: which of their runs are there, and which runs from before have their specs.

use std::collections::HashSet;

use super::task::RegistryTask;
use crate::{id::RunId, store::State};

impl RegistryTask {
    /// Those of `runs` that do not exist.
    pub(super) fn missing(&self, runs: Vec<RunId>) -> HashSet<RunId> {
        runs.into_iter().filter(|run| !self.runs.contains_key(run)).collect()
    }

    /// The runs that have succeeded, of a spec and on a platform, newest first.
    pub(super) fn alike(&self, spec: [u8; 32], platform: &str) -> Vec<RunId> {
        let is_alike = |run: &RunId| {
            let view = self.runs.get(run).map(|entry| entry.view.borrow().clone());
            view.is_some_and(|view| {
                view.file.state == State::Succeeded && view.file.platform == platform && view.spec.identity == spec
            })
        };
        self.runs.keys().rev().filter(|run| is_alike(run)).cloned().collect()
    }
}
