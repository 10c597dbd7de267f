//! Warm-ups on a cluster: capacity by the free CPU of its nodes, and the autoscaler held by its settings.

use std::time::Duration;

use super::{
    error::{refused, uncleaned},
    hold::Autoscaler,
    platform::{Knative, QUERY_TIMEOUT},
    room,
};
use crate::{
    id::RunId,
    platform::{PlatformError, Room, SettingsBackup, WarmUp},
};

/// Maximum time for which the API server may be unreachable while settings are changed.
const HOLD_TIMEOUT: Duration = Duration::from_secs(60);
/// The same while they are restored, which is tried again after that.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(5);

#[tonic::async_trait]
impl WarmUp for Knative {
    async fn room(&self) -> Result<Room, PlatformError> {
        let deadline = self.clock.now() + QUERY_TIMEOUT;
        room::room(&self.cluster, &self.settings.node_selector, deadline).await.map_err(|error| refused(&error))
    }

    async fn hold_autoscaler(&self, run: &RunId, backup: &SettingsBackup) -> Result<(), PlatformError> {
        self.begin(run);
        self.autoscaler(run, HOLD_TIMEOUT).hold(backup).await.map_err(|error| refused(&error))
    }

    async fn restore_settings(&self, run: &RunId, backup: &SettingsBackup) -> Result<(), PlatformError> {
        self.autoscaler(run, RESTORE_TIMEOUT).restore(backup).await.map_err(|error| uncleaned(&error))
    }
}

impl Knative {
    fn autoscaler<'a>(&'a self, run: &'a RunId, within: Duration) -> Autoscaler<'a> {
        Autoscaler { run, cluster: &self.cluster, deadline: self.clock.now() + within }
    }
}
