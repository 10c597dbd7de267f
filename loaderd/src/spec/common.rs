//! What all runs share, whatever their mode. Messages are taken apart in full, so that a new field breaks the build here.

use std::time::Duration;

use ::http::uri::Authority;
use loader_proto::{json::bracketed, v1};
use loader_trace::Arrivals;

use super::{
    busy_loop::{StartupBusyLoop, startup_busy_loop},
    check::{Check, LONGEST},
    deployment, disturb, expect,
    function::{FunctionKind, RuntimeClock},
    http::{self, FunctionProtocol},
    platform::{Features, PlatformKind},
    run::{Defaults, ModeFacts, RunSpec},
    settings::{
        ConnectionPolicy, Connections, DEFAULT_MAX_SCALE, Output, Overload, Saturation, ScalingOverrides, Slo, Timeouts,
    },
    workers,
};
use crate::endpoint::Endpoint;

pub(crate) const DEFAULT_SEED: u64 = 42;
const MINUTE: Duration = Duration::from_mins(1);
const MILLISECOND: Duration = Duration::from_millis(1);
const MICROSECOND: Duration = Duration::from_micros(1);

/// Most instances that a spec may ask for of one function.
const MOST_INSTANCES: u32 = 1_000_000;

/// Most connections to one address.
const MOST_CONNECTIONS: u32 = 4096;

/// Reads all of a spec but its mode, of which `mode` has what this needs; absent when the mode has faults of its own.
pub(crate) fn common(
    check: &mut Check,
    message: &v1::RunSpec,
    defaults: &Defaults,
    mode: Option<ModeFacts>,
) -> Option<RunSpec> {
    let v1::RunSpec {
        name,
        platform,
        seed,
        function,
        arrivals,
        function_timeout,
        connect_timeout,
        drain_timeout,
        overload: overload_message,
        saturation: saturation_message,
        max_in_flight,
        max_memory_in_flight,
        scaling: scaling_message,
        attach: attach_message,
        connections: connections_message,
        output: output_message,
        deploy: deploy_message,
        slo: slo_message,
        disturb: disturb_messages,
        expect: expected,
        workers: workers_message,
        mode: _,
    } = message;
    let name = self::name(check, name);
    let platform = platform_kind(check, platform, defaults);
    let function = self::function(check, function.as_ref(), platform);
    let arrivals = arrivals_or_default(check, arrivals, mode);
    let function_timeout =
        check.duration("functionTimeout", function_timeout.as_ref(), 15 * MINUTE, MILLISECOND..=LONGEST);
    let connect_timeout = check.duration("connectTimeout", connect_timeout.as_ref(), MINUTE, MILLISECOND..=LONGEST);
    let drain_timeout = check.duration("drainTimeout", drain_timeout.as_ref(), 15 * MINUTE, Duration::ZERO..=LONGEST);
    let overload = overload(check, overload_message.as_ref(), mode);
    let saturation = saturation(check, saturation_message.as_ref());
    let slo = slo(check, slo_message.as_ref());
    let max_in_flight = check.count("maxInFlight", *max_in_flight, 100_000, 1..=u32::MAX);
    let max_memory_in_flight = memory_bound(check, *max_memory_in_flight);
    let scaling = scaling(check, scaling_message.as_ref());
    let connections = connections(check, connections_message.as_ref());
    let output = output(check, output_message.as_ref());
    let deploy = deployment::options(check, deploy_message.as_ref());
    let attach = attach(check, attach_message.as_ref(), platform);
    scales(check, platform, mode);
    let disturbances = disturb::disturbances(check, disturb_messages, platform);
    let expectations = expect::expectations(check, expected);
    let workers = workers::workers(check, workers_message.as_ref(), max_in_flight);
    let mode = mode?.name;
    let Function { kind, runtime_clock, protocol, startup_busy_loop } = function?;
    Some(RunSpec {
        name: name?.unwrap_or_else(|| mode.to_owned()),
        platform: platform?,
        seed: seed.unwrap_or(DEFAULT_SEED),
        kind,
        protocol,
        runtime_clock,
        startup_busy_loop,
        arrivals: arrivals?,
        timeouts: Timeouts { function: function_timeout?, connect: connect_timeout?, drain: drain_timeout? },
        overload: overload?,
        saturation: saturation?,
        slo: slo?,
        max_in_flight: max_in_flight?,
        max_memory_in_flight_mib: max_memory_in_flight?,
        scaling: scaling?,
        connections: connections?,
        attach: attach?,
        output: output?,
        deploy: deploy?,
        disturbances: disturbances?,
        expectations: expectations?,
        workers: workers?,
        mode,
    })
}

