//! stub
#![allow(missing_docs, clippy::all)]
use crate::endpoint::Endpoint;
use loader_proto::v1;
use std::time::Duration;
#[derive(Debug, Clone)]
pub struct Violation {
    pub field: String,
    pub description: String,
}
impl Violation {
    pub fn new(f: &str, d: impl Into<String>) -> Self {
        Self { field: f.into(), description: d.into() }
    }
}
impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.description)
    }
}
#[derive(Debug, Clone)]
pub struct Defaults {
    pub platform: String,
}
#[derive(Debug, Clone)]
pub struct PlatformKind;
impl PlatformKind {
    pub fn as_str(&self) -> &'static str {
        "local"
    }
}
#[derive(Debug, Clone)]
pub struct FunctionKind;
impl FunctionKind {
    pub fn as_str(&self) -> &'static str {
        "trace"
    }
}
#[derive(Debug, Clone)]
pub struct Timeouts {
    pub function: Duration,
    pub connect: Duration,
    pub drain: Duration,
}
#[derive(Debug, Clone)]
pub struct Saturation {
    pub lag: Duration,
    pub abort: bool,
}
#[derive(Debug, Clone)]
pub struct ScalingOverrides {
    pub initial_scale: Option<u32>,
    pub min_scale: Option<u32>,
    pub max_scale: Option<u32>,
    pub container_concurrency: Option<u32>,
    pub stable_window: Option<Duration>,
}
#[derive(Debug, Clone)]
pub enum TraceSource {
    Path(std::path::PathBuf),
    Upload(String),
}
#[derive(Debug, Clone)]
pub struct TraceSpec {
    pub source: TraceSource,
    pub format: Option<loader_trace::Format>,
    pub units: Option<usize>,
    pub skip_incomplete: bool,
}
#[derive(Debug, Clone)]
pub struct BurstSpec;
impl BurstSpec {
    pub fn burst_window(&self) -> (Duration, Duration, Duration) {
        Default::default()
    }
}
#[derive(Debug, Clone)]
pub enum Mode {
    Trace(TraceSpec),
    Rps(()),
    Burst(BurstSpec),
    ColdStart(()),
}
impl Mode {
    pub fn as_str(&self) -> &'static str {
        "burst"
    }
}
#[derive(Debug, Clone)]
pub struct RunSpec {
    pub name: String,
    pub platform: PlatformKind,
    pub seed: u64,
    pub kind: FunctionKind,
    pub timeouts: Timeouts,
    pub saturation: Saturation,
    pub max_in_flight: u32,
    pub scaling: ScalingOverrides,
    pub attach: Vec<Endpoint>,
    pub mode: Mode,
}
pub fn validate(_: &v1::RunSpec, _: &Defaults) -> Result<RunSpec, Vec<Violation>> {
    todo!()
}
