//! Where a run stands, as run.json has it. What leads from one state to the next is [`crate::run::Machine`]'s. Pure.

use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for the runs before it.
    Queued,
    /// Its functions are being deployed.
    Deploying,
    /// Load is sent, not measured yet.
    WarmingUp,
    /// Load is sent and measured.
    Running,
    /// Answers are awaited.
    Draining,
    /// What it deployed is being taken away.
    Cleaning,
    /// It was carried out.
    Succeeded,
    /// It could not be carried out.
    Failed,
    /// A user cancelled it.
    Cancelled,
    /// The daemon ended meanwhile.
    Interrupted,
}

impl State {
    /// Whether nothing follows any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Interrupted)
    }

    /// Its name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Deploying => "deploying",
            Self::WarmingUp => "warming_up",
            Self::Running => "running",
            Self::Draining => "draining",
            Self::Cleaning => "cleaning",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}
