//! The state of a run, as in run.json. [`crate::run::Machine`] has the transitions. Pure.

use serde::{Deserialize, Serialize};

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits in the queue.
    Queued,
    /// Its functions are being deployed.
    Deploying,
    /// Load is sent, not measured yet.
    WarmingUp,
    /// Load is sent and measured.
    Running,
    /// No more is sent; answers to invocations in flight are awaited.
    Draining,
    /// What it deployed is being removed.
    Cleaning,
    /// It was executed to its end.
    Succeeded,
    /// A step of it failed.
    Failed,
    /// A user cancelled it.
    Cancelled,
    /// The daemon ended while it was under way.
    Interrupted,
}

impl State {
    /// Whether the state is final.
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
