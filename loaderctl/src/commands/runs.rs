//! `list`, `get`, `cancel`, `pin`, `delete`, `clean`, `query` and `status`.

use loader_proto::v1::{
    CancelRunRequest, CleanRunsRequest, DeleteRunRequest, GetRunRequest, GetStatusRequest, ListRunsRequest,
    ListRunsResponse, PinRunRequest, QueryMetricsRequest, RunState,
};

use super::{
    session::Session,
    watch::{self, AtEnd},
};
use crate::{
    Ending, Failure,
    cli::{CancelArguments, CleanArguments, DeleteArguments, GetArguments, ListArguments, QueryArguments, RunArgument},
    ending,
    output::{self, Format},
    render,
    watch::{Silent, is_terminal},
};

/// Maximum number of runs in one response of the daemon.
const PAGE: usize = 1000;

/// Lists runs, page by page.
pub(super) async fn list(session: &Session, arguments: ListArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    let states: Vec<i32> = arguments.state.into_iter().map(|state| RunState::from(state).into()).collect();
    let mut listed = ListRunsResponse::default();
    while listed.runs.len() < arguments.limit {
        let page_size = u32::try_from((arguments.limit - listed.runs.len()).min(PAGE)).unwrap_or_default();
        let request = ListRunsRequest { states: states.clone(), page_size, page_token: listed.next_page_token };
        let page = daemon.api.clone().list_runs(request).await.map_err(|status| daemon.failure(status))?.into_inner();
        listed.runs.extend(page.runs);
        listed.next_page_token = page.next_page_token;
        if listed.next_page_token.is_empty() {
            break;
        }
    }
    session.print(&listed, |listed| render::runs(&listed.runs))
}

/// `get`: prints a run.
pub(super) async fn get(session: &Session, arguments: GetArguments) -> Result<Ending, Failure> {
    let GetArguments { run, printing, judging } = arguments;
    let daemon = session.daemon().await?;
    let request = GetRunRequest { run_id: run.run };
    let got = daemon.api.clone().get_run(request).await.map_err(|status| daemon.failure(status))?.into_inner();
    let run = got.run.clone().unwrap_or_default();
    watch::write_junit(judging.junit.as_deref(), &run)?;
    match session.format {
        Format::Table => watch::shown(&run, printing.intervals)?,
        Format::Json => output::message(&got)?,
    }
    Ok(if ending::is_missed(&run) { Ending::Missed } else { Ending::Done })
}

/// Ends a run early. With `--wait`, a cancelled run is a success.
pub(super) async fn cancel(session: &Session, arguments: CancelArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    let request = CancelRunRequest { run_id: arguments.run.run };
    let answer = daemon.api.clone().cancel_run(request).await.map_err(|status| daemon.failure(status))?.into_inner();
    let run = answer.run.clone().unwrap_or_default();
    if arguments.wait && !is_terminal(run.state()) {
        let ended =
            watch::to_end(session, &daemon, &run.run_id, &mut Silent, AtEnd { allow_failed: true, ..AtEnd::default() })
                .await?;
        return Ok(if ended == Ending::Interrupted { ended } else { Ending::Done });
    }
    session.print(&answer, |answer| render::state(&answer.run.clone().unwrap_or_default()))
}

/// Pins or unpins a run.
pub(super) async fn pin(session: &Session, run: RunArgument, pinned: bool) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    let request = PinRunRequest { run_id: run.run, pinned };
    let answer = daemon.api.clone().pin_run(request).await.map_err(|status| daemon.failure(status))?.into_inner();
    session.print(&answer, |answer| {
        let run = answer.run.as_ref().map_or("", |run| run.run_id.as_str());
        format!("{run} {}", if pinned { "pinned" } else { "unpinned" })
    })
}

/// Removes runs one after the other, up to the first that is refused.
pub(super) async fn delete(session: &Session, arguments: DeleteArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    for run in arguments.runs {
        let run_id = if run == "latest" { daemon.run_id(&run).await? } else { run };
        let request = DeleteRunRequest { run_id: run_id.clone() };
        let answer = daemon.api.clone().delete_run(request).await.map_err(|status| daemon.failure(status))?;
        match session.format {
            Format::Table => output::text(&format!("{run_id} removed"))?,
            Format::Json => output::line(answer.get_ref())?,
        }
    }
    Ok(Ending::Done)
}

/// Removes functions that runs left behind.
pub(super) async fn clean(session: &Session, arguments: CleanArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    let request = CleanRunsRequest { run_id: arguments.run.unwrap_or_default(), all_runs: arguments.all_runs };
    let cleaned = daemon.api.clone().clean_runs(request).await.map_err(|status| daemon.failure(status))?;
    session.print(cleaned.get_ref(), render::cleaned)
}

/// Evaluates a PromQL expression.
pub(super) async fn query(session: &Session, arguments: QueryArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    let request = QueryMetricsRequest { expression: arguments.expression };
    let answer = daemon.api.clone().query_metrics(request).await.map_err(|status| daemon.failure(status))?;
    session.print(answer.get_ref(), |answer| render::values(&answer.values))
}

/// Shows the state of the daemon and of its platforms.
pub(super) async fn status(session: &Session) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    let got = daemon
        .api
        .clone()
        .get_status(GetStatusRequest { probe_platforms: true })
        .await
        .map_err(|status| daemon.failure(status))?;
    session.print(got.get_ref(), render::status)
}
