//! Warm-ups on a cluster: room by the CPU that its nodes have left, and the autoscaler held by its settings.

use std::time::Duration;

use super::{
    error::refused,
    hold::Autoscaler,
    platform::{Knative, QUESTIONS},
    room,
};
use crate::{
    id::RunId,
    platform::{PlatformError, Room, SettingsBackup, WarmUp},
};

/// How long the API server may stay away while settings of the cluster are changed or restored.
const AWAY_AT_MOST: Duration = Duration::from_secs(60);

#[tonic::async_trait]
impl WarmUp for Knative {
    async fn room(&self) -> Result<Room, PlatformError> {
        let deadline = self.clock.now() + QUESTIONS;
        room::room(&self.cluster, &self.settings.node_selector, deadline).await.map_err(|error| refused(&error))
    }

    async fn hold_autoscaler(&self, run: &RunId, backup: &SettingsBackup) -> Result<(), PlatformError> {
        self.autoscaler(run).hold(backup).await.map_err(|error| refused(&error))
    }

    async fn restore_settings(&self, run: &RunId, backup: &SettingsBackup) -> Result<(), PlatformError> {
        self.autoscaler(run).restore(backup).await.map_err(|error| refused(&error))
    }
}

impl Knative {
    fn autoscaler<'a>(&'a self, run: &'a RunId) -> Autoscaler<'a> {
        Autoscaler { run, cluster: &self.cluster, deadline: self.clock.now() + AWAY_AT_MOST }
    }
}
