//! What the coordinator hears: of its workers, by their sessions; of the platform; and of the run's load.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use loader_proto::worker::{self, WorkResponse, WorkerHello, WorkerReport};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{clock::Anchor, id::WorkerIndex, invoke::Status, plan::SlotOutcome, record::Event};

/// A stream of a worker, until it ends or another one takes its place.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) worker: WorkerIndex,
    /// Counted over all sessions of the run.
    pub(super) number: u64,
    /// Cancelled when the coordinator wants no more of it.
    pub(super) end: CancellationToken,
}

/// Whether a session has batches that were not taken yet, so that its worker is not to blame for its silence.
#[derive(Debug, Clone, Default)]
pub(super) struct Busy(Arc<AtomicBool>);

impl Busy {
    pub(super) fn set(&self, busy: bool) {
        self.0.store(busy, Ordering::Relaxed);
    }

    pub(super) fn is_busy(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why a worker is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is told to end.
    Dismissed(String),
    /// It is no worker of this run, or of another program.
    Wrong(String),
}

/// A worker that has opened a stream.
#[derive(Debug)]
pub(super) struct Joining {
    pub(super) hello: WorkerHello,
    pub(super) to: mpsc::Sender<WorkResponse>,
    pub(super) busy: Busy,
    pub(super) answer: oneshot::Sender<Result<Session, Refusal>>,
}

/// What a worker has said, but for batches.
#[derive(Debug)]
pub(super) enum Said {
    Prepared(worker::WorkerPrepared),
    Ready(worker::WorkerReady),
    Outcome(SlotOutcome),
    Report(WorkerReport),
    Done(worker::WorkerDone),
    Failed(worker::WorkerFailed),
}

/// A message to the coordinator.
#[derive(Debug)]
pub(super) enum Message {
    Joining(Box<Joining>),
    Said(Session, Box<Said>),
    /// The load begins at t0; events go there.
    Start(Anchor, mpsc::Sender<Event>),
}

/// What a session has for the merge, in order.
#[derive(Debug)]
pub(super) enum FromSession {
    /// A batch.
    Batch(Box<Decoded>),
    /// It could not be read.
    Unreadable(Session, String),
    /// The stream has ended, and this is the last of it.
    Left(Session),
}

/// A batch that was read.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) session: Session,
    pub(super) number: u64,
    /// As it was transferred.
    pub(super) bytes: u64,
    pub(super) events: Vec<Event>,
    /// Bounds the number of batches that are in memory.
    pub(super) _permit: OwnedSemaphorePermit,
}

/// What the run's load asks for, beyond its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Orders {
    /// Nothing more is sent.
    pub(super) stop: bool,
    /// Every call in flight ends with this status.
    pub(super) end_calls: Option<Status>,
    /// What workers do not hand over soon is given up.
    pub(super) hurry: bool,
}
