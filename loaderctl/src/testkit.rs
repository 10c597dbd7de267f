//! A daemon for tests, in this process: it takes uploads and finds scripted faults; all else it refuses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use loader_proto::v1::{
    self,
    loader_control_server::{LoaderControl, LoaderControlServer},
    upload_trace_request::Part,
    upload_trace_response::Answer,
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Code, Request, Response, Status, Streaming, transport::Server};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::client::Daemon;

/// The responses of the fake daemon, and the requests that it received.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Faults that each plan has, by field.
    pub(crate) faults: Vec<(&'static str, &'static str)>,
    /// Bytes of files that it holds from an upload that was cut off.
    pub(crate) held: BTreeMap<String, Vec<u8>>,
    /// Files that it has completely, so that it requests nothing of them.
    pub(crate) complete: Vec<&'static str>,
    /// The manifest that it got.
    pub(crate) manifest: v1::TraceManifest,
    /// Bytes of the pieces that it got, in order.
    pub(crate) pieces: Vec<(String, u64, usize)>,
    /// Specs that were planned.
    pub(crate) planned: Vec<v1::RunSpec>,
    /// Refuses the upload at the first piece.
    pub(crate) refuses_data: bool,
}

/// The daemon; it ends with this value.
#[derive(Debug, Clone)]
pub(crate) struct Fake {
    script: Arc<Mutex<Script>>,
}

impl Fake {
    pub(crate) fn new(script: Script) -> Self {
        Self { script: Arc::new(Mutex::new(script)) }
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves on a port that the system picks, until the set of tasks is dropped.
    pub(crate) async fn serve(&self) -> (Daemon, crate::Address, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let address: crate::Address = address.parse().expect("an address");
        let router = Server::builder().add_service(LoaderControlServer::new(self.clone()));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { router.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("serves") });
        (
            Daemon::connect(&address, &crate::credentials::Credentials::default()).await.expect("connects"),
            address,
            tasks,
        )
    }

    /// One upload, answer by answer.
    async fn take(
        self,
        mut parts: Streaming<v1::UploadTraceRequest>,
        answers: mpsc::Sender<Result<v1::UploadTraceResponse, Status>>,
    ) -> Result<(), Status> {
        let answer = |answer| Ok(v1::UploadTraceResponse { answer: Some(answer) });
        while let Some(part) = parts.message().await? {
            match part.part.expect("a part") {
                Part::Manifest(manifest) => {
                    let wanted = self.wanted(&manifest);
                    self.script().manifest = manifest;
                    answers.send(answer(Answer::Wanted(wanted))).await.expect("a listener");
                }
                Part::Data(v1::TraceData { name, offset, data }) => {
                    let mut script = self.script();
                    if script.refuses_data {
                        return Err(Status::resource_exhausted("the trace is too large"));
                    }
                    script.pieces.push((name.clone(), offset, data.len()));
                    let held = script.held.entry(name).or_default();
                    assert_eq!(held.len() as u64, offset);
                    held.extend(data);
                }
            }
        }
        let stored = v1::TraceStored { trace_id: "stored-id".to_owned(), size: 0 };
        answers.send(answer(Answer::Stored(stored))).await.expect("a listener");
        Ok(())
    }

    fn wanted(&self, manifest: &v1::TraceManifest) -> v1::TraceWanted {
        let script = self.script();
        let lacking = manifest.files.iter().filter(|file| !script.complete.contains(&file.name.as_str()));
        let offsets = lacking.map(|file| v1::TraceOffset {
            name: file.name.clone(),
            offset: script.held.get(&file.name).map_or(0, |held| held.len() as u64),
        });
        v1::TraceWanted { files: offsets.collect() }
    }
}

