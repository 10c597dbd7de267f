//! Studies: what one would do.

use loader_proto::{
    json::Fault,
    v1::{PlanStudyRequest, StudySpec},
};
use tonic::Response;

use super::{prepare::options, session::Session};
use crate::{
    Ending, Failure,
    cli::{StudyFileArguments, StudyPlanArguments},
    client::Daemon,
    output::note,
    render,
    study::StudyDraft,
    upload::{Refused, TraceFiles, upload},
};

/// Maximum number of cells and of runs shown.
const SHOWN: usize = 20;

/// Prints what a study would do.
pub(super) async fn plan(session: &Session, arguments: StudyPlanArguments) -> Result<Ending, Failure> {
    let StudyPlanArguments { study, all } = arguments;
    let (daemon, study) = prepare(session, &study).await?;
    let planned = daemon.api.clone().plan_study(PlanStudyRequest { study: Some(study) }).await;
    let planned = planned.map(Response::into_inner).map_err(|status| daemon.failure(status))?;
    let shown = if all { usize::MAX } else { SHOWN };
    session.print(&planned, |planned| render::study_plan(&planned.plan.clone().unwrap_or_default(), shown))
}

/// Reads a study file and uploads its traces.
async fn prepare(session: &Session, file: &StudyFileArguments) -> Result<(Daemon, StudySpec), Failure> {
    let draft = StudyDraft::read(file)?;
    let traces = trace_files(&draft)?;
    let daemon = session.daemon().await?;
    let mut ids = Vec::with_capacity(traces.len());
    for (name, files) in traces {
        let id = upload(&daemon, files).await?;
        note(&format!("{name} is uploaded as {id}"));
        ids.push(id);
    }
    Ok((daemon, draft.with_uploads(&ids)))
}

/// The files of each trace, with the name that the study has for it.
fn trace_files(draft: &StudyDraft) -> Result<Vec<(String, TraceFiles)>, Failure> {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let options = options(&draft.base());
    for (name, path) in draft.traces.paths() {
        match TraceFiles::find(path, &options) {
            Ok(files) => found.push((name.to_owned(), files)),
            Err(refused) => faults.extend(refused.into_iter().map(|Refused { option, reason }| Fault {
                field: format!("base.trace.{}", option.unwrap_or("path")),
                description: reason,
            })),
        }
    }
    if faults.is_empty() { Ok(found) } else { Err(Failure::Faults(faults)) }
}
