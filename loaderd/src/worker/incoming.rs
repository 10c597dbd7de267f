//! What comes from the coordinator, and its silence.

use std::time::Duration;

use loader_proto::worker::{Dismissed, work_response::Message};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Why a worker ends that was told to.
pub(super) const TERMINATED: &str = "it was told to end (SIGTERM)";

/// What the coordinator says; or why it refuses this worker.
pub(super) type Said = Result<Message, String>;

/// What a worker hears.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made, and kept nowhere")]
pub(super) enum Heard {
    /// The coordinator says something, other than that the worker is dismissed.
    Said(Message),
    /// Nothing, for as long as the run allows.
    Silence,
    /// The process was told to end. Heard once.
    Terminated,
}

/// What ends a worker.
#[derive(Debug)]
pub(super) enum End {
    /// The coordinator has dismissed it; with the reason, if it was not the end of the run.
    Dismissed(String),
    /// Nothing was heard for too long.
    Silence,
    /// The process was told to end, and has nothing to hand over.
    Terminated,
    /// A part of this process can't go on.
    Failed(String),
}

/// What the coordinator says, and whether it is there.
pub(super) struct Incoming {
    messages: mpsc::Receiver<Said>,
    contact: watch::Receiver<Instant>,
    /// How long it may be silent.
    pub(super) orphan_timeout: Duration,
    is_orphaned: bool,
    /// Cancelled when the process is told to end.
    terminate: CancellationToken,
    is_terminated: bool,
}

impl Incoming {
    /// Of a coordinator that may be silent for so long.
    pub(super) fn new(
        messages: mpsc::Receiver<Said>,
        contact: watch::Receiver<Instant>,
        orphan_timeout: Duration,
        terminate: CancellationToken,
    ) -> Self {
        Self { messages, contact, orphan_timeout, is_orphaned: false, terminate, is_terminated: false }
    }

    /// The next thing that is heard. After a silence that was reported, one that is as long again is the end. Cancel safe.
    ///
    /// # Errors
    /// What ends the worker.
    pub(super) async fn next(&mut self) -> Result<Heard, End> {
        let over = || Err(End::Failed("the link to the coordinator has ended".to_owned()));
        loop {
            let contact = *self.contact.borrow_and_update();
            let patience = if self.is_orphaned { self.orphan_timeout * 2 } else { self.orphan_timeout };
            tokio::select! {
                biased;
                message = self.messages.recv() => return match message {
                    Some(Ok(Message::Dismissed(Dismissed { reason }))) => Err(End::Dismissed(reason)),
                    Some(Ok(message)) => Ok(Heard::Said(message)),
                    Some(Err(reason)) => Err(End::Failed(reason)),
                    None => over(),
                },
                () = self.terminate.cancelled(), if !self.is_terminated => {
                    self.is_terminated = true;
                    return Ok(Heard::Terminated);
                }
                changed = self.contact.changed() => if changed.is_err() {
                    return over();
                },
                () = sleep_until(contact + patience) => {
                    let again = std::mem::replace(&mut self.is_orphaned, true);
                    return if again { Err(End::Silence) } else { Ok(Heard::Silence) };
                }
            }
        }
    }

    /// The next message of a coordinator that must not be silent.
    ///
    /// # Errors
    /// What ends the worker.
    pub(super) async fn message(&mut self) -> Result<Message, End> {
        match self.next().await? {
            Heard::Said(message) => Ok(message),
            Heard::Silence => Err(End::Silence),
            Heard::Terminated => Err(End::Terminated),
        }
    }
}
