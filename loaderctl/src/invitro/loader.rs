//! From a loader configuration to a spec. Pure.
//!
//! What counts is what InVitro does, not what its guide says: an absent key is 0, "" or false there. Where that would stop
//! it, what is taken in its place is noted; without a trace, a rate or a length there is no load, which is a fault.

use loader_proto::json::Fault;
use serde_json::{Map, Value};

use super::{
    given::Given,
    keys::{Done, KEYS},
};
use crate::document::set;

/// A trace that is a rate.
const RATE: &str = "RPS";

/// Where functions run by hand, and what they answer to.
const BY_HAND: (&str, &str) = ("attach", "hello");

/// What a conversion must know beyond the configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    /// Name of the run.
    pub(crate) name: String,
    /// The trace's path, as the spec is to have it; absent: as the configuration has it.
    pub(crate) trace: Option<String>,
    /// Whether the trace is a single file, which is the format of 2021 there.
    pub(crate) trace_is_file: bool,
    /// Whether Dirigent's file asks for a workflow.
    pub(crate) workflow: bool,
    /// Whether a platform, a trace and targets are given beside the configuration.
    pub(crate) beside: Beside,
    /// Whether unknown keys are left out.
    pub(crate) lenient: bool,
}

/// What is given beside the configuration, and takes its place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside {
    pub(crate) platform: bool,
    pub(crate) trace: bool,
    pub(crate) targets: bool,
}

/// What a configuration becomes.
#[derive(Debug, Default)]
pub(crate) struct Converted {
    /// The spec's document.
    pub(crate) document: Map<String, Value>,
    /// What was dropped, and what the user should know.
    pub(crate) notes: Vec<String>,
    /// What cannot be done.
    pub(crate) faults: Vec<Fault>,
    /// Fields that the configuration gives, and by which key.
    pub(crate) origins: Vec<(String, String)>,
}

/// Converts a loader configuration.
pub(crate) fn convert(configuration: &Map<String, Value>, surroundings: &Surroundings) -> Converted {
    let mut conversion =
        Conversion { given: Given::new(configuration, KEYS, surroundings.lenient), document: Map::new(), surroundings };
    conversion.run();
    let origins = conversion.given.origins();
    let Conversion { given: Given { notes, faults, .. }, document, .. } = conversion;
    Converted { document, notes, faults, origins }
}

struct Conversion<'s> {
    given: Given,
    document: Map<String, Value>,
    surroundings: &'s Surroundings,
}

