//! The dispatcher: the pacer at work, on the thread of the only worker, or on one of its own where there are several.
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
    /// Told when the last invocation was handed out; dropped untold when that could not be done.
    pub(super) paced: oneshot::Sender<()>,
}

impl Dispatcher {
    /// Hands everything out, on a runtime of one thread.
    pub(super) async fn dispatch(self) {
        let Self { mut feed, unit, t0, clock, stop, heartbeat, routing, paced } = self;
        let mut handoff = Handoff::new(routing);
        match TimerSleeper::new(t0.instant, clock, stop, heartbeat) {
            Ok(mut sleeper) => {
                pacer::pace(&mut feed, unit, &mut sleeper, &mut handoff).await;
                handoff.finish().await;
                // Nobody waits any more when the run was given up.
                let _unheard = paced.send(());
            }
            Err(error) => log::error!("the pacer has no timer: {error}"),
        }
    }

    /// Hands everything out on the calling thread.
    ///
    /// # Errors
    /// The system's, when there can be no runtime.
    pub(super) fn dispatch_here(self) -> io::Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.dispatch());
        Ok(())
    }
}
