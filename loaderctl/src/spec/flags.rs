//! The table of flags: each shorthand for a field of `RunSpec`, in the order of the help.

use clap::ValueEnum;

/// The modes, and the names of their fields in a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// Replay a production trace
    Trace,
    /// Raise the rate step by step until the platform can't sustain it
    Rps,
    /// Show how a burst on one function hurts another
    Burst,
    /// Keep a rate constant and cause a given number of cold starts in each slot
    Coldstart,
}

impl Mode {
    /// Its field in a spec.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Rps => "rps",
            Self::Burst => "burst",
            Self::Coldstart => "coldstart",
        }
    }

    /// The mode with this field.
    pub(super) fn of_field(field: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|mode| mode.field() == field)
    }
}

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Text, a number, a duration or a memory size, by the field's type; the name is for the help.
    Text(&'static str),
    /// Nothing, or `=true` or `=false`.
    Switch,
    /// Whole numbers with commas, or `@FILE` with such.
    Numbers,
    /// `HOST:PORT[=AUTHORITY]`, repeatable.
    Targets,
    /// `NAME:VALUE`, repeatable.
    Headers,
    /// An entry of a list, as in a spec file, repeatable.
    Entries,
    /// A text of a list, repeatable; the name is for the help.
    Texts(&'static str),
    /// Text, or `@FILE` with it.
    TextOrFile,
}

/// Flags that belong to the same modes.
#[derive(Debug)]
pub(super) struct Group {
    /// Their heading in the help.
    pub(super) heading: &'static str,
    /// The modes; none for flags of every run.
    pub(super) modes: &'static [Mode],
}

impl Group {
    const fn new(heading: &'static str, modes: &'static [Mode]) -> Self {
        Self { heading, modes }
    }

    /// Its modes, such as `modes rps and coldstart`.
    pub(super) fn mode_names(&self) -> String {
        let names: Vec<_> = self.modes.iter().map(|mode| mode.field()).collect();
        match names.as_slice() {
            [rest @ .., last] if !rest.is_empty() => format!("modes {} and {last}", rest.join(", ")),
            names => format!("mode {}", names.concat()),
        }
    }
}

/// A flag of `submit` and `plan`.
#[derive(Debug)]
pub(super) struct Flag {
    /// Its name, without the dashes.
    pub(super) name: &'static str,
    /// The kind of its value.
    pub(super) takes: Takes,
    /// Path of its field, from the spec or, for a flag of modes, from the mode.
    pub(super) field: &'static str,
    /// The modes that it belongs to.
    pub(super) group: &'static Group,
    /// Help, with the default in brackets.
    pub(super) help: &'static str,
}

impl Flag {
    /// Path of its field in a spec of `mode`.
    pub(super) fn path(&self, mode: Mode) -> String {
        if self.group.modes.is_empty() { self.field.to_owned() } else { format!("{}.{}", mode.field(), self.field) }
    }
}

const fn every(name: &'static str, takes: Takes, field: &'static str, help: &'static str) -> Flag {
    Flag { name, takes, field, group: &EVERY, help }
}

const fn of(group: &'static Group, name: &'static str, takes: Takes, field: &'static str, help: &'static str) -> Flag {
    Flag { name, takes, field, group, help }
}

const DURATION: Takes = Takes::Text("DURATION");
const MEMORY: Takes = Takes::Text("MEMORY");
const NUMBER: Takes = Takes::Text("N");
const RATE: Takes = Takes::Text("RATE");

static EVERY: Group = Group::new("Every run", &[]);
static TRACE: Group = Group::new("Mode trace", &[Mode::Trace]);
static RPS: Group = Group::new("Mode rps", &[Mode::Rps]);
static BURST: Group = Group::new("Mode burst", &[Mode::Burst]);
static COLDSTART: Group = Group::new("Mode coldstart", &[Mode::Coldstart]);
static SWEEPS: Group = Group::new("Modes rps and coldstart", &[Mode::Rps, Mode::Coldstart]);
static SPANS: Group = Group::new("Modes trace and coldstart", &[Mode::Trace, Mode::Coldstart]);
static SYNTHETIC: Group = Group::new("Modes rps, burst and coldstart", &[Mode::Rps, Mode::Burst, Mode::Coldstart]);

/// All flags, in the order of the help.
pub(super) static FLAGS: &[Flag] = &[
    every("name", Takes::Text("NAME"), "name", "Name of the run: a-z, 0-9 and '-' [the mode]"),
    every(
        "platform",
        Takes::Text("NAME"),
        "platform",
        "Platform, as loaderctl status lists them [the daemon's default]",
    ),
    every("seed", NUMBER, "seed", "Seed of the random generator [42]"),
    every(
        "kind",
        Takes::Text("KIND"),
        "function.kind",
        "Benchmark function: trace, empty, timed, wimpy or hello [trace]",
    ),
    every(
        "clock",
        Takes::Text("CLOCK"),
        "function.clock",
        "Kind trace: clock that run times are measured by, wall or cpu [wall]",
    ),
    every(
        "startup-busy-loop",
        Takes::Text("DURATION"),
        "function.startupBusyLoop",
        "Busy loop before each instance serves, or byMemory: 300, 750 or 1250 ms, as InVitro has it [none]",
    ),
    every(
        "protocol",
        Takes::Text("NAME"),
        "function.protocol",
        "Protocol that functions are called by: grpc, http1 or http2 [grpc]",
    ),
    every("http-method", Takes::Text("METHOD"), "function.http.method", "http1, http2: method of the request [POST]"),
    every(
        "http-path",
        Takes::Text("PATH"),
        "function.http.path",
        "http1, http2: path; {function}, {runtime_ms}, {memory_mib} are replaced [/]",
    ),
    every(
        "http-header",
        Takes::Headers,
        "function.http.headers",
        "http1, http2: a header, with the same placeholders; repeatable [those of InVitro]",
    ),
    every(
        "http-body",
        Takes::TextOrFile,
        "function.http.body",
        "http1, http2: body, with the same placeholders, or @FILE [empty]",
    ),
    every(
        "arrivals",
        Takes::Text("NAME"),
        "arrivals",
        "equidistant, exponential[_shift], uniform[_shift] or poisson [trace: poisson; else equidistant]",
    ),
    every(
        "function-timeout",
        DURATION,
        "functionTimeout",
        "Maximum response time of an invocation, counted from its send [15m]",
    ),
    every("connect-timeout", DURATION, "connectTimeout", "Maximum time to establish a connection [1m]"),
    every("drain-timeout", DURATION, "drainTimeout", "Maximum wait for responses after the last send [15m]"),
    every(
        "failure-ratio",
        Takes::Text("SHARE"),
        "overload.failureRatio",
        "Maximum failure ratio of a slot; above, it counts as overloaded [rps: 0.01, coldstart: 0.3]",
    ),
    every("tolerance", NUMBER, "overload.tolerance", "Number of overloaded slots that ends the run [2]"),
    every(
        "saturation-lag",
        DURATION,
        "saturation.lag",
        "The loader is saturated when a slot's dispatch lag p99 exceeds this [10ms]",
    ),
    every(
        "saturation-abort",
        Takes::Switch,
        "saturation.abort",
        "Fail the run as soon as the loader is saturated [false]",
    ),
    every(
        "slo",
        DURATION,
        "slo.response",
        "Response time that users accept, for goodput and the sustained rate [none]",
    ),
    every(
        "slo-percentile",
        Takes::Text("PERCENT"),
        "slo.percentile",
        "Percentile of the response from the due time that must be within --slo, for a sustained rate [99]",
    ),
    every(
        "max-in-flight",
        NUMBER,
        "maxInFlight",
        "Maximum invocations in flight; further ones are recorded as not_sent [100000]",
    ),
    every(
        "max-memory-in-flight",
        MEMORY,
        "maxMemoryInFlight",
        "Maximum memory that invocations in flight ask for; further ones are recorded as not_sent [none]",
    ),
    every("initial-scale", NUMBER, "scaling.initialScale", "Initial instances of each function [by mode]"),
    every("min-scale", NUMBER, "scaling.minScale", "Minimum instances of each function [0]"),
    every("max-scale", NUMBER, "scaling.maxScale", "Maximum instances of each function; 0 for no limit [200]"),
    every("container-concurrency", NUMBER, "scaling.containerConcurrency", "Concurrent invocations of an instance [1]"),
    every("stable-window", DURATION, "scaling.stableWindow", "Autoscaler's stable window [the platform's]"),
    every("scale-class", Takes::Text("NAME"), "scaling.class", "Knative: autoscaler class, kpa or hpa [kpa]"),
    every(
        "scale-metric",
        Takes::Text("NAME"),
        "scaling.metric",
        "Knative: metric to scale by, concurrency or rps [concurrency]",
    ),
    every(
        "scale-target",
        Takes::Text("N"),
        "scaling.target",
        "Knative: target of the metric per instance [by function]",
    ),
    every(
        "panic-window",
        Takes::Text("PERCENT"),
        "scaling.panicWindowPercentage",
        "Knative: panic window, % of the stable window [10]",
    ),
    every(
        "panic-threshold",
        Takes::Text("PERCENT"),
        "scaling.panicThresholdPercentage",
        "Knative: panic threshold, % of the target [200]",
    ),
    every("image", Takes::Text("IMAGE"), "deploy.image", "Knative: the function's image [the daemon's]"),
    every("deploy-timeout", DURATION, "deploy.timeout", "Maximum time until all functions are ready [10m]"),
    every("allow-failures", NUMBER, "deploy.allowFailures", "Number of functions that may fail to deploy [0]"),
    every(
        "keep",
        Takes::Switch,
        "deploy.keep",
        "Keep the functions deployed after the run; remove them with clean [false]",
    ),
    every(
        "await-pods",
        Takes::Switch,
        "deploy.awaitPods",
        "Knative: end the run when its pods are gone; else when its Services are [true]",
    ),
    every(
        "cpu-limit",
        Takes::Text("POLICY"),
        "deploy.cpuLimit",
        "CPU limit of an instance: 1vCPU, or GCP (by memory) [1vCPU]",
    ),
    every(
        "overcommitment",
        Takes::Text("N"),
        "deploy.overcommitment",
        "CPU overcommitment: ratio of CPU limit to CPU request [10]",
    ),
    every(
        "connection-policy",
        Takes::Text("POLICY"),
        "connections.policy",
        "How connections are shared: pooled, per-function or per-invocation [pooled]",
    ),
    every("connections", NUMBER, "connections.perAddress", "Policy pooled: connections per address [the daemon's]"),
    every("records", Takes::Text("FORMAT"), "output.format", "Final format of the records: csv or parquet [csv]"),
    every(
        "compress",
        Takes::Text("NAME"),
        "output.compression",
        "Compression of final CSV records: none or gzip [none]",
    ),
    every(
        "attach",
        Takes::Targets,
        "attach.targets",
        "Platform attach: address of a function that is already deployed; repeatable",
    ),
    every(
        "workers",
        NUMBER,
        "workers.count",
        "Number of workers that send the load together [none: the daemon sends it]",
    ),
    every(
        "on-worker-loss",
        Takes::Text("WHAT"),
        "workers.onWorkerLoss",
        "What becomes of the run when a worker is lost: continue or abort [continue]",
    ),
    every(
        "max-clock-error",
        DURATION,
        "workers.maxClockError",
        "The run is marked when a worker's clock is known to no better than this [1ms]",
    ),
    every("orphan-timeout", DURATION, "workers.orphanTimeout", "Time for which workers go on without the daemon [30s]"),
    every(
        "worker-start-timeout",
        DURATION,
        "workers.startTimeout",
        "Maximum time until all workers are ready; then the run fails [5m]",
    ),
    every(
        "worker-node",
        Takes::Headers,
        "workers.placement.nodeSelector",
        "Knative: a label that nodes of workers must have, as NAME:VALUE; repeatable [none]",
    ),
    every(
        "workers-beside-functions",
        Takes::Text("WHETHER"),
        "workers.placement.functions",
        "Knative: whether workers share nodes with functions: avoid, never or allow [avoid]",
    ),
    every(
        "workers-beside-workers",
        Takes::Text("WHETHER"),
        "workers.placement.workers",
        "Knative: whether workers share nodes with each other: avoid, never or allow [avoid]",
    ),
    every("worker-cpu", NUMBER, "workers.cpu", "Knative: processors of a worker, such as 2 or 0.5 [1]"),
    every("worker-memory", MEMORY, "workers.memoryMib", "Knative: memory of a worker [512MiB]"),
    every(
        "disturb",
        Takes::Entries,
        "disturb",
        "Something that is done to the platform on purpose, such as '{at: 60s, do: killInstances}'; repeatable [nothing]",
    ),
    every(
        "expect",
        Takes::Texts("EXPECTATION"),
        "expect",
        "What the run's figures must be like, such as 'response.p99 < 500ms' or 'failed < 1% abort'; repeatable [nothing]",
    ),
    of(
        &TRACE,
        "trace",
        Takes::Text("PATH"),
        "path",
        "Trace on this machine, a directory or a file; what its replay reads is uploaded",
    ),
    of(&TRACE, "upload", Takes::Text("ID"), "upload", "Id of an uploaded trace, instead of --trace"),
    of(
        &TRACE,
        "format",
        Takes::Text("NAME"),
        "format",
        "Trace format, such as azure2019 or triplet [detected by headers]",
    ),
    of(&TRACE, "day", NUMBER, "day", "Day to replay, where the trace has several [the only one]"),
    of(&TRACE, "size", NUMBER, "size", "Sample to replay, where the folder has several, by its size [the only one]"),
    of(&TRACE, "from", DURATION, "start", "Where in the trace the replay begins, such as 9h or 9h30m [its beginning]"),
    of(
        &TRACE,
        "granularity",
        Takes::Text("UNIT"),
        "granularity",
        "Length of a column of the trace: minute or second [minute, or as the format has it]",
    ),
    of(
        &TRACE,
        "skip-incomplete",
        Takes::Switch,
        "skipIncomplete",
        "Drop functions without durations or memory [false: refuse the trace]",
    ),
    of(
        &TRACE,
        "strict",
        Takes::Switch,
        "strict",
        "Refuse negative, absurd and unordered run times and memory [false: repair, or drop the function, and count]",
    ),
    of(
        &TRACE,
        "default-runtime",
        DURATION,
        "defaultRuntime",
        "Run time of functions of which the trace has none [such a trace is refused]",
    ),
    of(
        &TRACE,
        "default-memory",
        MEMORY,
        "defaultMemoryMib",
        "Memory of functions of which the trace has none [refused; 200MiB where the format has no memory at all]",
    ),
    of(&TRACE, "min-runtime", DURATION, "minRuntime", "Shorter run times are raised to this [1ms]"),
    of(&TRACE, "max-runtime", DURATION, "maxRuntime", "Longer run times are lowered to this [60s]"),
    of(&TRACE, "min-memory", MEMORY, "minMemoryMib", "Less memory is raised to this [1MiB]"),
    of(&TRACE, "max-memory", MEMORY, "maxMemoryMib", "More memory is lowered to this [10GiB]"),
    of(
        &TRACE,
        "warmup-hold",
        DURATION,
        "warmup.hold",
        "Warm-up: time for which the autoscaler is held, up to 15m [no warm-up; 5m]",
    ),
    of(
        &TRACE,
        "warmup-settle",
        DURATION,
        "warmup.settle",
        "Warm-up: maximum settling time after the hold [no warm-up; 10m]",
    ),
    of(
        &TRACE,
        "warmup-profile",
        DURATION,
        "warmup.profile",
        "Warm-up: first part of the trace that initial scales are computed from [as the hold]",
    ),
    of(&RPS, "end", RATE, "end", "Rate of the last slot [none: until overload]"),
    of(
        &RPS,
        "search",
        Takes::Text("NAME"),
        "search",
        "How rates are chosen: linear (by --step), or bisect (doubles, then halves the interval) [linear]",
    ),
    of(
        &RPS,
        "precision",
        Takes::Text("SHARE"),
        "precision",
        "--search bisect: how narrow the interval is made, as a share of its upper edge [0.05]",
    ),
    of(
        &RPS,
        "slot-drain",
        DURATION,
        "slotDrain",
        "Maximum wait between two slots for what is in flight [as long as --slot]",
    ),
    of(
        &RPS,
        "verdict-timeout",
        DURATION,
        "verdictTimeout",
        "How long after its send an invocation counts as failed for its slot [as --slot, at most 60s]",
    ),
    of(
        &RPS,
        "cold-start-ratio",
        Takes::Text("SHARE"),
        "coldStartRatio",
        "Share of the rate that goes to cold functions [0]",
    ),
    of(
        &RPS,
        "cooldown",
        DURATION,
        "cooldown",
        "Time in which an idle function scales to zero; required with --cold-start-ratio",
    ),
    of(&BURST, "target-rps", NUMBER, "targetRps", "Target rate, reached in steps of 1, invocations per second [8]"),
    of(&BURST, "burst", NUMBER, "burst", "Extra invocations within one second in the middle of the hold [10]"),
    of(&BURST, "hold", DURATION, "hold", "Duration of the target rate [4m]"),
    of(&BURST, "step-duration", DURATION, "stepDuration", "Duration of each rate of the ramp [60s]"),
    of(&COLDSTART, "cold-starts", Takes::Numbers, "coldStarts", "Cold starts per slot, such as 5,1,2; or @FILE"),
    of(&SWEEPS, "start", RATE, "start", "Rate of the first slot, invocations per second [1]"),
    of(&SWEEPS, "step", RATE, "step", "Increase of the rate from slot to slot [rps: 1, coldstart: 0]"),
    of(&SWEEPS, "slot", DURATION, "slot", "Length of a slot [60s]"),
    of(&SWEEPS, "functions", NUMBER, "functions", "Functions [rps: 1, coldstart: 200]"),
    of(
        &SPANS,
        "duration",
        DURATION,
        "duration",
        "Length of the run [trace: all of it, coldstart: a slot for each entry of --cold-starts]",
    ),
    of(&SYNTHETIC, "runtime", DURATION, "runtime", "Requested run time of each invocation [1s]"),
    of(&SYNTHETIC, "memory", MEMORY, "memoryMib", "Requested memory of each invocation [170MiB]"),
];
