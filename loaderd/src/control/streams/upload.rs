//! The upload of a trace: the client sends a manifest, the daemon asks for missing bytes, the client sends them in pieces, the
//! daemon answers with the trace's id.

use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use loader_proto::v1::{self, upload_trace_request::Part, upload_trace_response::Answer};
use tokio::time::timeout;
use tonic::Status;

use crate::{
    control::{permits::Permit, status},
    traces::{Begun, Manifest, TraceFile, TraceStore, Upload, UploadError, Wanted},
};

/// How long a client may take to send its next part.
const CLIENT_TIMEOUT: Duration = Duration::from_mins(1);

/// The parts that a client sends, and its permit: both end with the upload.
struct Requests<S> {
    parts: std::pin::Pin<Box<S>>,
    _permit: Permit,
}

/// The stage of an upload.
enum Stage<S> {
    Manifest(TraceStore, String, Requests<S>),
    Content(Upload, u64, Requests<S>),
    Stored(v1::TraceStored),
}

/// Stores the trace from the `requests` of `client`, which holds `permit` until then.
pub(in crate::control) fn upload<S>(
    store: TraceStore,
    client: String,
    permit: Permit,
    requests: S,
) -> impl Stream<Item = Result<v1::UploadTraceResponse, Status>> + Send
where
    S: Stream<Item = Result<v1::UploadTraceRequest, Status>> + Send + 'static,
{
    stream::unfold(
        Some(Stage::Manifest(store, client, Requests { parts: Box::pin(requests), _permit: permit })),
        |stage| async {
            let (answer, next) = match stage? {
                Stage::Manifest(store, client, requests) => {
                    begin(store, client, requests).await.map_or_else(refused, wanted)
                }
                Stage::Content(upload, size, requests) => {
                    receive(upload, size, requests).await.map_or_else(refused, stored)
                }
                Stage::Stored(trace) => stored(trace),
            };
            Some((answer, next))
        },
    )
}

type Step<S> = (Result<v1::UploadTraceResponse, Status>, Option<Stage<S>>);

fn refused<S>(status: Status) -> Step<S> {
    (Err(status), None)
}

fn wanted<S>((files, next): (Vec<Wanted>, Stage<S>)) -> Step<S> {
    let files = files.into_iter().map(|Wanted { name, offset }| v1::TraceOffset { name, offset });
    let answer = Answer::Wanted(v1::TraceWanted { files: files.collect() });
    (Ok(v1::UploadTraceResponse { answer: Some(answer) }), Some(next))
}

fn stored<S>(trace: v1::TraceStored) -> Step<S> {
    (Ok(v1::UploadTraceResponse { answer: Some(Answer::Stored(trace)) }), None)
}

/// Receives the manifest; returns what is missing, and the next stage.
async fn begin<S>(
    store: TraceStore,
    client: String,
    mut requests: Requests<S>,
) -> Result<(Vec<Wanted>, Stage<S>), Status>
where
    S: Stream<Item = Result<v1::UploadTraceRequest, Status>> + Send,
{
    let Some(Part::Manifest(v1::TraceManifest { files })) = part(&mut requests).await? else {
        return Err(status::fault("manifest", "must come first"));
    };
    let files = files.into_iter().map(|v1::TraceFile { name, size, sha256 }| TraceFile { name, size, sha256 });
    let manifest = Manifest::check(files.collect()).map_err(|violations| status::invalid(&violations))?;
    let (size, id) = (manifest.size(), manifest.id().to_owned());
    Ok(match blocking(move || store.begin(manifest, &client)).await? {
        Begun::Stored => (Vec::new(), Stage::Stored(v1::TraceStored { trace_id: id, size })),
        Begun::Missing(upload) => (upload.wanted(), Stage::Content(upload, size, requests)),
    })
}

/// Receives pieces until all bytes have arrived.
async fn receive<S>(mut upload: Upload, size: u64, mut requests: Requests<S>) -> Result<v1::TraceStored, Status>
where
    S: Stream<Item = Result<v1::UploadTraceRequest, Status>> + Send,
{
    while !upload.is_complete() {
        upload = match part(&mut requests).await? {
            Some(Part::Data(v1::TraceData { name, offset, data })) => {
                blocking(move || upload.append(&name, offset, &data).map(|()| upload)).await?
            }
            Some(Part::Manifest(_)) => return Err(status::fault("manifest", "must come once")),
            None => return Err(Status::cancelled("the client ended the upload before it was complete")),
        };
    }
    let trace_id = blocking(move || upload.finish()).await?;
    log::info!("trace {trace_id} was uploaded ({size} bytes)");
    Ok(v1::TraceStored { trace_id, size })
}

/// The client's next part; `None` at the end of its stream.
async fn part<S>(requests: &mut Requests<S>) -> Result<Option<Part>, Status>
where
    S: Stream<Item = Result<v1::UploadTraceRequest, Status>> + Send,
{
    let next = timeout(CLIENT_TIMEOUT, requests.parts.next()).await;
    let next = next.map_err(|_| {
        let limit = humantime::format_duration(CLIENT_TIMEOUT);
        Status::deadline_exceeded(format!("the client sent nothing for {limit}: upload again, it resumes"))
    })?;
    match next.transpose()? {
        None => Ok(None),
        Some(v1::UploadTraceRequest { part: Some(part) }) => Ok(Some(part)),
        Some(v1::UploadTraceRequest { part: None }) => Err(status::fault("part", "is empty")),
    }
}

/// Runs on a blocking thread: it writes files.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UploadError> + Send + 'static,
) -> Result<T, Status> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| status::broken(&error))??)
}
