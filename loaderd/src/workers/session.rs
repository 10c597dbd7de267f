//! One stream of a worker: reads what it says, decodes its batches, and hands both to the coordinator.
//!
//! ```text
//! requests ─▶ hello ─▶ joined ─┬─ batches ─▶ at most WINDOW wait ─▶ decode (a few at a time, over all workers) ─▶ coordinator
//!                              └─ all else ─────────────────────────────────────────────────────────────────────▶ coordinator
//! ```
//!
//! While the recorder is behind, batches wait: here a few, then in the connection, whose flow control stops the worker. What else it
//! says is heard meanwhile, unless it sends further ahead than it may.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{
    Stream, StreamExt as _,
    future::{BoxFuture, FutureExt as _, OptionFuture},
};
use loader_proto::worker::{EventBatch, WorkRequest, WorkResponse, WorkerFailed, WorkerHello, work_request};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::timeout,
};
use tonic::Status;

use super::{
    bounds::{HELLO_TIMEOUT, TO_WORKER, WINDOW},
    messages::{Busy, Decoded, FromSession, Joining, Message, Refusal, Said, Session},
    wire::{self, Decoder},
};
use crate::{clock::Anchor, record::Event};

/// The coordinator, as its sessions know it.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) messages: mpsc::Sender<Message>,
    pub(super) batches: mpsc::Sender<FromSession>,
    pub(super) decoding: Arc<Semaphore>,
    /// The start of the load; absent before.
    pub(super) t0: watch::Receiver<Option<Anchor>>,
    pub(super) decoder: Arc<Decoder>,
}

/// A session that has begun: what is said to the worker, and what attends to what it says.
pub(super) struct Begun {
    pub(super) responses: mpsc::Receiver<WorkResponse>,
    pub(super) attend: BoxFuture<'static, ()>,
}

impl Handle {
    /// Takes a stream, once the worker has said who it is.
    ///
    /// # Errors
    /// A worker that is none of this run's.
    pub(super) async fn begin<S>(&self, mut requests: S) -> Result<Begun, Status>
    where
        S: Stream<Item = Result<WorkRequest, Status>> + Send + Unpin + 'static,
    {
        let hello = hello(&mut requests).await?;
        let (to, responses) = mpsc::channel(TO_WORKER);
        let (busy, (answer, answered)) = (Busy::default(), oneshot::channel());
        let joining = Joining { hello, to: to.clone(), busy: busy.clone(), answer };
        let over = || Status::unavailable("the run is over");
        self.messages.send(Message::Joining(Box::new(joining))).await.map_err(|_| over())?;
        match answered.await.map_err(|_| over())? {
            Ok(session) => {
                let attending = Attending { handle: self.clone(), session, busy, waiting: VecDeque::new() };
                Ok(Begun { responses, attend: attending.attend(requests).boxed() })
            }
            // Said already; the stream ends behind it.
            Err(Refusal::Dismissed(_)) => Ok(Begun { responses, attend: std::future::ready(()).boxed() }),
            Err(Refusal::Wrong(reason)) => Err(Status::failed_precondition(reason)),
        }
    }
}

async fn hello(
    requests: &mut (impl Stream<Item = Result<WorkRequest, Status>> + Unpin),
) -> Result<WorkerHello, Status> {
    let first = timeout(HELLO_TIMEOUT, requests.next()).await;
    match first.map_err(|_| Status::deadline_exceeded("a worker first says who it is"))? {
        Some(Ok(WorkRequest { message: Some(work_request::Message::Hello(hello)) })) => Ok(hello),
        Some(Err(status)) => Err(status),
        Some(Ok(_)) | None => Err(Status::invalid_argument("a worker first says who it is")),
    }
}

struct Attending {
    handle: Handle,
    session: Session,
    busy: Busy,
    waiting: VecDeque<EventBatch>,
}

impl Attending {
    /// Until the stream ends, or is not wanted any more; batches that arrived are handed on in any case.
    async fn attend(mut self, mut requests: impl Stream<Item = Result<WorkRequest, Status>> + Send + Unpin) {
        let mut handing_on: Option<BoxFuture<'static, bool>> = None;
        let mut open = true;
        loop {
            if handing_on.is_none() {
                handing_on = self.waiting.pop_front().map(|batch| self.hand_on(batch));
            }
            self.busy.set(handing_on.is_some());
            if !open && handing_on.is_none() {
                break;
            }
            tokio::select! {
                biased;
                () = self.session.end.cancelled(), if open => open = false,
                Some(was_taken) = OptionFuture::from(handing_on.as_mut()) => {
                    handing_on = None;
                    if !was_taken {
                        break;
                    }
                }
                request = requests.next(), if open && self.waiting.len() < WINDOW => open = self.request(request).await,
            }
        }
        // The coordinator may have ended.
        let _ended = self.handle.batches.send(FromSession::Left(self.session)).await;
    }

    /// Takes a message; false when it was the last one.
    async fn request(&mut self, request: Option<Result<WorkRequest, Status>>) -> bool {
        use work_request::Message as Of;
        let Some(Ok(WorkRequest { message: Some(message) })) = request else { return false };
        let said = match message {
            Of::Events(batch) => {
                self.waiting.push_back(batch);
                return true;
            }
            // The first message alone.
            Of::Hello(_) => return false,
            Of::Prepared(it) => Said::Prepared(it),
            Of::Ready(it) => Said::Ready(it),
            Of::Outcome(it) => match wire::outcome(it) {
                Ok(outcome) => Said::Outcome(outcome),
                Err(error) => Said::Failed(WorkerFailed { reason: error.to_string() }),
            },
            Of::Report(it) => Said::Report(it),
            Of::Done(it) => Said::Done(it),
            Of::Failed(it) => Said::Failed(it),
        };
        self.handle.messages.send(Message::Said(self.session.clone(), Box::new(said))).await.is_ok()
    }

    /// Decodes a batch, when it is its turn, and hands it to the coordinator; false when that has ended.
    fn hand_on(&self, batch: EventBatch) -> BoxFuture<'static, bool> {
        let Handle { batches, decoding, t0, decoder, messages: _ } = self.handle.clone();
        let (session, t0) = (self.session.clone(), *t0.borrow());
        async move {
            let Ok(permit) = decoding.acquire_owned().await else { return false };
            let (number, bytes) = (batch.number, batch.events.len() as u64);
            let decoded = tokio::task::spawn_blocking(move || decoded(&decoder, &batch, t0)).await;
            let from = match decoded.map_err(|error| error.to_string()).and_then(|decoded| decoded) {
                Ok(events) => FromSession::Batch(Box::new(Decoded { session, number, bytes, events, _permit: permit })),
                Err(reason) => FromSession::Unreadable(session, reason),
            };
            batches.send(from).await.is_ok()
        }
        .boxed()
    }
}

fn decoded(decoder: &Decoder, batch: &EventBatch, t0: Option<Anchor>) -> Result<Vec<Event>, String> {
    let t0 = t0.ok_or("it sends events before the load begins")?;
    decoder.decode(batch, t0.instant).map_err(|error| error.to_string())
}
