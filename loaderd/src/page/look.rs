//! A look at the daemon: the run under way, and the queue.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use loader_report::live::{Counts, Latencies, Moment, Queued, UnderWay, Worker};

use crate::{
    clock::UnixMicros,
    registry::{Registry, RegistryError, Selector},
    run::RunView,
    store::State,
};

/// Runs of the queue that are looked at.
const QUEUED: usize = 1000;

/// Runs whose states make the mark by which a change of the list is seen.
const MARKED: usize = 200;

/// The run under way: the active one, or one whose clean-up an earlier process has left.
pub(super) async fn active(registry: &Registry) -> Result<Option<Arc<RunView>>, RegistryError> {
    let active = match registry.activity().await?.active {
        Some(run) => registry.watch(Selector::Id(run)).await.map(|views| views.borrow().clone()).ok(),
        None => None,
    };
    match active {
        Some(run) => Ok(Some(run)),
        None => Ok(registry.list(None, vec![State::Cleaning], 1).await?.runs.pop()),
    }
}

/// The queue in its order, and how many there are.
pub(super) async fn queue(registry: &Registry) -> Result<(Vec<Queued>, usize), RegistryError> {
    let newest_first = registry.list(None, vec![State::Queued], QUEUED).await?.runs;
    let queued: Vec<_> = newest_first.iter().rev().map(|view| queued(view)).collect();
    let count = queued.len();
    Ok((queued, count))
}

fn queued(view: &RunView) -> Queued {
    let file = &view.file;
    Queued {
        id: file.run_id.to_string(),
        name: file.name.clone(),
        mode: file.mode.clone(),
        platform: file.platform.clone(),
        submitted_unix_us: file.submitted_unix_us,
    }
}

/// A mark that changes when the list of runs does.
pub(super) async fn mark(registry: &Registry) -> Result<String, RegistryError> {
    let newest = registry.list(None, Vec::new(), MARKED).await?.runs;
    let mut hasher = DefaultHasher::new();
    for view in newest {
        view.file.run_id.hash(&mut hasher);
        view.file.state.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// A run as the page shows it, at the present instant `now`.
pub(super) fn under_way(view: &RunView, moments: &[Moment], now: UnixMicros) -> UnderWay {
    let file = &view.file;
    let progress = view.progress.clone().unwrap_or_default();
    let elapsed = progress.elapsed;
    let began = elapsed.map(|elapsed| now.0 - crate::units::to_i64(elapsed.as_micros()));
    let events = view.events.iter().filter_map(|event| {
        let at = (event.done?.0 - began?) as f64 / 1e6;
        Some((at, format!("{} {}", event.kind.as_str(), event.stage.as_str())))
    });
    let workers = progress.workers.iter().map(|it| Worker {
        index: it.standing.index.0.into(),
        node: it.standing.node.clone(),
        state: it.standing.state.as_str().to_owned(),
        due: it.standing.due,
        issued: it.standing.issued,
        in_flight: it.standing.in_flight,
        own_lag_p99_us: it.own_lag_p99_us,
        clock_bound_ns: it.standing.clock.map(|clock| crate::units::nanos(clock.bound)),
    });
    let limit = view.spec.checked.as_ref().ok().map(|request| request.run.saturation.lag);
    let lag_limit_us = limit.map(|limit| limit.as_secs_f64() * 1e6);
    UnderWay {
        id: file.run_id.to_string(),
        name: file.name.clone(),
        mode: file.mode.clone(),
        platform: file.platform.clone(),
        state: file.state.as_str().to_owned(),
        waiting_for: view.waiting_for.clone(),
        functions: view.progress.as_ref().map(|it| (it.functions_ready, it.functions_total)),
        slot: elapsed.map(|_| (progress.slot.saturating_add(1), progress.slots_total)),
        elapsed: elapsed.map(|elapsed| elapsed.as_secs_f64()),
        duration: progress.planned_duration.map(|duration| duration.as_secs_f64()),
        counts: elapsed.map(|_| Counts {
            planned: progress.planned,
            issued: progress.issued,
            completed: progress.completed,
            failed: progress.failed,
            cold_starts: progress.cold_starts,
        }),
        latencies: Latencies {
            response_p50_us: progress.response_p50_us,
            response_p99_us: progress.response_p99_us,
            own_lag_p99_us: progress.own_lag_p99_us,
        },
        lag_limit_us,
        is_saturated: progress.saturated,
        moments: moments.to_vec(),
        events: events.collect(),
        workers: workers.collect(),
    }
}
