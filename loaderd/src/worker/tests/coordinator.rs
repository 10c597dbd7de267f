//! A coordinator of one worker: it assigns, starts, takes batches in order and acknowledges them, as the service's comments say.

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use loader_proto::worker::{
    Acknowledged, Assignment, ClockEstimate, CompareClocksRequest, CompareClocksResponse, Dismissed, EventBatch,
    ReadTraceRequest, ReadTraceResponse, Start, WorkRequest, WorkResponse, WorkerHello,
    loader_workers_server::{LoaderWorkers, LoaderWorkersServer},
    work_request, work_response,
};
use tokio::{net::TcpListener, task::JoinSet, time::Instant};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, transport::Server};

use crate::{clock::Clock, plan::Shares, units, workers::wire};

/// What it does wrong, or for a test.
#[derive(Debug, Clone, Default)]
pub(super) struct Behaviour {
    /// Streams end after so many messages of the worker, the last of which is not answered, one after the other; those behind them do
    /// not.
    pub(super) cuts: Vec<usize>,
    /// It is gone once the load has begun.
    pub(super) vanishes: bool,
    /// It does not want the worker.
    pub(super) dismisses: Option<String>,
    /// Files of the run's trace.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// It has another plan.
    pub(super) other_plan: bool,
}

/// What it has got.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    pub(super) batches: Vec<EventBatch>,
    /// A batch came out of turn.
    pub(super) gap: bool,
    pub(super) streams: usize,
    pub(super) outcomes: Vec<u32>,
    pub(super) reports: usize,
    pub(super) done: Option<u64>,
    pub(super) failed: Option<String>,
    /// What the worker knew when it was ready.
    pub(super) clock: Option<ClockEstimate>,
    /// Between which two the offset of the clocks is.
    pub(super) real: (i64, i64),
    started: Option<Start>,
    decided: Option<work_response::Message>,
}

#[derive(Clone)]
pub(super) struct Coordinator {
    behaviour: Behaviour,
    assignment: Assignment,
    taken: Arc<Mutex<Taken>>,
    origin: Instant,
    gone: CancellationToken,
}

/// A coordinator that serves, until it is dropped.
pub(super) struct Serving {
    pub(super) address: String,
    taken: Arc<Mutex<Taken>>,
    _server: JoinSet<()>,
}

impl Serving {
    pub(super) fn taken(&self) -> Taken {
        self.taken.lock().unwrap().clone()
    }
}

impl Coordinator {
    pub(super) fn new(
        behaviour: Behaviour,
        (spec, hash): (Vec<u8>, [u8; 32]),
        shares: &Shares,
        functions: &[String],
        orphan_timeout: Duration,
    ) -> Self {
        let plan_hash = if behaviour.other_plan { vec![0; 32] } else { hash.to_vec() };
        let assignment = Assignment {
            spec,
            default_platform: "local".to_owned(),
            workers: shares.workers(),
            shares: Some(loader_proto::worker::Shares { owners: shares.owners().to_vec() }),
            functions: functions.iter().map(|name| wire::function(name, None)).collect(),
            plan_hash,
            max_in_flight: 1000,
            sending_threads: 1,
            connections: 1,
            orphan_timeout: Some(orphan_timeout.try_into().unwrap()),
            ..Assignment::default()
        };
        let (taken, gone) = (Arc::default(), CancellationToken::new());
        Self { behaviour, assignment, taken, origin: Clock.now(), gone }
    }

    pub(super) async fn serve(self) -> Serving {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (taken, gone) = (Arc::clone(&self.taken), self.gone.clone());
        let mut server = JoinSet::new();
        server.spawn(async move {
            let service = LoaderWorkersServer::new(self).max_decoding_message_size(64 << 20);
            let serving = Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
            tokio::select! {
                ended = serving => ended.unwrap(),
                () = gone.cancelled() => {}
            }
        });
        Serving { address, taken, _server: server }
    }

    /// The present reading of its clock.
    pub(super) fn now(&self) -> u64 {
        units::nanos(Clock.now().saturating_duration_since(self.origin)) + 1_000_000_000
    }

    fn check<T>(request: &Request<T>) -> Result<(), Status> {
        let token = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        if token == Some("Bearer secret") { Ok(()) } else { Err(Status::unauthenticated("another token")) }
    }

