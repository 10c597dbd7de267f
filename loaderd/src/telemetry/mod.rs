//! stub
#![allow(missing_docs, clippy::all, unused)]
use crate::platform::Scale;
use std::time::Duration;
#[derive(Clone, Debug)]
pub struct Metrics;
pub struct RunLabels {
    pub run_id: String,
    pub mode: String,
    pub platform: String,
}
pub struct Completed<'a> {
    pub status: &'a str,
    pub cold_start: Option<bool>,
    pub response: Option<Duration>,
    pub scheduling_latency: Option<Duration>,
    pub slowdown: Option<f64>,
}
impl Metrics {
    pub fn new() -> Self {
        Self
    }
    pub fn run_started(&self, _: &RunLabels) {}
    pub fn run_ended(&self, _: &str) {}
    pub fn runs_queued(&self, _: u32) {}
    pub fn phase(&self, _: Option<&str>) {}
    pub fn target_rate(&self, _: f64) {}
    pub fn scheduled(&self, _: u64) {}
    pub fn sent(&self, _: Duration) {}
    pub fn completed(&self, _: &Completed<'_>) {}
    pub fn in_flight(&self, _: u64) {}
    pub fn saturated(&self, _: bool) {}
    pub fn connections(&self, _: u64, _: u64) {}
    pub fn records_written(&self, _: u64) {}
    pub fn records_queued(&self, _: u64) {}
    pub fn scraped(&self, _: &'static str, _: Duration, _: bool) {}
    pub fn pods(&self, _: &Scale) {}
}
pub mod endpoint {
    pub async fn serve(
        _: tokio::net::TcpListener,
        _: super::Metrics,
        _: tokio::sync::watch::Receiver<bool>,
        _: tokio_util::sync::CancellationToken,
    ) {
    }
}
pub mod logging {
    pub fn init(_: log::LevelFilter) {}
}
