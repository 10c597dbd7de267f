//! What leads a run from one state to the next. Pure.
//!
//! ```text
//! QUEUED ─▶ DEPLOYING ─▶ WARMING_UP ─▶ RUNNING ─▶ DRAINING ─▶ CLEANING ─▶ SUCCEEDED
//!    │          │  └───────────────────▲ │            │           ▲  │
//!    │          └──────────── a verdict: failed, cancelled, interrupted ──▶ FAILED | CANCELLED | INTERRUPTED
//!    └─ cancelled ─▶ CANCELLED
//! ```
//!
//! The first verdict holds. Whatever it is, a run that began to deploy passes through CLEANING. Why a run failed is an error of a
//! type `R` that means nothing here; [`Machine::reason`] is the one place where it becomes text.

use std::fmt::Display;

use crate::store::State;

/// How a run ends when it does not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<R> {
    /// A step of the run failed, with the reason.
    Failed(R),
    /// A user cancelled it.
    Cancelled,
    /// The daemon is shutting down.
    Interrupted,
}

impl<R> Verdict<R> {
    fn state(&self) -> State {
        match self {
            Self::Failed(_) => State::Failed,
            Self::Cancelled => State::Cancelled,
            Self::Interrupted => State::Interrupted,
        }
    }
}

/// What happens to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<R> {
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
    /// What it deployed was removed.
    Cleaned,
    /// The run ends early, with this verdict.
    End(Verdict<R>),
}

/// An event that can't happen in a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to a run that is {}", state.as_str())]
pub struct Forbidden<R: std::fmt::Debug> {
    state: State,
    event: Event<R>,
}

/// A run's state, and how it will end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine<R> {
    state: State,
    verdict: Option<Verdict<R>>,
}

impl<R> Default for Machine<R> {
    fn default() -> Self {
        Self { state: State::Queued, verdict: None }
    }
}

impl<R: std::fmt::Debug> Machine<R> {
    /// The present state of the run.
    pub fn state(&self) -> State {
        self.state
    }

    /// Why it ends early; empty otherwise.
    pub fn reason(&self) -> String
    where
        R: Display,
    {
        match &self.verdict {
            None => String::new(),
            Some(Verdict::Failed(reason)) => reason.to_string(),
            Some(Verdict::Cancelled) => "cancelled by a user".to_owned(),
            Some(Verdict::Interrupted) => "the daemon was stopped".to_owned(),
        }
    }

    /// Why it fails; absent where it does not, or not by a step of it.
    pub fn failure(&self) -> Option<&R> {
        match &self.verdict {
            Some(Verdict::Failed(reason)) => Some(reason),
            Some(Verdict::Cancelled | Verdict::Interrupted) | None => None,
        }
    }

    /// Applies one event to the run's state.
    ///
    /// # Errors
    /// [`Forbidden`]; then nothing has changed.
    pub fn apply(&mut self, event: Event<R>) -> Result<(), Forbidden<R>> {
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
            // A failure while cleaning changes no state, but it makes the run fail.
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
