//! How the gateway gets a slot of an instance from a function's task, and releases it.
//!
//! A lease is released by its drop, in any state of the call, so that a client that disconnects frees its slot or leaves the
//! queue without a message.

use tokio::sync::{mpsc, oneshot};

use super::instance::Client;

/// Capacity of the channel of calls to a function's task, which has a queue of its own.
const CALLS: usize = 1024;

/// The handle of a function's task, and the receiver of the task.
pub(super) fn calls() -> (Calls, mpsc::Receiver<Call>) {
    let (calls, receiver) = mpsc::channel(CALLS);
    (Calls(calls), receiver)
}

/// The gateway's handle of a function.
#[derive(Debug, Clone)]
pub(super) struct Calls(mpsc::Sender<Call>);

/// A call that needs a slot.
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
    /// The client of the instance.
    pub(super) client: Client,
    /// The slot permit, released when it is dropped.
    pub(super) hold: Hold,
}

/// Holds an instance's slot.
#[derive(Debug)]
pub(super) struct Hold(#[expect(dead_code, reason = "its drop notifies the function")] oneshot::Sender<()>);

impl Calls {
    /// Waits for a free slot; `None` when the function has ended. Dropping the future leaves the queue.
    pub(super) async fn lease(&self) -> Option<Lease> {
        let (grant, granted) = oneshot::channel();
        let (hold, over) = oneshot::channel();
        self.0.send(Call { grant, over }).await.ok()?;
        let client = granted.await.ok()?;
        Some(Lease { client, hold: Hold(hold) })
    }
}