/// The bound of the memory in flight; the inner value is absent when the spec has none.
fn memory_bound(check: &mut Check, mib: Option<u32>) -> Option<Option<u32>> {
    match mib {
        Some(_) => check.count("maxMemoryInFlight", mib, 1, 1..=u32::MAX).map(Some),
        None => Some(None),
    }
}

/// The name of a run or of a study; the inner value is absent when there is none.
pub(crate) fn name(check: &mut Check, name: &str) -> Option<Option<String>> {
    if name.is_empty() {
        return Some(None);
    }
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let valid = name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(inner);
    if !valid {
        let rule = "must be up to 63 characters of a-z, 0-9 and '-', first a letter, last not '-'";
        check.fault("name", format!("is {name:?}; {rule}"));
    }
    valid.then(|| Some(name.to_owned()))
}

fn platform_kind(check: &mut Check, name: &str, defaults: &Defaults) -> Option<PlatformKind> {
    let name = if name.is_empty() { &defaults.platform } else { name };
    check.named("platform", name, &PlatformKind::ALL, PlatformKind::as_str)
}

/// What is deployed.
struct Function {
    kind: FunctionKind,
    runtime_clock: Option<RuntimeClock>,
    protocol: FunctionProtocol,
    startup_busy_loop: Option<StartupBusyLoop>,
}

fn function(check: &mut Check, message: Option<&v1::FunctionSpec>, platform: Option<PlatformKind>) -> Option<Function> {
    let v1::FunctionSpec { kind, clock, protocol, http, startup_busy_loop: busy_loop } =
        message.cloned().unwrap_or_default();
    let name = if kind.is_empty() { FunctionKind::Trace.as_str() } else { &kind };
    let kind = check.named("function.kind", name, &FunctionKind::ALL, FunctionKind::as_str);
    let named =
        (!clock.is_empty()).then(|| check.named("function.clock", &clock, &RuntimeClock::ALL, RuntimeClock::as_str));
    let clock = match named {
        Some(clock) => Some(clock?),
        None => None,
    };
    let protocol = http::protocol(check, kind, &protocol, http.as_ref());
    let startup_busy_loop = startup_busy_loop(check, &busy_loop);
    if let (Some(Some(_)), Some(Features { name, named_targets: true, .. })) =
        (startup_busy_loop, platform.map(PlatformKind::features))
    {
        check.fault("function.startupBusyLoop", format!("is set, but platform {name} starts no instances"));
    }
    match kind? {
        FunctionKind::Trace => {}
        kind @ (FunctionKind::Empty | FunctionKind::Timed | FunctionKind::Wimpy | FunctionKind::Hello) => {
            if clock == Some(RuntimeClock::Cpu) {
                let kind = kind.as_str();
                check.fault("function.clock", format!("is cpu, which is for kind trace only; the kind is {kind}"));
            }
        }
    }
    let startup_busy_loop = startup_busy_loop?;
    Some(Function { kind: kind?, runtime_clock: clock, protocol: protocol?, startup_busy_loop })
}

