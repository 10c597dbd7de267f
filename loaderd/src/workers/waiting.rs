//! Workers that are not ready, and what they wait for.

use crate::record::{WorkerStanding, WorkerState};

fn not_ready(standings: &[WorkerStanding]) -> impl Iterator<Item = &WorkerStanding> {
    standings.iter().filter(|standing| standing.state == WorkerState::Starting)
}

/// What the first of those waits for of which that is known; empty: nothing is.
pub(super) fn first_reason(standings: &[WorkerStanding]) -> String {
    let first = not_ready(standings).find(|it| !it.reason.is_empty());
    first.map_or(String::new(), |it| format!("worker {}: {}", it.index.0, it.reason))
}

/// The index of each, with what is known of it.
pub(super) fn missing(standings: &[WorkerStanding]) -> Vec<(u16, String)> {
    let why = |standing: &WorkerStanding| match standing.reason.as_str() {
        "" if standing.node.is_empty() => "nothing was heard of it".to_owned(),
        "" => format!("it is at work on {}, and not ready", standing.node),
        reason => reason.to_owned(),
    };
    not_ready(standings).map(|standing| (standing.index.0, why(standing))).collect()
}
