//! Platforms on which a run can start with warm instances.

use std::path::{Path, PathBuf};

use crate::{id::RunId, platform::error::PlatformError};

/// Knows the capacity for instances, and can keep the autoscaler from stopping instances.
#[tonic::async_trait]
pub trait WarmUp: Send + Sync {
    /// The free capacity for instances.
    async fn room(&self) -> Result<Room, PlatformError>;

    /// Keeps the autoscaler from stopping instances of the run that will be deployed next. Settings that this changes for other
    /// functions too are written to `backup` first.
    async fn hold_autoscaler(&self, run: &RunId, backup: &SettingsBackup) -> Result<(), PlatformError>;

    /// Restores what [`WarmUp::hold_autoscaler`] changed. Idempotent; also for runs of an earlier process.
    async fn restore_settings(&self, run: &RunId, backup: &SettingsBackup) -> Result<(), PlatformError>;
}

/// The capacity for instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// A number of instances, of whichever functions.
    Instances(u64),
    /// CPU that instances may request, in thousandths of a processor.
    Millicores {
        /// CPU that nothing has requested yet.
        free: u64,
        /// CPU that each instance requests in addition to its function.
        overhead: u64,
    },
}

/// A file in which a run keeps what it changes of the cluster, as it was before: settings by its warm-up, or by its disturbances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsBackup(PathBuf);

impl SettingsBackup {
    /// The backup at a path, whether the file exists yet or not.
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The path of the settings backup.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether settings were backed up.
    pub fn exists(&self) -> bool {
        self.0.exists()
    }
}