    /// What it answers.
    fn answer(&self, message: work_request::Message) -> Vec<work_response::Message> {
        use work_response::Message as Say;
        let mut taken = self.taken.lock().unwrap();
        let acknowledged = |taken: &Taken| Say::Acknowledged(Acknowledged { next_batch: taken.batches.len() as u64 });
        match message {
            work_request::Message::Hello(WorkerHello { resumes, index, run_id, .. }) => {
                assert_eq!((index, run_id.len()), (super::WORKER, 23));
                if let Some(reason) = self.behaviour.dismisses.clone() {
                    return vec![Say::Dismissed(Dismissed { reason })];
                }
                // A cut may have taken the assignment with it.
                let mut say =
                    vec![if resumes { acknowledged(&taken) } else { Say::Assignment(self.assignment.clone()) }];
                say.extend(taken.started.map(Say::Start));
                say.extend(taken.decided.clone());
                say
            }
            work_request::Message::Prepared(prepared) => {
                assert_eq!(prepared.plan_hash, self.assignment.plan_hash);
                Vec::new()
            }
            work_request::Message::Ready(ready) => {
                taken.clock = ready.clock;
                let start = Start { t0_clock_ns: self.now() + 20_000_000, t0_unix_us: Clock.unix().0 + 20_000 };
                taken.started = Some(start);
                if self.behaviour.vanishes {
                    self.gone.cancel();
                }
                vec![Say::Start(start)]
            }
            work_request::Message::Events(batch) => {
                let next = taken.batches.len() as u64;
                taken.gap |= batch.number > next;
                if batch.number == next {
                    taken.batches.push(batch);
                }
                vec![acknowledged(&taken)]
            }
            work_request::Message::Outcome(outcome) => {
                if !taken.outcomes.contains(&outcome.slot) {
                    taken.outcomes.push(outcome.slot);
                }
                let decided = Say::Outcome(outcome);
                taken.decided = Some(decided.clone());
                vec![decided]
            }
            work_request::Message::Report(_) => {
                taken.reports += 1;
                Vec::new()
            }
            work_request::Message::Done(done) => {
                taken.done = Some(done.batches);
                vec![Say::Dismissed(Dismissed::default())]
            }
            work_request::Message::Failed(failed) => {
                taken.failed = Some(failed.reason);
                vec![Say::Dismissed(Dismissed::default())]
            }
        }
    }
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A stream of a worker: what it says, what is to be answered, and how many more messages are read.
struct Conversation {
    coordinator: Coordinator,
    requests: Streaming<WorkRequest>,
    answers: VecDeque<work_response::Message>,
    left: usize,
}

impl Conversation {
    async fn next(mut self) -> Option<(Result<WorkResponse, Status>, Self)> {
        loop {
            if let Some(message) = self.answers.pop_front() {
                return Some((Ok(WorkResponse { message: Some(message) }), self));
            }
            self.left = self.left.checked_sub(1)?;
            let request = tokio::select! {
                biased;
                () = self.coordinator.gone.cancelled() => return None,
                request = self.requests.message() => request.ok()??,
            };
            self.answers = self.coordinator.answer(request.message.expect("it says something")).into();
            if self.left == 0 {
                return None;
            }
        }
    }
}

#[tonic::async_trait]
impl LoaderWorkers for Coordinator {
    type WorkStream = Responses<WorkResponse>;
    type CompareClocksStream = Responses<CompareClocksResponse>;
    type ReadTraceStream = Responses<ReadTraceResponse>;

    async fn work(&self, request: Request<Streaming<WorkRequest>>) -> Result<Response<Self::WorkStream>, Status> {
        Self::check(&request)?;
        let stream = {
            let mut taken = self.taken.lock().unwrap();
            taken.streams += 1;
            taken.streams - 1
        };
        let left = self.behaviour.cuts.get(stream).copied().unwrap_or(usize::MAX);
        let (coordinator, requests, answers) = (self.clone(), request.into_inner(), VecDeque::new());
        let conversation = Conversation { coordinator, requests, answers, left };
        Ok(Response::new(stream::unfold(conversation, Conversation::next).boxed()))
    }

    async fn compare_clocks(
        &self,
        request: Request<Streaming<CompareClocksRequest>>,
    ) -> Result<Response<Self::CompareClocksStream>, Status> {
        Self::check(&request)?;
        let coordinator = self.clone();
        let answers = request.into_inner().map(move |probe| {
            let received_clock_ns = coordinator.now();
            let CompareClocksRequest { number, sent_clock_ns } = probe?;
            Ok(CompareClocksResponse { number, sent_clock_ns, received_clock_ns, answered_clock_ns: coordinator.now() })
        });
        Ok(Response::new(answers.take_until(self.gone.clone().cancelled_owned()).boxed()))
    }

    async fn read_trace(&self, request: Request<ReadTraceRequest>) -> Result<Response<Self::ReadTraceStream>, Status> {
        Self::check(&request)?;
        let file = self.behaviour.files.get(&request.into_inner().file);
        let file = file.ok_or_else(|| Status::not_found("there is no such file"))?;
        let pieces: Vec<_> = file.chunks(1024).map(|data| Ok(ReadTraceResponse { data: data.to_vec() })).collect();
        Ok(Response::new(stream::iter(pieces).boxed()))
    }
}
