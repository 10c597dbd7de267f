//! Studies at the API: what one would do, with the plans of all of its runs; submitted, shown, followed and ended.

use futures_util::{Stream, StreamExt as _};
use loader_proto::v1;
use prost::Message as _;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{
    convert::{self, WireCodec},
    status, streams,
};
use crate::{
    id::{InvalidRunId, InvalidStudyId, RunId, StudyId},
    registry::Scope,
    run::Planner,
    spec::Violation,
    store::{ClientStages, StudyStore, SubmittedStudy},
    studies::{ClientStage, HookSettings, Studies, StudySelector, StudySubmission, StudyView},
    study::{StudyPlan, StudyTotals},
};

/// Studies in one page of a list: by default, and at most.
const PAGE_SIZES: (usize, usize) = (100, 1000);

/// Most bytes of a page; clients take messages of 4 MiB.
const PAGE_BYTES: usize = 2 << 20;

/// Longest reason of a client's command, in bytes.
const LONGEST_FAILURE: usize = 1000;

/// The parts of the daemon that the control API uses for studies.
#[derive(Clone)]
pub struct StudyHandles {
    /// The studies.
    pub studies: Studies,
    /// The directories of the studies.
    pub store: StudyStore,
    /// Where hooks are.
    pub hooks: HookSettings,
}

/// What a study would do, down to the plan of each of its runs. Reads traces, so it belongs on a blocking thread; it ends soon once `left`
/// is cancelled.
///
/// # Errors
/// Every fault, by field.
pub(super) fn plan(
    (codec, planner, hooks): (&WireCodec, &Planner, &HookSettings),
    message: &v1::StudySpec,
    left: &CancellationToken,
) -> Result<v1::StudyPlan, Vec<Violation>> {
    let study = codec.check_study(message)?;
    check_hooks(hooks, &study)?;
    let totals = totals((codec, planner), &study, left)?;
    Ok(convert::study_plan(&study, &totals))
}

/// Checks that the hooks of a study can be run.
fn check_hooks(hooks: &HookSettings, study: &StudyPlan) -> Result<(), Vec<Violation>> {
    let named = study.settings.hooks.named();
    let faults = named.filter_map(|(field, name)| {
        let fault = hooks.find(name).err()?;
        Some(Violation::new(field, fault.to_string()))
    });
    let faults: Vec<_> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn totals(
    (codec, planner): (&WireCodec, &Planner),
    study: &StudyPlan,
    left: &CancellationToken,
) -> Result<StudyTotals, Vec<Violation>> {
    let mut totals = StudyTotals::without_runs(study);
    study.check_runs(|spec, times| {
        if left.is_cancelled() {
            return Err(vec![Violation::new("study", "the client has left")]);
        }
        let preparation = planner.prepare(&codec.check(spec)?, left)?;
        totals.add(&preparation.outline, times);
        Ok(())
    })?;
    Ok(totals)
}

/// Queues a study whose runs have been planned.
pub(super) async fn submit(
    handles: &StudyHandles,
    owner: String,
    (study, reuse): (SubmittedStudy, bool),
    client: ClientStages,
) -> Result<v1::Study, Status> {
    let view = handles.studies.submit(StudySubmission { study, owner, reuse, client }).await?;
    Ok(whole(handles, &view))
}

/// One study.
pub(super) async fn get(handles: &StudyHandles, study: &str) -> Result<v1::Study, Status> {
    let view = handles.studies.watch(selector(study)?).await?.borrow().clone();
    Ok(whole(handles, &view))
}

/// A page of studies.
pub(super) async fn list(
    handles: &StudyHandles,
    request: v1::ListStudiesRequest,
) -> Result<v1::ListStudiesResponse, Status> {
    let v1::ListStudiesRequest { page_size, page_token } = request;
    let before = match page_token.as_str() {
        "" => None,
        token => Some(token.parse::<StudyId>().map_err(|_| status::fault("pageToken", "invalid page token"))?),
    };
    let (default, most) = PAGE_SIZES;
    let limit = if page_size == 0 { default } else { (page_size as usize).min(most) };
    let page = handles.studies.list(before, limit).await?;
    let (mut studies, mut bytes) = (Vec::new(), 0);
    for view in &page.studies {
        let study = convert::followed(view, directory(handles, view));
        bytes += study.encoded_len();
        if bytes > PAGE_BYTES && !studies.is_empty() {
            break;
        }
        studies.push(study);
    }
    let more = page.more || studies.len() < page.studies.len();
    let next_page_token = studies.last().filter(|_| more).map(|study| study.study_id.clone()).unwrap_or_default();
    Ok(v1::ListStudiesResponse { studies, next_page_token })
}

/// A study as it changes, to its end.
pub(super) async fn watch(
    handles: StudyHandles,
    study: &str,
) -> Result<impl Stream<Item = Result<v1::WatchStudyResponse, Status>> + Send + use<>, Status> {
    let views = handles.studies.watch(selector(study)?).await?;
    let states = streams::study_views(views);
    Ok(states.map(move |view| {
        let study = if view.file.state.is_terminal() {
            whole(&handles, &view)
        } else {
            convert::followed(&view, directory(&handles, &view))
        };
        Ok(v1::WatchStudyResponse { study: Some(study) })
    }))
}

/// Ends a study early.
pub(super) async fn cancel(handles: &StudyHandles, study: &str, scope: Scope) -> Result<v1::Study, Status> {
    let view = handles.studies.cancel(selector(study)?, scope).await?;
    Ok(convert::followed(&view, directory(handles, &view)))
}

/// Removes a study.
pub(super) async fn delete(handles: &StudyHandles, study: &str) -> Result<StudyId, Status> {
    let study = id(study)?;
    handles.studies.delete(study.clone()).await?;
    Ok(study)
}

/// Lets a study go on that waits for its client.
pub(super) async fn proceed(
    handles: &StudyHandles,
    request: v1::ProceedStudyRequest,
    scope: Scope,
) -> Result<StudyId, Status> {
    let v1::ProceedStudyRequest { study_id, run_id, stage, failure } = request;
    let study = id(&study_id)?;
    let run: RunId = run_id.parse().map_err(|error: InvalidRunId| status::fault("runId", error.to_string()))?;
    let known = [ClientStage::BeforeRun, ClientStage::AfterRun];
    let stage = known.into_iter().find(|known| known.as_str() == stage);
    let stage = stage.ok_or_else(|| status::fault("stage", "must be beforeRun or afterRun"))?;
    let failure = failure[..failure.floor_char_boundary(LONGEST_FAILURE)].to_owned();
    handles.studies.proceed(study.clone(), scope, (run, stage), failure).await?;
    Ok(study)
}

fn whole(handles: &StudyHandles, view: &StudyView) -> v1::Study {
    convert::study(view, directory(handles, view))
}

fn directory(handles: &StudyHandles, view: &StudyView) -> String {
    handles.store.directory(&view.file.study_id).display().to_string()
}

fn selector(study: &str) -> Result<StudySelector, Status> {
    study.parse().map_err(|error: InvalidStudyId| status::fault("studyId", error.to_string()))
}

fn id(study: &str) -> Result<StudyId, Status> {
    study.parse().map_err(|error: InvalidStudyId| status::fault("studyId", error.to_string()))
}
