//! Platforms that can be disturbed on purpose.

use super::SettingsBackup;
use crate::{
    disturbance::{Action, Disturbance},
    id::RunId,
    platform::error::PlatformError,
};

/// Disturbs the platform, and undoes that.
#[tonic::async_trait]
pub trait Disturb: Send + Sync {
    /// Why this daemon does not disturb the platform; absent when it does.
    fn refusal(&self) -> Option<&'static str>;

    /// Checks before anything is deployed that the disturbances can be carried out.
    async fn check(&self, disturbances: &[Disturbance]) -> Result<(), PlatformError>;

    /// Carries out an action, which is number `number` of the run. What outlasts this process is written to `backup` first. Gives the
    /// objects that were changed, for people.
    async fn begin(
        &self,
        run: &RunId,
        number: u32,
        action: &Action,
        backup: &SettingsBackup,
    ) -> Result<String, PlatformError>;

    /// Undoes what [`Disturb::begin`] has changed. Gives the objects that were changed back, for people.
    async fn end(&self, run: &RunId, number: u32, backup: &SettingsBackup) -> Result<String, PlatformError>;

    /// Undoes everything that has not been undone. Idempotent; also for runs of an earlier process.
    async fn restore(&self, run: &RunId, backup: &SettingsBackup) -> Result<(), PlatformError>;
}
