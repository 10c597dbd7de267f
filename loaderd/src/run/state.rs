//! The states of a run, and what leads from one to the next. Pure.
//!
//! ```text
//! QUEUED ─▶ DEPLOYING ─▶ WARMING_UP ─▶ RUNNING ─▶ DRAINING ─▶ CLEANING ─▶ SUCCEEDED
//!    │          │  └───────────────────▲ │            │           ▲  │
//!    │          └──────────── a verdict: failed, cancelled, interrupted ──▶ FAILED | CANCELLED | INTERRUPTED
//!    └─ cancelled ─▶ CANCELLED
//! ```
//!
//! The first verdict holds. Whatever it is, a run that began to deploy passes through CLEANING.

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

/// How a run ends when it is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It could not be carried out.
    Failed(String),
    /// A user cancelled it.
    Cancelled,
    /// The daemon ends.
    Interrupted(String),
}

impl Verdict {
    fn state(&self) -> State {
        match self {
            Self::Failed(_) => State::Failed,
            Self::Cancelled => State::Cancelled,
            Self::Interrupted(_) => State::Interrupted,
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Failed(reason) | Self::Interrupted(reason) => reason,
            Self::Cancelled => "cancelled by a user",
        }
    }
}

/// What happens to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Its turn has come.
    Start,
    /// Its functions can be called, and load that is not measured begins.
    WarmUp,
    /// Load that is measured begins.
    Measure,
    /// The last invocation was handed out.
    LoadEnded,
    /// Everything that was sent has ended.
    Drained,
    /// What it deployed is gone.
    Cleaned,
    /// It ends early.
    End(Verdict),
}

/// An event that can't happen in a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to a run that is {}", state.as_str())]
pub struct Forbidden {
    state: State,
    event: Event,
}

/// A run's state, and how it will end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    state: State,
    verdict: Option<Verdict>,
}

impl Default for Machine {
    fn default() -> Self {
        Self { state: State::Queued, verdict: None }
    }
}

impl Machine {
    /// Where the run stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Why it ends early; empty when it does not.
    pub fn reason(&self) -> &str {
        self.verdict.as_ref().map_or("", Verdict::reason)
    }

    /// Takes an event.
    ///
    /// # Errors
    /// [`Forbidden`]; then nothing has changed.
    pub fn apply(&mut self, event: Event) -> Result<(), Forbidden> {
        use State::{Cleaning, Deploying, Draining, Queued, Running, Succeeded, WarmingUp};
        let state = match (self.state, &event) {
            (Queued, Event::Start) => Deploying,
            (Deploying, Event::WarmUp) => WarmingUp,
            (Deploying | WarmingUp, Event::Measure) => Running,
            (WarmingUp | Running, Event::LoadEnded) => Draining,
            (Draining, Event::Drained) => Cleaning,
            (Cleaning, Event::Cleaned) => self.verdict.as_ref().map_or(Succeeded, Verdict::state),
            (Queued, Event::End(verdict)) => verdict.state(),
            (Deploying | WarmingUp | Running | Draining, Event::End(_)) => Cleaning,
            // What goes wrong while cleaning does not bring the run back, but it counts.
            (Cleaning, Event::End(_)) => Cleaning,
            _ => return Err(Forbidden { state: self.state, event }),
        };
        if let Event::End(verdict) = event {
            self.verdict.get_or_insert(verdict);
        }
        self.state = state;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
