//! `submit` and `resubmit`: queues a run, and optionally follows it.

use loader_proto::v1::{GetRunRequest, SubmitRunRequest, SubmitRunResponse};

use super::{
    plan,
    prepare::prepare,
    session::Session,
    watch::{self, AtEnd},
};
use crate::{
    Ending, Failure,
    cli::{Following, PlanArguments, ResubmitArguments, RoomArguments, RunArgument, SubmitArguments},
    client::Daemon,
    output::{self, Format, note},
    watch::Silent,
};

/// Queues a run, and optionally follows it.
pub(super) async fn submit(session: &Session, arguments: SubmitArguments) -> Result<Ending, Failure> {
    let SubmitArguments { spec, idempotency_key, following, dry_run } = arguments;
    can_be_judged(&following)?;
    if dry_run {
        let plain = PlanArguments { spec, all: false, write: None, force: false, room: RoomArguments::default() };
        return Box::pin(plan::plan(session, &plain)).await;
    }
    let prepared = prepare(session, &spec).await?;
    let daemon = prepared.daemon.clone();
    let idempotency_key = idempotency_key.unwrap_or_default();
    let request = SubmitRunRequest { spec: Some(prepared.spec.clone()), idempotency_key };
    let answer = daemon.api.clone().submit_run(request).await;
    let submitted = answer.map_err(|status| prepared.failure(status))?.into_inner();
    Box::pin(announce(session, &daemon, submitted, following)).await
}

/// Queues a run with the spec of an earlier one.
pub(super) async fn resubmit(session: &Session, arguments: ResubmitArguments) -> Result<Ending, Failure> {
    let ResubmitArguments { run: RunArgument { run }, following } = arguments;
    can_be_judged(&following)?;
    let daemon = session.daemon().await?;
    let got = daemon.api.clone().get_run(GetRunRequest { run_id: run }).await;
    let got = got.map_err(|status| daemon.failure(status))?.into_inner();
    let request = SubmitRunRequest { spec: got.run.unwrap_or_default().spec, ..SubmitRunRequest::default() };
    let answer = daemon.api.clone().submit_run(request).await;
    let submitted = answer.map_err(|status| daemon.failure(status))?.into_inner();
    Box::pin(announce(session, &daemon, submitted, following)).await
}

/// Whether a run is followed until its expectations are judged, where that is to be written.
fn can_be_judged(following: &Following) -> Result<(), Failure> {
    if following.judging.junit.is_some() && !following.watch && !following.wait {
        return Err(Failure::Input(
            "--junit needs --watch or --wait: expectations are judged at the end of the run".to_owned(),
        ));
    }
    Ok(())
}

/// Prints which run was queued, and optionally follows it.
async fn announce(
    session: &Session,
    daemon: &Daemon,
    submitted: SubmitRunResponse,
    following: Following,
) -> Result<Ending, Failure> {
    let Following { watch: live, wait, allow_failed_invocations: allow_failed, printing, judging } = following;
    let at_end = AtEnd { allow_failed, intervals: printing.intervals, junit: judging.junit };
    let run = submitted.run.clone().unwrap_or_default();
    if submitted.existing {
        note(&format!("the idempotency key was used before, by run {}", run.run_id));
    }
    if session.format == Format::Table {
        let place = match run.queue_position {
            0 => String::new(),
            position => format!(", position {position} in the queue"),
        };
        if live || wait || run.queue_position > 0 {
            note(&format!("run {}{place}", run.run_id));
        }
    }
    if live {
        return watch::to_end(session, daemon, &run.run_id, watch::view(session).as_mut(), at_end).await;
    }
    if wait {
        return watch::to_end(session, daemon, &run.run_id, &mut Silent, at_end).await;
    }
    match session.format {
        // For scripts: RUN=$(loaderctl submit ...)
        Format::Table => output::text(&run.run_id)?,
        Format::Json => output::message(&submitted)?,
    }
    Ok(Ending::Done)
}
