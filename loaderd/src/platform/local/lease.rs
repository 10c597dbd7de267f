//! How the gateway gets a slot of an instance from a function's task, and gives it back.
//!
//! A lease is given back by being dropped, wherever the call is by then, so that a client that goes away is noticed in
//! the queue as well as at work, and nothing has to be sent for it.

use tokio::sync::{mpsc, oneshot};

use super::instance::Client;

/// Calls that may be on their way to a function's task. Those that the task has taken wait in its queue.
const CALLS: usize = 1024;

/// The way to a function's task, and what the task reads.
pub(super) fn calls() -> (Calls, mpsc::Receiver<Call>) {
    let (calls, receiver) = mpsc::channel(CALLS);
    (Calls(calls), receiver)
}

/// The gateway's way to a function.
#[derive(Debug, Clone)]
pub(super) struct Calls(mpsc::Sender<Call>);

/// A call that wants a slot.
#[derive(Debug)]
pub(super) struct Call {
    /// Takes the instance that the call may use.
    pub(super) grant: oneshot::Sender<Client>,
    /// Ends, by the drop of its sender, when the call is over, at work or while it waits.
    pub(super) over: oneshot::Receiver<()>,
}

/// An instance's slot, free again when `hold` is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    /// The instance.
    pub(super) client: Client,
    /// Holds the slot.
    pub(super) hold: Hold,
}

/// Holds an instance's slot.
#[derive(Debug)]
pub(super) struct Hold(#[expect(dead_code, reason = "its drop tells the function")] oneshot::Sender<()>);

impl Calls {
    /// Waits for a free slot; `None` when the function has ended. Who drops the future leaves the queue.
    pub(super) async fn lease(&self) -> Option<Lease> {
        let (grant, granted) = oneshot::channel();
        let (hold, over) = oneshot::channel();
        self.0.send(Call { grant, over }).await.ok()?;
        let client = granted.await.ok()?;
        Some(Lease { client, hold: Hold(hold) })
    }
}