impl Conversion<'_> {
    fn run(&mut self) {
        self.set("name", self.surroundings.name.clone());
        self.where_it_runs();
        self.function();
        self.timeouts();
        match self.given.text("TracePath") {
            _ if self.surroundings.beside.trace => {
                self.given.drop("TracePath");
                self.trace(None);
            }
            Some(rate) if rate == RATE => self.rate(),
            Some(path) => self.trace(Some(path)),
            None => self.given.fault("TracePath", "is absent: a trace, or RPS for a constant rate".to_owned()),
        }
        self.scaling();
        for key in KEYS.iter().filter(|key| key.done == Done::Dropped) {
            self.given.drop(key.name);
        }
    }

    fn set(&mut self, path: &str, value: impl Into<Value>) {
        set(&mut self.document, path, Some(value.into()));
    }

    fn where_it_runs(&mut self) {
        match self.given.seed("Seed") {
            Some(seed) => self.set("seed", seed),
            None => {
                self.set("seed", 0);
                self.given.absent("Seed", "0, as there");
            }
        }
        self.platform();
        if self.given.is_true("DAGMode") {
            let no_workflows = "is true: this loader has no workflows; false invokes each function by itself";
            self.given.fault("DAGMode", no_workflows.to_owned());
        } else {
            self.given.drop("DAGMode");
        }
    }

    fn platform(&mut self) {
        let Some(platform) = self.given.text("Platform") else {
            return self.given.absent("Platform", "the daemon's default, or --platform; InVitro stops");
        };
        if self.surroundings.beside.platform {
            return self.given.drop("Platform");
        }
        match platform.to_ascii_lowercase().as_str() {
            "knative" if self.given.is_true("VSwarm") => {}
            "knative" => self.set("platform", "knative"),
            "openwhisk" | "awslambda" | "dirigent" | "dirigent-dandelion" | "azurefunctions" => {
                let workflow = if self.surroundings.workflow { ", nor its workflows" } else { "" };
                let description = format!(
                    "is {platform}: this loader has no such platform{workflow}; submit and plan send the same load to another one with --platform NAME"
                );
                self.given.fault("Platform", description);
            }
            _ => {
                let description = format!("is {platform:?}: neither InVitro nor this loader has such a platform");
                self.given.fault("Platform", description);
            }
        }
    }

    fn function(&mut self) {
        match self.given.text("InvokeProtocol").as_deref() {
            Some("grpc") => {}
            Some(http @ ("http1" | "http2")) => self.set("function.protocol", http),
            Some(other) => self.given.fault("InvokeProtocol", format!("is {other:?}: must be grpc, http1 or http2")),
            None => self.given.absent("InvokeProtocol", "grpc"),
        }
        match self.given.text("YAMLSelector").as_deref() {
            Some("wimpy") => self.set("function.kind", "wimpy"),
            _ => self.given.drop("YAMLSelector"),
        }
        if self.given.is_true("BusyLoopOnSandboxStartup") {
            self.set("function.startupBusyLoop", "byMemory");
        } else {
            self.given.drop("BusyLoopOnSandboxStartup");
        }
        if !self.given.is_true("VSwarm") {
            return self.given.drop("VSwarm");
        }
        let (platform, kind) = BY_HAND;
        if !self.surroundings.beside.platform {
            self.set("platform", platform);
        }
        self.set("function.kind", kind);
        if !self.surroundings.beside.targets {
            let description = "is true: vSwarm's functions are deployed by hand; submit and plan take each with --attach HOST:PORT=FUNCTION.NAMESPACE.DOMAIN";
            self.given.fault("VSwarm", description.to_owned());
        }
    }

    fn timeouts(&mut self) {
        if let Some(seconds) = self.given.whole("GRPCConnectionTimeoutSeconds").filter(|seconds| *seconds > 0) {
            self.set("connectTimeout", format!("{seconds}s"));
        }
        match self.given.whole("GRPCFunctionTimeoutSeconds") {
            Some(0) => {
                let description = "is 0: every invocation would time out at once".to_owned();
                self.given.fault("GRPCFunctionTimeoutSeconds", description);
            }
            Some(seconds) => self.set("functionTimeout", format!("{seconds}s")),
            None => {
                self.given.absent("GRPCFunctionTimeoutSeconds", "15m; in InVitro every invocation times out at once")
            }
        }
    }

    /// The columns of both durations; `None` where there is no length.
    fn columns(&mut self) -> Option<u64> {
        let warmup = self.given.whole("WarmupDuration").unwrap_or_default();
        match self.given.whole("ExperimentDuration") {
            Some(0) => self.given.fault("ExperimentDuration", "is 0: must be at least 1".to_owned()),
            Some(columns) => return Some(columns + warmup),
            None => self.given.fault("ExperimentDuration", "is absent: how long the load lasts".to_owned()),
        }
        None
    }

    fn trace(&mut self, path: Option<String>) {
        set(&mut self.document, "trace", None);
        if let Some(path) = path {
            let path = self.surroundings.trace.clone().unwrap_or(path);
            self.set("trace.path", path);
        }
        let is_file = self.surroundings.trace_is_file;
        let seconds = self.granularity();
        if is_file {
            self.set("trace.format", "azure2021");
            self.given.drop("IATDistribution");
        } else {
            self.arrivals();
        }
        if seconds || !is_file {
            self.set("trace.granularity", if seconds { "second" } else { "minute" });
        }
        let unit = if seconds { "s" } else { "m" };
        if let Some(columns) = self.columns() {
            self.set("trace.duration", format!("{columns}{unit}"));
        }
        if seconds {
            let meaning = "counts columns, which are seconds here, whatever its name and InVitro's log say";
            self.given.note("ExperimentDuration", meaning);
        }
        if let Some(warmup) = self.given.whole("WarmupDuration").filter(|warmup| *warmup > 0) {
            let meaning = format!(
                "the first {warmup}{unit} are replayed and not set apart: split the rows there, or add --warmup-hold {warmup}{unit}"
            );
            self.given.note("WarmupDuration", &meaning);
        }
        for key in ["RpsTarget", "RpsColdStartRatioPercentage", "RpsCooldownSeconds", "RpsRuntimeMs", "RpsMemoryMB"] {
            self.given.drop(key);
        }
    }

    /// Whether a column is a second.
    fn granularity(&mut self) -> bool {
        match self.given.text("Granularity").as_deref() {
            Some("minute") => {}
            Some("second") => return true,
            Some(other) => self.given.fault("Granularity", format!("is {other:?}: must be minute or second")),
            None => self.given.absent("Granularity", "minute; InVitro stops"),
        }
        false
    }

    fn arrivals(&mut self) {
        const KNOWN: [&str; 5] = ["exponential", "exponential_shift", "uniform", "uniform_shift", "equidistant"];
        match self.given.text("IATDistribution").as_deref() {
            Some(known) if KNOWN.contains(&known) => self.set("arrivals", known),
            Some(other) => {
                self.given.fault("IATDistribution", format!("is {other:?}: must be one of {}", KNOWN.join(", ")));
            }
            None => {
                self.set("arrivals", "exponential");
                self.given.absent("IATDistribution", "exponential, as its guide has it; InVitro stops");
            }
        }
    }

    /// One slot of a constant rate.
    fn rate(&mut self) {
        self.set("arrivals", "equidistant");
        self.given.drop_for("IATDistribution", "a rate is equidistant, in InVitro whatever it says");
        match self.given.number("RpsTarget") {
            Some(rate) if rate > 0.0 => {
                self.set("rps.start", rate);
                self.set("rps.end", rate);
            }
            Some(_) => self.given.fault("RpsTarget", "is 0: there is no load".to_owned()),
            None => self.given.fault("RpsTarget", "is absent: invocations per second".to_owned()),
        }
        if let Some(minutes) = self.columns() {
            self.set("rps.slot", format!("{minutes}m"));
            self.given.note("ExperimentDuration", "one slot, whose first fifth is left out of its figures");
        }
        self.set("rps.functions", 1);
        self.sizes();
        self.cold_starts();
        self.given.drop("Granularity");
        if let Some(warmup) = self.given.whole("WarmupDuration").filter(|warmup| *warmup > 0) {
            self.given.note("WarmupDuration", &format!("the slot is {warmup}m longer for it"));
        }
    }

    fn sizes(&mut self) {
        let runtime = self.given.whole("RpsRuntimeMs");
        if runtime.is_none() {
            self.given.absent("RpsRuntimeMs", "0, as there");
        }
        self.set("rps.runtime", format!("{}ms", runtime.unwrap_or_default()));
        let memory = self.given.whole("RpsMemoryMB");
        match memory {
            Some(0) => self.given.note("RpsMemoryMB", "0 becomes 1 MiB, the least that functions take here"),
            Some(_) => {
                self.given.note("RpsMemoryMB", "functions take this memory, InVitro's does not: nodes need the room")
            }
            None => self.given.absent("RpsMemoryMB", "1 MiB, the least that functions take here; 0 there"),
        }
        self.set("rps.memoryMib", memory.unwrap_or_default().max(1));
    }

    fn cold_starts(&mut self) {
        let percentage = self.given.number("RpsColdStartRatioPercentage").unwrap_or_default();
        if percentage <= 0.0 {
            return self.given.drop("RpsCooldownSeconds");
        }
        if percentage > 100.0 {
            return self.given.fault("RpsColdStartRatioPercentage", format!("is {percentage}: must be 0 to 100"));
        }
        self.set("rps.coldStartRatio", percentage / 100.0);
        match self.given.whole("RpsCooldownSeconds") {
            Some(seconds) if seconds > 0 => self.set("rps.cooldown", format!("{seconds}s")),
            _ => {
                let description = "must be above 0 for cold starts: the time that a function needs to scale to zero";
                self.given.fault("RpsCooldownSeconds", description.to_owned());
            }
        }
    }

    fn scaling(&mut self) {
        match self.given.text("CPULimit").as_deref() {
            Some(limit @ ("1vCPU" | "GCP")) => self.set("deploy.cpuLimit", limit),
            Some(other) => self.given.fault("CPULimit", format!("is {other:?}: must be 1vCPU or GCP")),
            None => self.given.absent("CPULimit", "1vCPU"),
        }
        if self.given.is_true("IsPartiallyPanic") {
            self.set("scaling.panicWindowPercentage", 100);
            self.set("scaling.panicThresholdPercentage", 1000);
        }
        match self.given.text("AutoscalingMetric").as_deref() {
            Some("concurrency") | None => {}
            Some("rps") => self.set("scaling.metric", "rps"),
            Some(other) => self.given.fault("AutoscalingMetric", format!("is {other:?}: must be concurrency or rps")),
        }
    }
}
