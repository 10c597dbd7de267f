//! The methods of `loader.v1.LoaderControl`. Each checks its input, calls the part that does it, and converts the result.

use std::{pin::Pin, sync::Arc};

use futures_util::Stream;
use loader_proto::v1::{self, loader_control_server::LoaderControl};
use prost::Message as _;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{
    StatusFacts, WireCodec,
    audit::{Changed, ChangedStudy},
    clean, convert,
    gate::Departure,
    invoke::SingleInvocation,
    page,
    permits::{Permit, Permits},
    room, status, streams,
    studies::{self, StudyHandles},
    traces,
};
use crate::{
    access::{Caller, Role},
    clock::Clock,
    id::{InvalidRunId, RunId, StudyId},
    page::Entrance,
    platform::Platforms,
    registry::{Registry, Scope, Selector, Submission},
    run::{Planner, Preparation, RunView},
    scrape::Prometheus,
    store::{ClientStages, State, Store},
    traces::TraceStore,
};

/// Runs in one page of a list: by default, and at most.
const PAGE_SIZES: (usize, usize) = (100, 1000);

/// Most bytes of a page; clients take messages of 4 MiB.
const PAGE_BYTES: usize = 2 << 20;

/// Longest idempotency key, in characters.
const MAX_KEY: usize = 128;

/// The parts of the daemon that the control API uses.
pub struct Handles {
    /// The registry of all runs.
    pub registry: Registry,
    /// The directories of the runs.
    pub store: Store,
    /// Makes plans of specs.
    pub planner: Arc<Planner>,
    /// How specs and summaries are kept.
    pub codec: WireCodec,
    /// The store of uploaded traces.
    pub traces: TraceStore,
    /// Platforms by name, for their status and for cleaning up.
    pub platforms: Platforms,
    /// The Prometheus that metrics are queried from.
    pub prometheus: Option<Prometheus>,
    /// The constant part of the status.
    pub facts: StatusFacts,
    /// The address of the live page, if there is one.
    pub entrance: Option<Entrance>,
    /// The studies.
    pub studies: StudyHandles,
    /// For the due times of single invocations.
    pub clock: Clock,
}

/// The implementation of the control API.
#[derive(Clone)]
pub struct Service {
    handles: Arc<Handles>,
    permits: Permits,
}

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Service {
    /// Creates the service, without starting a server.
    pub fn new(handles: Handles) -> Self {
        Self { handles: Arc::new(handles), permits: Permits::of_long_requests() }
    }

    /// Checks a spec down to its trace and plan, away from the threads that serve. Holds its place until it ends, which
    /// is soon when its client leaves.
    async fn prepare(&self, spec: Option<v1::RunSpec>, place: Place) -> Result<Prepared, Status> {
        let spec = spec.ok_or_else(|| status::fault("spec", "is required"))?;
        let handles = Arc::clone(&self.handles);
        let Place { permit, left } = place;
        let prepare = move || {
            let preparation = handles.planner.prepare(&handles.codec.check(&spec)?, &left)?;
            Ok(Prepared { spec, preparation, permit })
        };
        let prepared = tokio::task::spawn_blocking(prepare).await;
        prepared.map_err(|error| status::broken(&error))?.map_err(|violations: Vec<_>| status::invalid(&violations))
    }

    /// A place for a plan that is made for its caller alone.
    fn place<T>(&self, request: &Request<T>) -> Result<Place, Status> {
        let departure = request.extensions().get::<Departure>().cloned().unwrap_or_default();
        Ok(Place { permit: self.permit(request)?, left: departure.0 })
    }

    /// A permit for a request that takes long.
    fn permit<T>(&self, request: &Request<T>) -> Result<Permit, Status> {
        self.permits.take(caller(request))
    }

    async fn run(&self, view: &RunView) -> Result<v1::Run, Status> {
        let position = self.handles.registry.position(view.file.run_id.clone()).await?;
        Ok(convert::run(view, &self.handles.store.directory(&view.file.run_id), position))
    }

    /// The run, with the summary that an earlier process wrote.
    async fn run_with_summary(&self, view: &RunView) -> Result<v1::Run, Status> {
        let mut run = self.run(view).await?;
        if run.summary.is_none() && view.file.state.is_terminal() {
            let directory = self.handles.store.directory(&view.file.run_id);
            let handles = Arc::clone(&self.handles);
            let read = move || directory.summary().and_then(|text| handles.codec.read_summary(&text));
            let summary = tokio::task::spawn_blocking(read).await;
            run.summary = summary.map_err(|error| status::broken(&error))?;
        }
        Ok(run)
    }

    /// The run's view, if the run has ended.
    async fn ended(&self, run: &str) -> Result<Arc<RunView>, Status> {
        let view = self.handles.registry.watch(selector(run)?).await?.borrow().clone();
        if view.file.state.is_terminal() {
            return Ok(view);
        }
        let (id, state) = (&view.file.run_id, view.file.state.as_str());
        Err(Status::failed_precondition(format!("run {id} is {state}: its results are not complete yet")))
    }
}

