//! The uploaded traces: which there are, what uses each, and their removal.

use std::collections::{HashMap, HashSet};

use loader_proto::v1;
use tonic::Status;

use super::{convert, status};
use crate::{
    access::{Caller, Role},
    registry::{Registry, TraceUse},
    traces::{DeleteError, StoredTrace, TraceStore, is_trace_id},
};

/// Traces in one page of a list: by default, and at most.
const PAGE_SIZES: (usize, usize) = (100, 1000);

/// Most runs that are named with a trace.
const MOST_RUNS: usize = 100;

/// A page of traces, by id.
pub(super) async fn list(
    store: &TraceStore,
    registry: &Registry,
    request: v1::ListTracesRequest,
) -> Result<v1::ListTracesResponse, Status> {
    let v1::ListTracesRequest { page_size, page_token } = request;
    let (default, most) = PAGE_SIZES;
    let size = if page_size == 0 { default } else { (page_size as usize).min(most) };
    let uses = registry.trace_uses().await?;
    let mut after = stored(store).await?.into_iter().skip_while(|trace| trace.id <= page_token).peekable();
    let mut traces = Vec::new();
    while let Some(trace) = after.next() {
        let id = trace.id.clone();
        traces.push(listed(trace, &uses));
        // A page ends between traces, never between uploads of one.
        if traces.len() >= size && after.peek().is_some_and(|next| next.id != id) {
            return Ok(v1::ListTracesResponse { traces, next_page_token: id });
        }
    }
    Ok(v1::ListTracesResponse { traces, next_page_token: String::new() })
}

/// All traces. The store may be removing one at the moment, which takes a while.
async fn stored(store: &TraceStore) -> Result<Vec<StoredTrace>, Status> {
    let store = store.clone();
    tokio::task::spawn_blocking(move || store.list()).await.map_err(|error| status::broken(&error))
}

fn listed(trace: StoredTrace, uses: &HashMap<String, TraceUse>) -> v1::UploadedTrace {
    let TraceUse { active, ended } = uses.get(&trace.id).cloned().unwrap_or_default();
    let StoredTrace { id, stage, client, bytes, used, expires } = trace;
    v1::UploadedTrace {
        trace_id: id,
        size: bytes,
        stage: convert::trace_stage(stage).into(),
        client,
        last_used: Some(convert::timestamp(used.0)),
        expires: expires.map(|at| convert::timestamp(at.0)),
        active_run_ids: active.into_iter().take(MOST_RUNS).map(|run| run.to_string()).collect(),
        ended_runs: ended,
    }
}

/// Removes a trace that `caller` may remove, and that no run and no study needs; `needed`: the ids of those that studies need.
pub(super) async fn delete(
    store: &TraceStore,
    (registry, needed): (&Registry, &HashSet<String>),
    caller: &Caller,
    id: String,
) -> Result<(), Status> {
    if !is_trace_id(&id) {
        return Err(status::fault("traceId", "must be 64 hex digits"));
    }
    let of_others = stored(store).await?.into_iter().find(|trace| trace.id == id && trace.client != caller.name);
    if let Some(trace) = of_others.filter(|_| caller.role < Some(Role::Admin)) {
        let owner = if trace.client.is_empty() { "an unknown client" } else { &trace.client };
        let text = format!("{} may remove its own traces only; {owner} began to upload this one", caller.name);
        return Err(Status::permission_denied(text));
    }
    let uses = registry.trace_uses().await?;
    if let Some(run) = uses.get(&id).and_then(|uses| uses.active.first()) {
        let text = format!("run {run} names the trace: cancel it first, or wait until it has ended");
        return Err(Status::failed_precondition(text));
    }
    if needed.contains(&id) {
        return Err(Status::failed_precondition(
            "a study that has not ended names the trace: cancel it first, or wait",
        ));
    }
    let (store, removed) = (store.clone(), id.clone());
    let deleted = tokio::task::spawn_blocking(move || store.delete(&id)).await;
    deleted.map_err(|error| status::broken(&error))?.map_err(|error| match &error {
        DeleteError::NotFound(_) => Status::not_found(error.to_string()),
        DeleteError::UnderWay => Status::failed_precondition(error.to_string()),
        DeleteError::NotRemoved => Status::internal(error.to_string()),
    })?;
    log::info!("trace {removed} was removed by {}", caller.name);
    Ok(())
}
