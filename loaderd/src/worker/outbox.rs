//! What a worker has to say, besides its batches, on each stream that it opens.

use std::sync::{Mutex, PoisonError};

use loader_proto::worker::{WireSlotOutcome, WorkerDone, WorkerFailed, work_request::Message};
use tokio::sync::watch;

/// Messages that are said again on each new stream, since the last one may have lost them.
pub(super) struct Outbox {
    inner: Mutex<Inner>,
    /// Changes when there is something more to send.
    news: watch::Sender<()>,
}

#[derive(Default)]
struct Inner {
    /// In order, with their numbers.
    standing: Vec<(u64, Message)>,
    next: u64,
    /// Said behind the last batch.
    last: Option<Message>,
}

impl Outbox {
    /// Nothing to say.
    pub(super) fn new(news: watch::Sender<()>) -> Self {
        Self { inner: Mutex::default(), news }
    }

    /// Something to say.
    pub(super) fn say(&self, message: Message) {
        self.change(|inner| inner.push(message));
    }

    /// What became of a slot: instead of the slot before.
    pub(super) fn outcome(&self, outcome: WireSlotOutcome) {
        self.change(|inner| {
            inner.standing.retain(|(_, message)| !matches!(message, Message::Outcome(_)));
            inner.push(Message::Outcome(outcome));
        });
    }

    /// The load begins: how it was prepared is said no more.
    pub(super) fn begun(&self) {
        self.change(|inner| inner.standing.clear());
    }

    /// All has been recorded, or nothing more can be: said when all batches were sent.
    pub(super) fn end(&self, message: Message) {
        // A failure stays one.
        self.change(|inner| {
            if !matches!(inner.last, Some(Message::Failed(_))) {
                inner.last = Some(message);
            }
        });
    }

    /// Why it can't go on, or was stopped before its end, if that is so.
    pub(super) fn failure(&self) -> Option<String> {
        let reason = self.with(|inner| match &inner.last {
            Some(Message::Failed(WorkerFailed { reason }) | Message::Done(WorkerDone { reason, .. })) => reason.clone(),
            Some(_) | None => String::new(),
        });
        (!reason.is_empty()).then_some(reason)
    }

    /// The first message from this number on, with its number.
    pub(super) fn standing(&self, from: u64) -> Option<(u64, Message)> {
        self.with(|inner| inner.standing.iter().find(|(number, _)| *number >= from).cloned())
    }

    /// What is said behind the last batch, if that is known.
    pub(super) fn last(&self) -> Option<Message> {
        self.with(|inner| inner.last.clone())
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        self.with(change);
        self.news.send_replace(());
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Inner) -> T) -> T {
        // Nothing in here panics.
        use_it(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn push(&mut self, message: Message) {
        self.standing.push((self.next, message));
        self.next += 1;
    }
}