/// Checks that a mode that chooses functions by their instances knows them.
fn scales(check: &mut Check, platform: Option<PlatformKind>, mode: Option<ModeFacts>) {
    let features = platform.map(PlatformKind::features);
    if let (Some(Features { name, named_targets: true, .. }), Some(ModeFacts { name: mode, needs_scales: true, .. })) =
        (features, mode)
    {
        let reason =
            "it chooses functions without instances, and of functions deployed by others nobody reports the instances";
        check.fault(mode, format!("cannot run on platform {name}: {reason}"));
    }
}

fn arrivals_or_default(check: &mut Check, name: &str, mode: Option<ModeFacts>) -> Option<Arrivals> {
    if name.is_empty() {
        return mode.map(|mode| mode.arrivals);
    }
    check.named("arrivals", name, &Arrivals::ALL, Arrivals::name)
}

fn overload(check: &mut Check, message: Option<&v1::Overload>, mode: Option<ModeFacts>) -> Option<Overload> {
    let v1::Overload { failure_ratio, tolerance } = message.copied().unwrap_or_default();
    // Without a mode the spec is refused anyway.
    let default = mode.map_or(1.0, |mode| mode.failure_ratio);
    let failure_ratio = check.positive("overload.failureRatio", failure_ratio, default, 1.0);
    let tolerance = check.count("overload.tolerance", tolerance, 2, 1..=u32::MAX);
    Some(Overload { failure_ratio: failure_ratio?, tolerance: tolerance? })
}

fn saturation(check: &mut Check, message: Option<&v1::Saturation>) -> Option<Saturation> {
    let v1::Saturation { lag, abort } = message.copied().unwrap_or_default();
    let lag = check.duration("saturation.lag", lag.as_ref(), Duration::from_millis(10), MICROSECOND..=LONGEST);
    Some(Saturation { lag: lag?, abort })
}

/// The objective; the inner value is absent when the spec has none.
fn slo(check: &mut Check, message: Option<&v1::Slo>) -> Option<Option<Slo>> {
    let Some(v1::Slo { response, percentile }) = message.copied() else { return Some(None) };
    if response.is_none() {
        check.fault("slo.response", "is missing; must be the response time that is accepted");
    }
    let response = check.duration("slo.response", response.as_ref(), MINUTE, MICROSECOND..=LONGEST);
    let percentile = check.positive("slo.percentile", percentile, 99.0, 99.999);
    Some(Some(Slo { response: response?, share: percentile? / 100.0 }))
}

fn scaling(check: &mut Check, message: Option<&v1::Scaling>) -> Option<ScalingOverrides> {
    let message = message.cloned().unwrap_or_default();
    let v1::Scaling { initial_scale, min_scale, max_scale, container_concurrency, stable_window, .. } = message;
    let autoscaling = deployment::autoscaling(check, &message);
    let initial = check.count("scaling.initialScale", initial_scale, 0, 0..=MOST_INSTANCES);
    let min = check.count("scaling.minScale", min_scale, 0, 0..=MOST_INSTANCES);
    let max = check.count("scaling.maxScale", max_scale, DEFAULT_MAX_SCALE, 0..=MOST_INSTANCES);
    // 1000 is the most that Knative takes.
    let concurrency = check.count("scaling.containerConcurrency", container_concurrency, 1, 1..=1000);
    let window = check.duration("scaling.stableWindow", stable_window.as_ref(), Duration::ZERO, MILLISECOND..=LONGEST);
    if let Some(max) = max.filter(|&max| max > 0) {
        for (field, scale) in [("scaling.initialScale", initial), ("scaling.minScale", min)] {
            if let Some(scale) = scale.filter(|&scale| scale > max) {
                check.fault(field, format!("is {scale}; must be at most scaling.maxScale, which is {max}"));
            }
        }
    }
    let readable = initial.and(min).and(max).and(concurrency).and(window).zip(autoscaling);
    readable.map(|(window, autoscaling)| ScalingOverrides {
        autoscaling,
        initial_scale,
        min_scale,
        max_scale,
        container_concurrency,
        stable_window: stable_window.is_some().then_some(window),
    })
}