/// A place for making a plan.
struct Place {
    permit: Permit,
    /// Cancelled when nobody waits for the plan any more.
    left: CancellationToken,
}

/// A spec that was prepared, and the permit for it.
struct Prepared {
    spec: v1::RunSpec,
    preparation: Preparation,
    permit: Permit,
}

/// The name of the caller, as the gate has identified it.
fn caller<T>(request: &Request<T>) -> &str {
    request.extensions().get::<Caller>().map_or("?", |caller| &caller.name)
}

/// The runs that the caller may change.
fn scope<T>(request: &Request<T>) -> Scope {
    let is_admin = request.extensions().get::<Caller>().is_some_and(|caller| caller.role == Some(Role::Admin));
    if is_admin { Scope::All } else { Scope::Own(caller(request).to_owned()) }
}

fn selector(run: &str) -> Result<Selector, Status> {
    run.parse().map_err(|error: InvalidRunId| status::fault("runId", error.to_string()))
}

/// A response that names the changed run for the audit line.
fn changed<T>(run: RunId, answer: T) -> Response<T> {
    let mut response = Response::new(answer);
    response.extensions_mut().insert(Changed(run));
    response
}

/// A response that names the changed study for the audit line.
fn changed_study<T>(study: Option<StudyId>, answer: T) -> Response<T> {
    let mut response = Response::new(answer);
    if let Some(study) = study {
        response.extensions_mut().insert(ChangedStudy(study));
    }
    response
}

#[tonic::async_trait]
impl LoaderControl for Service {
    async fn submit_run(
        &self,
        request: Request<v1::SubmitRunRequest>,
    ) -> Result<Response<v1::SubmitRunResponse>, Status> {
        // A submission is carried to its end, whether its client has left or not.
        let place = Place { permit: self.permit(&request)?, left: CancellationToken::new() };
        let owner = caller(&request).to_owned();
        let v1::SubmitRunRequest { spec, idempotency_key } = request.into_inner();
        if idempotency_key.chars().count() > MAX_KEY {
            return Err(status::fault("idempotencyKey", format!("must have at most {MAX_KEY} characters")));
        }
        let Prepared { spec, preparation, permit: _permit } = self.prepare(spec, place).await?;
        let submission = Submission {
            spec: self.handles.codec.submitted(&spec),
            name: preparation.spec.name,
            mode: preparation.spec.mode,
            platform: preparation.spec.platform.as_str().to_owned(),
            owner,
            idempotency_key,
            study: None,
        };
        let submitted = self.handles.registry.submit(submission).await?;
        let run = Some(self.run_with_summary(&submitted.view).await?);
        let answer = v1::SubmitRunResponse { run, existing: submitted.existing };
        Ok(changed(submitted.view.file.run_id.clone(), answer))
    }