/// The control API: the macro has the responses, and its use lists the methods that are refused.
macro_rules! control {
    ($($method:ident($request:ident) -> $answer:ty;)*) => {
        #[tonic::async_trait]
        impl LoaderControl for Fake {
            type StreamPlanStream = ReceiverStream<Result<v1::StreamPlanResponse, Status>>;
            type WatchRunStream = ReceiverStream<Result<v1::WatchRunResponse, Status>>;
            type WatchStudyStream = ReceiverStream<Result<v1::WatchStudyResponse, Status>>;
            type StreamRecordsStream = ReceiverStream<Result<v1::StreamRecordsResponse, Status>>;
            type DownloadResultsStream = ReceiverStream<Result<v1::DownloadResultsResponse, Status>>;
            type UploadTraceStream = ReceiverStream<Result<v1::UploadTraceResponse, Status>>;

            $(async fn $method(&self, _: Request<v1::$request>) -> Result<Response<$answer>, Status> {
                Err(Status::unimplemented(stringify!($method)))
            })*

            async fn plan_run(
                &self,
                request: Request<v1::PlanRunRequest>,
            ) -> Result<Response<v1::PlanRunResponse>, Status> {
                self.script().planned.extend(request.into_inner().spec);
                let mut details = ErrorDetails::new();
                for (field, description) in &self.script().faults {
                    details.add_bad_request_violation(*field, *description);
                }
                if self.script().faults.is_empty() {
                    return Ok(Response::new(v1::PlanRunResponse::default()));
                }
                Err(Status::with_error_details(Code::InvalidArgument, "faults", details))
            }

            async fn upload_trace(
                &self,
                request: Request<Streaming<v1::UploadTraceRequest>>,
            ) -> Result<Response<Self::UploadTraceStream>, Status> {
                let (answers, stream) = mpsc::channel(4);
                let fake = self.clone();
                #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
                tokio::spawn(async move {
                    if let Err(status) = fake.take(request.into_inner(), answers.clone()).await {
                        answers.send(Err(status)).await.expect("a listener");
                    }
                });
                Ok(Response::new(ReceiverStream::new(stream)))
            }
        }
    };
}

control! {
    submit_run(SubmitRunRequest) -> v1::SubmitRunResponse;
    stream_plan(StreamPlanRequest) -> Self::StreamPlanStream;
    plan_study(PlanStudyRequest) -> v1::PlanStudyResponse;
    submit_study(SubmitStudyRequest) -> v1::SubmitStudyResponse;
    get_study(GetStudyRequest) -> v1::GetStudyResponse;
    list_studies(ListStudiesRequest) -> v1::ListStudiesResponse;
    watch_study(WatchStudyRequest) -> Self::WatchStudyStream;
    cancel_study(CancelStudyRequest) -> v1::CancelStudyResponse;
    delete_study(DeleteStudyRequest) -> v1::DeleteStudyResponse;
    proceed_study(ProceedStudyRequest) -> v1::ProceedStudyResponse;
    clean_runs(CleanRunsRequest) -> v1::CleanRunsResponse;
    query_metrics(QueryMetricsRequest) -> v1::QueryMetricsResponse;
    get_run(GetRunRequest) -> v1::GetRunResponse;
    list_runs(ListRunsRequest) -> v1::ListRunsResponse;
    watch_run(WatchRunRequest) -> Self::WatchRunStream;
    cancel_run(CancelRunRequest) -> v1::CancelRunResponse;
    delete_run(DeleteRunRequest) -> v1::DeleteRunResponse;
    pin_run(PinRunRequest) -> v1::PinRunResponse;
    stream_records(StreamRecordsRequest) -> Self::StreamRecordsStream;
    download_results(DownloadResultsRequest) -> Self::DownloadResultsStream;
    list_traces(ListTracesRequest) -> v1::ListTracesResponse;
    delete_trace(DeleteTraceRequest) -> v1::DeleteTraceResponse;
    invoke(InvokeRequest) -> v1::InvokeResponse;
    get_status(GetStatusRequest) -> v1::GetStatusResponse;
    create_page_address(CreatePageAddressRequest) -> v1::CreatePageAddressResponse;
}
