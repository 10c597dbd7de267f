//! The service that workers call: checks the token, and passes each call on.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, StreamExt as _};
use loader_proto::worker::{
    CompareClocksRequest, CompareClocksResponse, ReadTraceRequest, ReadTraceResponse, WorkRequest, WorkResponse,
    loader_workers_server::LoaderWorkers,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status, Streaming};

use super::{session::Handle, token::Token, trace_files::TraceFiles};
use crate::{
    clock::{Anchor, Clock},
    listener::{Accepted, OpenRequest},
};

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The service of one run's coordinator.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) token: Token,
    pub(super) handle: Handle,
    /// Attend to sessions.
    pub(super) sessions: TaskTracker,
    /// The run's trace; absent without one.
    pub(super) trace: Option<Arc<TraceFiles>>,
    pub(super) clock: Clock,
    /// What the coordinator's clock begins with.
    pub(super) origin: Anchor,
}

impl Service {
    /// Lets the run's workers through, and counts the request among those of its connection while it is open.
    fn admit<T>(&self, request: &Request<T>) -> Result<Option<OpenRequest>, Status> {
        self.token.check(request.metadata())?;
        Ok(request.extensions().get::<Accepted>().map(|accepted| accepted.requests.begin()))
    }
}

/// A stream of responses, during which its request counts as open.
fn held<T: Send + 'static>(
    open: Option<OpenRequest>,
    responses: impl Stream<Item = Result<T, Status>> + Send + 'static,
) -> Response<Responses<T>> {
    Response::new(Box::pin(responses.map(move |response| {
        let _open = &open;
        response
    })))
}

#[tonic::async_trait]
impl LoaderWorkers for Service {
    type WorkStream = Responses<WorkResponse>;
    type CompareClocksStream = Responses<CompareClocksResponse>;
    type ReadTraceStream = Responses<ReadTraceResponse>;

    async fn work(&self, request: Request<Streaming<WorkRequest>>) -> Result<Response<Self::WorkStream>, Status> {
        let open = self.admit(&request)?;
        let begun = self.handle.begin(request.into_inner()).await?;
        drop(self.sessions.spawn(begun.attend));
        Ok(held(open, ReceiverStream::new(begun.responses).map(Ok)))
    }

    async fn compare_clocks(
        &self,
        request: Request<Streaming<CompareClocksRequest>>,
    ) -> Result<Response<Self::CompareClocksStream>, Status> {
        let open = self.admit(&request)?;
        let (clock, origin) = (self.clock, self.origin);
        let now = move || origin.nanos_at(clock.now());
        let answers = request.into_inner().map(move |probe| {
            let received_clock_ns = now();
            let CompareClocksRequest { number, sent_clock_ns } = probe?;
            Ok(CompareClocksResponse { number, sent_clock_ns, received_clock_ns, answered_clock_ns: now() })
        });
        Ok(held(open, answers))
    }

    async fn read_trace(&self, request: Request<ReadTraceRequest>) -> Result<Response<Self::ReadTraceStream>, Status> {
        let open = self.admit(&request)?;
        let ReadTraceRequest { hash, file } = request.into_inner();
        let trace = self.trace.as_ref().filter(|trace| trace.hash() == hash.as_slice());
        let trace = trace.ok_or_else(|| Status::not_found("this run has no such trace"))?;
        let pieces = Arc::clone(trace).read(file, &self.sessions);
        Ok(held(open, pieces.map(|piece| piece.map(|data| ReadTraceResponse { data }))))
    }
}
