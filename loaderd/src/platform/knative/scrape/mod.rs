//! Samples of the cluster while a run goes: each source a task on its own clock, each answer within a time limit.
//!
//! ```text
//! pods (watch) ─┐
//! nodes (list) ─┼─▶ nodes: metrics-server, else the kubelets' /stats/summary, else their /metrics/resource;
//! usage ────────┘          asked directly, else through the API server
//! autoscaler, activator ─▶ autoscaler: a Prometheus, else their own endpoints
//! ```

mod autoscaler;
mod node_source;

mod nodes;
mod pods;
mod usage;

mod figures;
mod kubelets;

mod pace;

mod origins;

pub(super) use self::{
    autoscaler::AutoscalerSource,
    node_source::NodeSource,
    origins::{NEEDS, origins},
    pace::Pace,
};
