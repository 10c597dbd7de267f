//! Runs and their states.

use loader_proto::v1;

use super::{disturbances, progress, spec::message, study, time::timestamp};
use crate::{
    run::RunView,
    store::{RunDirectory, RunFile, State},
};

/// A run as the API shows it.
pub(in crate::control) fn run(view: &RunView, directory: &RunDirectory, queue_position: u32) -> v1::Run {
    let RunView { file, spec, progress, events, waiting_for, summary } = view;
    let RunFile {
        version: _,
        run_id,
        name: _,
        mode,
        platform,
        state,
        reason,
        submitted_unix_us,
        started_unix_us,
        finished_unix_us,
        idempotency_key: _,
        pinned,
        owner,
        ends_as: _,
        study,
    } = file;
    v1::Run {
        run_id: run_id.to_string(),
        spec: Some(message(spec)),
        state: v1::RunState::from(*state).into(),
        reason: reason.clone(),
        submitted: Some(timestamp(*submitted_unix_us)),
        started: started_unix_us.map(timestamp),
        finished: finished_unix_us.map(timestamp),
        queue_position,
        directory: directory.path().display().to_string(),
        progress: progress.as_ref().map(progress::progress),
        summary: summary.as_deref().map(super::summary::summary),
        mode: mode.clone(),
        platform: platform.clone(),
        pinned: *pinned,
        owner: owner.clone(),
        events: events.iter().map(disturbances::event).collect(),
        waiting_for: waiting_for.clone(),
        study: study.as_ref().map(study::place),
    }
}

/// A run as lists show it, without what is long: its events, the slots, functions, disturbances and histogram of its summary, the lists and requests of its spec.
pub(in crate::control) fn listed(mut run: v1::Run) -> v1::Run {
    if let Some(summary) = &mut run.summary {
        summary.slots.clear();
        summary.functions.clear();
        summary.disturbances.clear();
        summary.response_histogram.clear();
    }
    run.events.clear();
    if let Some(spec) = &mut run.spec {
        spec.disturb.clear();
        if let Some(v1::run_spec::Mode::Coldstart(mode)) = &mut spec.mode {
            mode.cold_starts.clear();
        }
        if let Some(function) = &mut spec.function {
            function.http = None;
        }
        if let Some(attach) = &mut spec.attach {
            attach.targets.clear();
        }
    }
    run
}

impl From<State> for v1::RunState {
    fn from(state: State) -> Self {
        match state {
            State::Queued => Self::Queued,
            State::Deploying => Self::Deploying,
            State::WarmingUp => Self::WarmingUp,
            State::Running => Self::Running,
            State::Draining => Self::Draining,
            State::Cleaning => Self::Cleaning,
            State::Succeeded => Self::Succeeded,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
            State::Interrupted => Self::Interrupted,
        }
    }
}

/// The state that a filter names; `None` if it is not a state.
pub(in crate::control) fn state(wire: i32) -> Option<State> {
    Some(match v1::RunState::try_from(wire).ok()? {
        v1::RunState::Unspecified => return None,
        v1::RunState::Queued => State::Queued,
        v1::RunState::Deploying => State::Deploying,
        v1::RunState::WarmingUp => State::WarmingUp,
        v1::RunState::Running => State::Running,
        v1::RunState::Draining => State::Draining,
        v1::RunState::Cleaning => State::Cleaning,
        v1::RunState::Succeeded => State::Succeeded,
        v1::RunState::Failed => State::Failed,
        v1::RunState::Cancelled => State::Cancelled,
        v1::RunState::Interrupted => State::Interrupted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_goes_to_the_wire_and_back() {
        for wire in 1..=10 {
            let domain = state(wire).expect("a state");
            assert_eq!(i32::from(v1::RunState::from(domain)), wire);
        }
        assert_eq!(state(0), None);
        assert_eq!(state(11), None);
    }
}
