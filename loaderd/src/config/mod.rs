//! The daemon's configuration: a TOML file, and flags that win over it. One file for each group of sections.

mod access;
mod daemon;
mod dispatch;
mod hooks;
mod http;
mod platforms;
mod read;
mod storage;
mod telemetry;
mod workers;

pub use access::{Access, ListenerRole, Roles, Tls, Tokens};
pub use daemon::{Config, OnStop};
pub use dispatch::{CpuList, Dispatch, Isolation, Memory};
pub use hooks::Hooks;
pub use http::Http;
pub use platforms::{Knative, Labels, Local, PlatformSections};
pub use read::Fault;
pub use storage::{Expiry, Retention, Traces};
pub use telemetry::{LogFormat, Otlp, PrometheusAccess, Scrape};
pub use workers::Workers;

#[cfg(test)]
mod tests;
