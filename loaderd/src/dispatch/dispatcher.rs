//! The dispatcher: runs the pacer, on the thread of the only worker, or on one of its own where there are several.
//!
//! On the worker's thread, an invocation that comes due wakes one thread instead of two, one after the other. That is most
//! of what an invocation costs while the load is far from the machine's limit.

use std::io;

use tokio::{runtime::Builder, sync::oneshot};

use super::{
    handoff::{Handoff, Routing},
    heartbeat::Heartbeat,
    pacer,
    plan_feed::PlanFeed,
    sleeper::{Stop, TimerSleeper},
    worker::Calls,
};
use crate::{
    clock::{Anchor, Clock},
    plan::Unit,
};

/// A schedule, and all that it takes to hand out what is due.
pub(super) struct Dispatcher {
    pub(super) feed: PlanFeed,
    pub(super) unit: Unit,
    pub(super) t0: Anchor,
    pub(super) clock: Clock,
    pub(super) stop: Stop,
    pub(super) heartbeat: Heartbeat,
    pub(super) routing: Routing,
    /// Signalled when the last invocation was handed out; dropped without a signal when that failed.
    pub(super) paced: oneshot::Sender<()>,
}

impl Dispatcher {
    /// Hands everything out, on a runtime of one thread: to `here` where the worker is on the same, which is the only one then.
    pub(super) async fn dispatch(self, here: Option<Calls>) {
        let Self { mut feed, unit, t0, clock, stop, heartbeat, routing, paced } = self;
        let mut handoff = Handoff::new(routing, here);
        match TimerSleeper::new(t0.instant, clock, stop, heartbeat) {
            Ok(mut sleeper) => {
                pacer::pace(&mut feed, unit, &mut sleeper, &mut handoff).await;
                handoff.finish().await;
                // The receiver is dropped when the run was cancelled.
                let _dropped = paced.send(());
            }
            Err(error) => log::error!("the pacer cannot create its timer: {error}"),
        }
    }

    /// Hands everything out on the calling thread.
    ///
    /// # Errors
    /// When the system refuses a runtime.
    pub(super) fn dispatch_here(self) -> io::Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.dispatch(None));
        Ok(())
    }
}