fn connections(check: &mut Check, message: Option<&v1::Connections>) -> Option<Connections> {
    let v1::Connections { policy, per_address } = message.cloned().unwrap_or_default();
    let name = if policy.is_empty() { ConnectionPolicy::Pooled.as_str() } else { &policy };
    let policy = check.named("connections.policy", name, &ConnectionPolicy::ALL, ConnectionPolicy::as_str);
    let most = check.count("connections.perAddress", per_address, 1, 1..=MOST_CONNECTIONS);
    if let (Some(policy @ (ConnectionPolicy::PerFunction | ConnectionPolicy::PerInvocation)), Some(_)) =
        (policy, per_address)
    {
        let policy = policy.as_str();
        check.fault("connections.perAddress", format!("is for policy pooled only; the policy is {policy}"));
    }
    most.and(Some(Connections { policy: policy?, per_address }))
}

/// Whether records are text or columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Parquet,
}

impl Format {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

fn output(check: &mut Check, message: Option<&v1::Output>) -> Option<Output> {
    let v1::Output { format, compression } = message.cloned().unwrap_or_default();
    let name = if format.is_empty() { Format::Csv.as_str() } else { &format };
    let format = check.named("output.format", name, &[Format::Csv, Format::Parquet], Format::as_str);
    let name = if compression.is_empty() { "none" } else { &compression };
    let gzip = check.named("output.compression", name, &[false, true], |gzip| if gzip { "gzip" } else { "none" });
    match (format?, gzip?) {
        (Format::Csv, false) => Some(Output::Csv),
        (Format::Csv, true) => Some(Output::GzippedCsv),
        (Format::Parquet, false) => Some(Output::Parquet),
        (Format::Parquet, true) => {
            check.fault("output.compression", "is for format csv only; parquet is compressed in its own way");
            None
        }
    }
}

fn attach(check: &mut Check, message: Option<&v1::Attach>, platform: Option<PlatformKind>) -> Option<Vec<Endpoint>> {
    let targets = message.map(|v1::Attach { targets }| targets.as_slice());
    match platform.map(PlatformKind::features) {
        Some(Features { named_targets: true, name, .. }) if targets.is_none_or(<[_]>::is_empty) => {
            let text = format!("is empty; platform {name} needs the functions to call");
            check.fault("attach.targets", text);
        }
        Some(Features { named_targets: false, name, .. }) if targets.is_some() => {
            let others = PlatformKind::ALL.map(PlatformKind::features).into_iter().filter(|it| it.named_targets);
            let others: Vec<_> = others.map(|it| it.name).collect();
            let text = format!("is for platform {} only; this run's platform is {name}", others.join(" or "));
            check.fault("attach", text);
        }
        Some(_) | None => {}
    }
    let targets = targets.unwrap_or_default().iter().enumerate();
    // Every target is read before the first failure counts.
    let endpoints: Vec<_> = targets.map(|(index, target)| endpoint(check, index, target)).collect();
    endpoints.into_iter().collect()
}

fn endpoint(check: &mut Check, index: usize, target: &v1::AttachTarget) -> Option<Endpoint> {
    let v1::AttachTarget { address, authority } = target;
    let host = |text: &str| text.parse::<Authority>().ok().filter(|_| !text.contains('@'));
    let reachable = host(address).is_some_and(|host| host.port_u16().is_some_and(|port| port > 0));
    if !reachable {
        let field = format!("attach.targets[{index}].address");
        let hint = bracketed(address).map(|right| format!("; did you mean {right}?")).unwrap_or_default();
        check.fault(field, format!("is {address:?}; must be host:port, such as 10.0.0.7:8080{hint}"));
    }
    let authority = if authority.is_empty() { address } else { authority };
    let named = authority == address || host(authority).is_some();
    if !named {
        let field = format!("attach.targets[{index}].authority");
        check.fault(field, format!("is {authority:?}; must be a host name, with or without :port"));
    }
    (reachable && named).then(|| Endpoint::plain(address.clone(), authority.clone()))
}