    async fn plan_run(&self, request: Request<v1::PlanRunRequest>) -> Result<Response<v1::PlanRunResponse>, Status> {
        let place = self.place(&request)?;
        let left = place.left.clone();
        let v1::PlanRunRequest { spec, room } = request.into_inner();
        let Prepared { preparation, permit: _permit, .. } = self.prepare(spec, place).await?;
        let plan = Some(convert::plan(&preparation));
        let room = match room {
            true => Some(room::of(preparation, &self.handles.platforms, left).await?),
            false => None,
        };
        Ok(Response::new(v1::PlanRunResponse { plan, room }))
    }

    async fn plan_study(
        &self,
        request: Request<v1::PlanStudyRequest>,
    ) -> Result<Response<v1::PlanStudyResponse>, Status> {
        let Place { permit, left } = self.place(&request)?;
        let v1::PlanStudyRequest { study } = request.into_inner();
        let study = study.ok_or_else(|| status::fault("study", "is required"))?;
        let handles = Arc::clone(&self.handles);
        let planned = tokio::task::spawn_blocking(move || {
            let of_study = (&handles.codec, &*handles.planner, &handles.studies.hooks);
            let planned = studies::plan(of_study, &study, &left);
            drop(permit);
            planned
        });
        let planned = planned.await.map_err(|error| status::broken(&error))?;
        let plan = planned.map_err(|violations| status::invalid(&violations))?;
        Ok(Response::new(v1::PlanStudyResponse { plan: Some(plan) }))
    }

    async fn submit_study(
        &self,
        request: Request<v1::SubmitStudyRequest>,
    ) -> Result<Response<v1::SubmitStudyResponse>, Status> {
        // A submission is carried to its end, whether its client has left or not.
        let (permit, left) = (self.permit(&request)?, CancellationToken::new());
        let owner = caller(&request).to_owned();
        let v1::SubmitStudyRequest { study, reuse, client_before_run, client_after_run } = request.into_inner();
        let study = study.ok_or_else(|| status::fault("study", "is required"))?;
        let handles = Arc::clone(&self.handles);
        let checked = tokio::task::spawn_blocking(move || {
            studies::plan((&handles.codec, &handles.planner, &handles.studies.hooks), &study, &left)?;
            Ok(handles.codec.submitted_study(&study))
        });
        let checked = checked.await.map_err(|error| status::broken(&error))?;
        let study = checked.map_err(|violations: Vec<_>| status::invalid(&violations))?;
        let client = ClientStages { before_run: client_before_run, after_run: client_after_run };
        let study = studies::submit(&self.handles.studies, owner, (study, reuse), client).await?;
        drop(permit);
        let id = study.study_id.parse();
        Ok(changed_study(id.ok(), v1::SubmitStudyResponse { study: Some(study) }))
    }

    async fn get_study(&self, request: Request<v1::GetStudyRequest>) -> Result<Response<v1::GetStudyResponse>, Status> {
        let v1::GetStudyRequest { study_id } = request.into_inner();
        let study = studies::get(&self.handles.studies, &study_id).await?;
        Ok(Response::new(v1::GetStudyResponse { study: Some(study) }))
    }

    async fn list_studies(
        &self,
        request: Request<v1::ListStudiesRequest>,
    ) -> Result<Response<v1::ListStudiesResponse>, Status> {
        studies::list(&self.handles.studies, request.into_inner()).await.map(Response::new)
    }

    type WatchStudyStream = Streamed<v1::WatchStudyResponse>;

    async fn watch_study(
        &self,
        request: Request<v1::WatchStudyRequest>,
    ) -> Result<Response<Self::WatchStudyStream>, Status> {
        let v1::WatchStudyRequest { study_id } = request.into_inner();
        let states = studies::watch(self.handles.studies.clone(), &study_id).await?;
        Ok(Response::new(Box::pin(states)))
    }

