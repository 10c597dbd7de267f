//! The local platform: `trace-func` processes on this machine behind a small gateway that behaves as Knative's ingress
//! and activator do. For trying out, for tests and for calibrating the loader; not for measuring clusters.
//!
//! ```text
//!     :authority or host           lease a slot               HTTP/2
//! client ──▶ gateway ──▶ routes ──▶ function (queue, scaler) ──▶ instance ──▶ process
//!                                     │ one permit each ▲             │ started and reaped by one thread
//!                                     ▼                └── events ────┘
//!                              capacity (all runs)         feed ──▶ the run's scales
//! ```
//!
//! What it does as a cluster would: calls wait while no instance is free, up to the request timeout; instances start on
//! demand and stop when they were idle for the stable window; those that keep ending are restarted with backoff; what
//! exceeds the capacity waits, and nothing is evicted for it. Unlike a cluster it has no utilisation target, so one call in
//! flight needs one instance, and it adds no headers.
//!
//! Instances end with the daemon: in order through [`Platform::shutdown`](super::Platform::shutdown), or, when it is killed, because each has
//! asked the kernel to end it with its parent. In that case nothing else does.

mod allocate;
mod settings;

mod platform;

mod disturb;
mod warm_up;

mod gateway;
mod route;

mod lease;

mod run;

mod function;
mod spec;

mod backoff;
mod rule;
mod scaler;

mod capacity;

mod instance;
mod live;
mod process;
mod process_thread;

mod workers;

mod answer;
mod feed;

mod tasks;
mod window;

pub use self::{
    platform::{Local, StartError},
    settings::Settings,
    workers::WorkerProcesses,
};
