//! Disturbances of a cluster: pods deleted, Deployments without replicas, nodes closed, each by a few requests to the API server.
//!
//! ```text
//! begin:   read ─▶ write down what was before (disturbances.json) ─▶ change
//! end:     read ─▶ change back what still is as it was changed    ─▶ write down that it was undone
//! restore: the same with everything that is not undone
//! ```

mod actions;
mod changes;
mod eviction;
mod needs;
mod places;

use std::time::Duration;

pub(super) use needs::STATUS_NEEDS;

use self::{
    actions::Actions,
    changes::{Changes, Saved},
};
use super::{
    cluster_error::ClusterError,
    error::{refused, uncleaned},
    platform::Knative,
};
use crate::{
    disturbance::{Action, Disturbance},
    id::RunId,
    platform::{Disturb, PlatformError, SettingsBackup},
};

/// Maximum time for which the API server may be unreachable while something is changed or undone.
const API_TIMEOUT: Duration = Duration::from_secs(60);
/// The same while a run's clean-up undoes all, which is tried again after that.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(5);

#[tonic::async_trait]
impl Disturb for Knative {
    fn refusal(&self) -> Option<&'static str> {
        let rule = "the daemon's configuration does not allow it: set disturb = true in its section [knative] (knative.disturb)";
        (!self.settings.disturb).then_some(rule)
    }

    async fn check(&self, disturbances: &[Disturbance]) -> Result<(), PlatformError> {
        let checked = async { self.actions(API_TIMEOUT).await?.check(disturbances).await };
        checked.await.map_err(|error| refused(&error))
    }

    async fn begin(
        &self,
        run: &RunId,
        number: u32,
        action: &Action,
        backup: &SettingsBackup,
    ) -> Result<String, PlatformError> {
        let begun = async { self.actions(API_TIMEOUT).await?.begin(run, action, &Changes { backup, number }).await };
        begun.await.map_err(|error| refused(&error))
    }

    async fn end(&self, _run: &RunId, number: u32, backup: &SettingsBackup) -> Result<String, PlatformError> {
        let undone = async { self.actions(API_TIMEOUT).await?.undo(backup, Some(number)).await };
        undone.await.map_err(|error| refused(&error))
    }

    async fn restore(&self, run: &RunId, backup: &SettingsBackup) -> Result<(), PlatformError> {
        // Without a request where there is nothing to undo: the cluster may be away.
        let saved = Saved::read(backup).map_err(|error| refused(&error))?;
        if saved.changes.iter().all(|change| change.undone) {
            return Ok(());
        }
        let undone = async { self.actions(RESTORE_TIMEOUT).await?.undo(backup, None).await };
        let undone = undone.await.map_err(|error| uncleaned(&error))?;
        if !undone.is_empty() {
            log::info!(RUN_ID = run.as_str(); "undid the disturbances: {undone}");
        }
        Ok(())
    }
}

impl Knative {
    async fn actions(&self, within: Duration) -> Result<Actions<'_>, ClusterError> {
        let namespace = self.namespace().await?;
        let deadline = self.clock.now() + within;
        Ok(Actions { cluster: &self.cluster, namespace, deadline })
    }
}
