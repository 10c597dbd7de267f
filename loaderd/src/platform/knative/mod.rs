//! The platform `knative`: Services of a Knative cluster.
//!
//! ```text
//! deploy ─▶ preflight ─▶ manifests ─▶ apply (16 at a time) ─▶ watch until ready ─▶ endpoints
//!              │                          feed: pods, PodAutoscalers ─▶ scales, starts, problems
//!              └─ all missing permissions at once
//! workers ─▶ Job and Secret of the run ─▶ watch its pods ─▶ news of each worker
//! clean  ─▶ Jobs and Services with the run's label ─▶ delete ─▶ wait until they and their pods are gone
//! ```
//!
//! Every object carries the run's label, and only objects with the label are ever deleted; so a run of an earlier process is
//! cleaned up like any other. Transient failures are retried within bounds; watches are restarted.

mod allocate;
mod settings;

mod platform;

mod disturb;
mod inspect;
mod sampling;
mod warm_up;
mod workers;

mod preflight;

mod ingress;
mod manifest;

mod deploy;

mod feed;
mod moment;
mod pod_index;
mod pod_stages;
mod skew;

mod clean;

mod backup;
mod hold;
mod room;

mod scrape;

mod capacity;
mod cluster;
mod cluster_error;
mod credentials;
mod error;
mod failure;
mod names;
mod objects;
mod pauses;
mod proxy;
mod quantity;

pub use cluster::Access;
#[cfg(any(test, fuzzing))]
pub(crate) use manifest::check::check_manifest;
pub use platform::Knative;
pub use settings::{Settings, WorkerSettings};
