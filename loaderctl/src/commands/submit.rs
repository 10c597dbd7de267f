//! `submit` and `plan`: from what the user gave to a run, or to all that is wrong with it.

use loader_proto::v1::{
    PlanRunRequest, PlanRunResponse, RunSpec, SubmitRunRequest, run_spec::Mode, trace_mode::Source,
};
use tonic::{Code, Status};

use super::{Session, watch};
use crate::{
    Ending, Failure,
    cli::SubmitArguments,
    client::Daemon,
    ending::violations,
    output::{self, Format, note},
    render,
    spec::{Draft, SpecArguments},
    upload::{TraceFiles, upload},
    watch::Silent,
};

/// Slots and functions that a plan shows.
const SHOWN: usize = 20;

/// Queues a run, and follows it if that is wished.
pub(super) async fn submit(session: &Session, arguments: SubmitArguments) -> Result<Ending, Failure> {
    let SubmitArguments { spec, idempotency_key, watch: live, wait, dry_run } = arguments;
    if dry_run {
        return plan(session, &spec, false).await;
    }
    let Prepared { daemon, spec, draft } = prepare(session, &spec).await?;
    let idempotency_key = idempotency_key.unwrap_or_default();
    let request = SubmitRunRequest { spec: Some(spec), idempotency_key };
    let answer = daemon.api.clone().submit_run(request).await;
    let submitted = answer.map_err(|status| failure(&daemon, draft, status))?.into_inner();
    let run = submitted.run.clone().unwrap_or_default();
    if submitted.existing {
        note(&format!("the idempotency key was used before: this is its run, {}", run.run_id));
    }
    if (live || wait) && session.format == Format::Table {
        note(&format!("run {}", run.run_id));
    }
    if live {
        return watch::to_end(session, &daemon, &run.run_id, watch::view(session).as_mut()).await;
    }
    if wait {
        return watch::to_end(session, &daemon, &run.run_id, &mut Silent).await;
    }
    match session.format {
        // For scripts: RUN=$(loaderctl submit ...)
        Format::Table => output::text(&run.run_id)?,
        Format::Json => output::message(&submitted)?,
    }
    Ok(Ending::Done)
}

/// Says what a run would do.
pub(super) async fn plan(session: &Session, spec: &SpecArguments, all: bool) -> Result<Ending, Failure> {
    let Prepared { daemon, spec, draft } = prepare(session, spec).await?;
    let planned = plan_run(&daemon, spec).await.map_err(|status| failure(&daemon, draft, status))?;
    let shown = if all { usize::MAX } else { SHOWN };
    session.print(&planned, |planned| render::plan(&planned.plan.clone().unwrap_or_default(), shown))
}

/// A spec without known faults, and whom to give it to.
#[derive(Debug)]
struct Prepared {
    daemon: Daemon,
    spec: RunSpec,
    /// Where the spec came from.
    draft: Draft,
}

/// The spec that the daemon is to get, its trace uploaded.
///
/// All faults are told at once: those that can be found here, and those that the daemon finds in what could be read. It
/// is asked before a trace is uploaded, too, so that nobody waits for an upload to learn of a slip of the pen.
async fn prepare(session: &Session, arguments: &SpecArguments) -> Result<Prepared, Failure> {
    let mut draft = Draft::read(arguments)?;
    let files = match draft.trace.as_deref().map(TraceFiles::find) {
        Some(Ok(files)) => Some(files),
        Some(Err(description)) => {
            draft.fault("trace.path", description);
            None
        }
        None => None,
    };
    let daemon = match session.daemon().await {
        Err(Failure::Unreachable { .. }) if !draft.faults.is_empty() => {
            return Err(Failure::Faults(draft.into_faults()));
        }
        connected => connected?,
    };
    if !draft.unreadable && (files.is_some() || !draft.faults.is_empty()) {
        draft.add(faults_of(&daemon, &draft.spec).await?);
    }
    if !draft.faults.is_empty() {
        return Err(Failure::Faults(draft.into_faults()));
    }
    let mut spec = draft.spec.clone();
    if let (Some(files), Some(Mode::Trace(trace))) = (files, &mut spec.mode) {
        trace.source = Some(Source::Upload(upload(&daemon, files).await?));
    }
    Ok(Prepared { daemon, spec, draft })
}

/// Why the daemon did not take a spec; its faults in the words of who wrote it.
fn failure(daemon: &Daemon, draft: Draft, status: Status) -> Failure {
    let faults = violations(&status);
    if faults.is_empty() {
        return daemon.failure(status);
    }
    Failure::Faults(draft.refused(faults))
}

/// What the daemon finds wrong with a spec.
async fn faults_of(daemon: &Daemon, spec: &RunSpec) -> Result<Vec<loader_proto::json::Fault>, Failure> {
    match plan_run(daemon, spec.clone()).await {
        Ok(_) => Ok(Vec::new()),
        Err(status) if status.code() == Code::InvalidArgument => Ok(violations(&status)),
        Err(status) => Err(daemon.failure(status)),
    }
}

async fn plan_run(daemon: &Daemon, spec: RunSpec) -> Result<PlanRunResponse, Status> {
    daemon.api.clone().plan_run(PlanRunRequest { spec: Some(spec) }).await.map(tonic::Response::into_inner)
}

#[cfg(test)]
mod tests;