    async fn cancel_study(
        &self,
        request: Request<v1::CancelStudyRequest>,
    ) -> Result<Response<v1::CancelStudyResponse>, Status> {
        let scope = scope(&request);
        let v1::CancelStudyRequest { study_id } = request.into_inner();
        let study = studies::cancel(&self.handles.studies, &study_id, scope).await?;
        let id = study.study_id.parse();
        Ok(changed_study(id.ok(), v1::CancelStudyResponse { study: Some(study) }))
    }

    async fn delete_study(
        &self,
        request: Request<v1::DeleteStudyRequest>,
    ) -> Result<Response<v1::DeleteStudyResponse>, Status> {
        let v1::DeleteStudyRequest { study_id } = request.into_inner();
        let id = studies::delete(&self.handles.studies, &study_id).await?;
        Ok(changed_study(Some(id), v1::DeleteStudyResponse {}))
    }

    async fn proceed_study(
        &self,
        request: Request<v1::ProceedStudyRequest>,
    ) -> Result<Response<v1::ProceedStudyResponse>, Status> {
        let scope = scope(&request);
        let id = studies::proceed(&self.handles.studies, request.into_inner(), scope).await?;
        Ok(changed_study(Some(id), v1::ProceedStudyResponse {}))
    }

    type StreamPlanStream = Streamed<v1::StreamPlanResponse>;

    async fn stream_plan(
        &self,
        request: Request<v1::StreamPlanRequest>,
    ) -> Result<Response<Self::StreamPlanStream>, Status> {
        let place = self.place(&request)?;
        let v1::StreamPlanRequest { spec } = request.into_inner();
        let Prepared { preparation, permit, .. } = self.prepare(spec, place).await?;
        Ok(Response::new(Box::pin(streams::plan(preparation, permit)?)))
    }

    async fn get_run(&self, request: Request<v1::GetRunRequest>) -> Result<Response<v1::GetRunResponse>, Status> {
        let v1::GetRunRequest { run_id } = request.into_inner();
        let view = self.handles.registry.watch(selector(&run_id)?).await?.borrow().clone();
        Ok(Response::new(v1::GetRunResponse { run: Some(self.run_with_summary(&view).await?) }))
    }

