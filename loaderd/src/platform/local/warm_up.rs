//! Warm-ups on this machine: the scalers keep a run's instances until they are released. No shared setting is changed, so there
//! is nothing to back up.

use tokio::sync::watch;

use super::platform::Local;
use crate::{
    id::RunId,
    platform::{PlatformError, Room, SettingsBackup, WarmUp},
};

#[tonic::async_trait]
impl WarmUp for Local {
    async fn room(&self) -> Result<Room, PlatformError> {
        Ok(Room::Instances(self.settings.max_instances.into()))
    }

    async fn hold_autoscaler(&self, run: &RunId, _backup: &SettingsBackup) -> Result<(), PlatformError> {
        self.runs().holds.insert(run.clone(), watch::Sender::new(true));
        Ok(())
    }

    async fn restore_settings(&self, run: &RunId, _backup: &SettingsBackup) -> Result<(), PlatformError> {
        if let Some(hold) = self.runs().holds.get(run) {
            hold.send_if_modified(|held| std::mem::replace(held, false));
        }
        Ok(())
    }
}
