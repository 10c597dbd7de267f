//! One run's functions on the local platform.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    capacity::Capacity,
    feed::feed,
    function::{Deployed, Function},
    gateway::Gateway,
    instance::Launcher,
    live::LiveInstances,
    route,
    spec::{FunctionContext, Spec},
};
use crate::{
    clock::Clock,
    id::RunId,
    platform::{PlatformError, ScaleSample},
};

/// What all runs on the platform share.
pub(super) struct Host<'a> {
    /// Where functions are called.
    pub(super) gateway: &'a Gateway,
    pub(super) launcher: &'a Arc<dyn Launcher>,
    /// Bounds the number of instances and their memory.
    pub(super) capacity: &'a Arc<Capacity>,
    /// Maximum time until an instance can be called.
    pub(super) start_timeout: Duration,
    pub(super) clock: Clock,
}

/// A run on the platform.
#[derive(Debug)]
pub(super) struct Run {
    /// Its functions' names at the gateway.
    pub(super) authorities: Vec<String>,
    pub(super) instances: Arc<LiveInstances>,
    /// Whether no instance is started.
    pub(super) starts_refused: watch::Sender<bool>,
    stop: CancellationToken,
    functions: TaskTracker,
    feed: TaskTracker,
}

/// A function that is coming up, and its name.
pub(super) type ComingUp = (String, oneshot::Receiver<Deployed>);

/// The result of [`Run::begin`]: the run, its starting functions, and its scales.
pub(super) type Begun = (Run, Vec<ComingUp>, mpsc::Receiver<ScaleSample>);

impl Run {
    /// Starts a run's functions and their routes.
    pub(super) fn begin(host: &Host<'_>, id: &RunId, specs: Vec<Spec>, held: watch::Receiver<bool>) -> Begun {
        let (stop, functions, forwarder) = (CancellationToken::new(), TaskTracker::new(), TaskTracker::new());
        let published = {
            let functions = functions.clone();
            async move { functions.wait().await }
        };
        let (feed, scales, forward) = feed(specs.len(), published);
        forwarder.spawn(forward);
        let (instances, starts_refused) = (Arc::new(LiveInstances::default()), watch::Sender::new(false));
        let context = FunctionContext {
            run: id.clone(),
            launcher: Arc::clone(host.launcher),
            capacity: Arc::clone(host.capacity),
            start_timeout: host.start_timeout,
            clock: host.clock,
            anchor: host.clock.anchor(),
            feed,
            held,
            instances: Arc::clone(&instances),
            starts_refused: starts_refused.subscribe(),
            stop: stop.clone(),
        };
        let (mut authorities, mut coming_up) = (Vec::new(), Vec::new());
        for spec in specs {
            let (name, authority) = (spec.name.clone(), route::authority(&spec.name, id));
            let (function, calls, came_up) = Function::new(spec, context.clone());
            functions.spawn(function.run());
            host.gateway.routes.insert(authority.clone(), calls);
            authorities.push(authority);
            coming_up.push((name, came_up));
        }
        let run = Self { authorities, instances, starts_refused, stop, functions, feed: forwarder };
        (run, coming_up, scales)
    }

    /// Stops the functions and waits until their processes and the feed have ended.
    pub(super) async fn end(&self) {
        self.stop.cancel();
        for tasks in [&self.functions, &self.feed] {
            tasks.close();
            tasks.wait().await;
        }
    }
}

impl Drop for Run {
    /// A run that was not ended ends without being awaited.
    fn drop(&mut self) {
        self.stop.cancel();
        self.functions.close();
    }
}

/// Waits until all functions can be called, and counts them in `ready`.
pub(super) async fn all_up(coming_up: Vec<ComingUp>, ready: &watch::Sender<u32>) -> Result<(), PlatformError> {
    let wait = |(function, came_up): ComingUp| async move {
        match came_up.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(PlatformError::Function { function, reason }),
            // The run was cleaned meanwhile.
            Err(_) => Err(PlatformError::Cancelled),
        }
    };
    let mut coming_up: FuturesUnordered<_> = coming_up.into_iter().map(wait).collect();
    while let Some(came_up) = coming_up.next().await {
        came_up?;
        ready.send_modify(|ready| *ready += 1);
    }
    Ok(())
}