    async fn list_runs(&self, request: Request<v1::ListRunsRequest>) -> Result<Response<v1::ListRunsResponse>, Status> {
        let v1::ListRunsRequest { states, page_size, page_token } = request.into_inner();
        let before = match page_token.as_str() {
            "" => None,
            token => Some(token.parse::<RunId>().map_err(|_| status::fault("pageToken", "invalid page token"))?),
        };
        let states = states
            .into_iter()
            .map(|wire| {
                convert::state(wire).ok_or_else(|| status::fault("states", format!("{wire} is not a run state")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let (default, most) = PAGE_SIZES;
        let limit = if page_size == 0 { default } else { (page_size as usize).min(most) };
        let page = self.handles.registry.list(before, states, limit).await?;
        let mut runs = Vec::with_capacity(page.runs.len());
        let mut bytes = 0;
        for view in &page.runs {
            let run = convert::listed(self.run_with_summary(view).await?);
            bytes += run.encoded_len();
            if bytes > PAGE_BYTES && !runs.is_empty() {
                break;
            }
            runs.push(run);
        }
        let more = page.more || runs.len() < page.runs.len();
        let next_page_token = runs.last().filter(|_| more).map(|run| run.run_id.clone()).unwrap_or_default();
        Ok(Response::new(v1::ListRunsResponse { runs, next_page_token }))
    }

    type WatchRunStream = Streamed<v1::WatchRunResponse>;

    async fn watch_run(&self, request: Request<v1::WatchRunRequest>) -> Result<Response<Self::WatchRunStream>, Status> {
        let v1::WatchRunRequest { run_id } = request.into_inner();
        let views = self.handles.registry.watch(selector(&run_id)?).await?;
        let service = self.clone();
        let runs = streams::views(views, move |view| {
            let service = service.clone();
            async move { service.run_with_summary(&view).await.map(|run| v1::WatchRunResponse { run: Some(run) }) }
        });
        Ok(Response::new(Box::pin(runs)))
    }

    async fn cancel_run(
        &self,
        request: Request<v1::CancelRunRequest>,
    ) -> Result<Response<v1::CancelRunResponse>, Status> {
        let scope = scope(&request);
        let v1::CancelRunRequest { run_id } = request.into_inner();
        let view = self.handles.registry.cancel(selector(&run_id)?, scope).await?;
        let answer = v1::CancelRunResponse { run: Some(self.run_with_summary(&view).await?) };
        Ok(changed(view.file.run_id.clone(), answer))
    }

    async fn delete_run(
        &self,
        request: Request<v1::DeleteRunRequest>,
    ) -> Result<Response<v1::DeleteRunResponse>, Status> {
        let v1::DeleteRunRequest { run_id } = request.into_inner();
        let id: RunId = run_id.parse().map_err(|error: InvalidRunId| status::fault("runId", error.to_string()))?;
        self.handles.registry.delete(id.clone()).await?;
        Ok(changed(id, v1::DeleteRunResponse {}))
    }

    async fn pin_run(&self, request: Request<v1::PinRunRequest>) -> Result<Response<v1::PinRunResponse>, Status> {
        let scope = scope(&request);
        let v1::PinRunRequest { run_id, pinned } = request.into_inner();
        let view = self.handles.registry.pin(selector(&run_id)?, pinned, scope).await?;
        let answer = v1::PinRunResponse { run: Some(self.run_with_summary(&view).await?) };
        Ok(changed(view.file.run_id.clone(), answer))
    }

    type StreamRecordsStream = Streamed<v1::StreamRecordsResponse>;

    async fn stream_records(
        &self,
        request: Request<v1::StreamRecordsRequest>,
    ) -> Result<Response<Self::StreamRecordsStream>, Status> {
        let v1::StreamRecordsRequest { run_id, with_nodes } = request.into_inner();
        let views = self.handles.registry.watch(selector(&run_id)?).await?;
        let id = views.borrow().file.run_id.clone();
        let records = streams::records(&self.handles.store.directory(&id), views, with_nodes);
        Ok(Response::new(Box::pin(records)))
    }

    type DownloadResultsStream = Streamed<v1::DownloadResultsResponse>;

    async fn download_results(
        &self,
        request: Request<v1::DownloadResultsRequest>,
    ) -> Result<Response<Self::DownloadResultsStream>, Status> {
        let permit = self.permit(&request)?;
        let v1::DownloadResultsRequest { run_id, layout } = request.into_inner();
        let layout = streams::layout(&layout)?;
        let view = self.ended(&run_id).await?;
        let pieces = streams::results(&self.handles.store.directory(&view.file.run_id), layout, permit);
        Ok(Response::new(Box::pin(pieces)))
    }

    type UploadTraceStream = Streamed<v1::UploadTraceResponse>;

    async fn upload_trace(
        &self,
        request: Request<Streaming<v1::UploadTraceRequest>>,
    ) -> Result<Response<Self::UploadTraceStream>, Status> {
        let permit = self.permit(&request)?;
        let client = caller(&request).to_owned();
        let answers = streams::upload(self.handles.traces.clone(), client, permit, request.into_inner());
        Ok(Response::new(Box::pin(answers)))
    }

    async fn list_traces(
        &self,
        request: Request<v1::ListTracesRequest>,
    ) -> Result<Response<v1::ListTracesResponse>, Status> {
        let Handles { traces: store, registry, .. } = &*self.handles;
        Ok(Response::new(traces::list(store, registry, request.into_inner()).await?))
    }

    async fn delete_trace(
        &self,
        request: Request<v1::DeleteTraceRequest>,
    ) -> Result<Response<v1::DeleteTraceResponse>, Status> {
        let Handles { traces: store, registry, .. } = &*self.handles;
        let caller = request.extensions().get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| Status::unauthenticated("the caller is unknown"))?;
        let v1::DeleteTraceRequest { trace_id } = request.into_inner();
        let needed = self.handles.studies.studies.uploads().await?;
        traces::delete(store, (registry, &needed), &caller, trace_id).await?;
        Ok(Response::new(v1::DeleteTraceResponse {}))
    }

    async fn invoke(&self, request: Request<v1::InvokeRequest>) -> Result<Response<v1::InvokeResponse>, Status> {
        let (clock, permit) = (self.handles.clock, self.permit(&request)?);
        let departure = request.extensions().get::<Departure>().cloned().unwrap_or_default();
        let invocation =
            SingleInvocation::check(request.into_inner()).map_err(|violations| status::invalid(&violations))?;
        let made = tokio::task::spawn_blocking(move || {
            let record = invocation.make(clock, &departure.0);
            drop(permit);
            record
        });
        let made = made.await;
        let record = made.map_err(|error| status::broken(&error))?;
        let record = record.map_err(|error| Status::internal(format!("cannot start a runtime: {error}")))?;
        let record = record.ok_or_else(|| {
            Status::cancelled("the client left, or lost its access, before the function had answered")
        })?;
        Ok(Response::new(v1::InvokeResponse { record: Some(record) }))
    }

    async fn clean_runs(
        &self,
        request: Request<v1::CleanRunsRequest>,
    ) -> Result<Response<v1::CleanRunsResponse>, Status> {
        let v1::CleanRunsRequest { run_id, all_runs } = request.into_inner();
        let wanted = match (run_id.as_str(), all_runs) {
            ("", true) => None,
            ("", false) => return Err(status::fault("runId", "is required unless allRuns is set")),
            (_, true) => return Err(status::fault("allRuns", "cannot be combined with runId")),
            (run, false) => Some(run.parse().map_err(|error: InvalidRunId| status::fault("runId", error.to_string()))?),
        };
        clean::runs(&self.handles.platforms, &self.handles.registry, wanted).await.map(Response::new)
    }

    async fn query_metrics(
        &self,
        request: Request<v1::QueryMetricsRequest>,
    ) -> Result<Response<v1::QueryMetricsResponse>, Status> {
        let v1::QueryMetricsRequest { expression } = request.into_inner();
        if expression.trim().is_empty() {
            return Err(status::fault("expression", "is required"));
        }
        let Some(prometheus) = &self.handles.prometheus else {
            return Err(Status::failed_precondition("no Prometheus is configured: set prometheus.url"));
        };
        let values = prometheus.query(&expression).await?.into_iter().map(convert::metric_value).collect();
        Ok(Response::new(v1::QueryMetricsResponse { values }))
    }

    async fn get_status(
        &self,
        request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        let v1::GetStatusRequest { probe_platforms } = request.into_inner();
        let activity = self.handles.registry.activity().await?;
        let mut of_platforms = Vec::new();
        for (name, platform) in self.handles.platforms.iter().filter(|_| probe_platforms) {
            if let Some(inspect) = platform.inspect() {
                of_platforms.extend(inspect.facts().await.into_iter().map(|fact| (*name, fact)));
            }
        }
        let cleaning = self.handles.registry.list(None, vec![State::Cleaning], PAGE_SIZES.0).await?.runs;
        let status = convert::status(&self.handles.facts, activity, &cleaning, of_platforms.into_iter());
        Ok(Response::new(status))
    }

    async fn create_page_address(
        &self,
        request: Request<v1::CreatePageAddressRequest>,
    ) -> Result<Response<v1::CreatePageAddressResponse>, Status> {
        let Handles { entrance, clock, .. } = &*self.handles;
        page::address(entrance.as_ref(), &request, clock.now()).map(Response::new)
    }
}
