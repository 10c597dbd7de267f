//! The station that deploys a run's functions, stage by stage:
//!
//! ```text
//! request ──▶ bring up ──▶ follow the feeds ──▶ functions.csv ──▶ routes
//!  Deploy      Deployment    Feeds, ScaleState    FunctionRows      Deployed
//! ```
//! The feeds are followed until the run is cleaned, so the driver, which cleans it, holds them.

mod bring_up;
mod feeds;
mod request;
mod routes;

use bring_up::bring_up;
pub(super) use feeds::Feeds;
pub(super) use request::request;
use routes::routes;

use std::sync::Arc;

use super::{Interrupts, failure::Verdict};
use crate::{
    dispatch::ScaleState,
    endpoint::Endpoint,
    id::RunId,
    invoke::{Protocol, Route},
    metrics::Metrics,
    plan::{PlannedFunction, Warmup},
    platform::{Deploy, Deployment, Platform},
    record::{FunctionRows, ScaleHistory},
    spec::RunSpec,
    store::RunDirectory,
};

/// Functions that can be called, in the plan's order.
pub(super) struct Deployed {
    /// The request to the platform.
    pub(super) deploy: Deploy,
    /// The names of the functions.
    pub(super) names: Arc<[String]>,
    /// Where each is reached; why not, where failures are allowed.
    pub(super) endpoints: Vec<Result<Endpoint, String>>,
    /// How each is called; absent for one that failed, where failures are allowed.
    pub(super) routes: Arc<[Option<Route>]>,
    /// Which of them stand at scale zero.
    pub(super) scale_state: Arc<ScaleState>,
    /// What their scales were, for the rows.
    pub(super) scale_history: Arc<ScaleHistory>,
}

/// What the stations of a run share.
pub(super) struct Environment<'a> {
    pub(super) platform: &'a dyn Platform,
    pub(super) spec: &'a RunSpec,
    /// The warm-up that the load begins with; absent without one.
    pub(super) warmup: Option<Warmup>,
    pub(super) directory: &'a RunDirectory,
    pub(super) metrics: &'a Metrics,
    pub(super) interrupts: &'a Interrupts,
}

impl Environment<'_> {
    /// Goes through all stages. `ready` is called with the number of functions that can be called.
    ///
    /// # Errors
    /// The first stage that failed. What was deployed until then is the caller's to clean, as are the feeds to await.
    pub(super) async fn deploy(
        &self,
        deploy: Deploy,
        functions: &[PlannedFunction],
        feeds: &mut Feeds,
        ready: impl Fn(u32),
    ) -> Result<Deployed, Verdict> {
        let Deployment { endpoints, scales, starts } = bring_up(self.platform, &deploy, self.interrupts, ready).await?;
        let path = self.directory.path();
        let names: Arc<[String]> = functions.iter().map(|function| function.name.clone()).collect();
        let scale_state = Arc::new(ScaleState::new(names.len()));
        let timeouts = self.spec.timeouts;
        let scale_history = Arc::new(ScaleHistory::new(names.len(), timeouts.connect + timeouts.function));
        let known = (&scale_state, &scale_history);
        feeds.follow_scales(path, &names, known, self.metrics.clone(), scales)?;
        if let Some(starts) = starts {
            feeds.follow_starts(path, &names, starts)?;
        }
        warn_of_failures(&deploy.run, &names, &endpoints);
        let on_cluster = self.spec.platform.features().instance_resources;
        FunctionRows { functions, deploy: &deploy, on_cluster, endpoints: &endpoints }.write(path)?;
        let routes = routes(&names, &endpoints, |name| Protocol::of(self.spec.kind, &self.spec.protocol, name))?;
        Ok(Deployed { deploy, names, endpoints, routes, scale_state, scale_history })
    }
}

/// Logs which functions failed, where failures are allowed.
fn warn_of_failures(run: &RunId, names: &[String], endpoints: &[Result<Endpoint, String>]) {
    for (function, endpoint) in names.iter().zip(endpoints) {
        if let Err(reason) = endpoint {
            log::warn!(RUN_ID = run.as_str(), FUNCTION = function.as_str(); "function {function} failed: {reason}");
        }
    }
}
