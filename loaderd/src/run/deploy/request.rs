//! A run's request to its platform.

use std::time::Duration;

use crate::{
    id::RunId,
    plan::{Outline, PlannedFunction},
    platform::{Autoscaling, Deploy, FunctionDeployment, Resources, Scaling},
    spec::{CpuLimit, DEFAULT_MAX_SCALE, RunSpec, ScaleMetric},
};

/// Memory of an instance in addition to that of its invocations, in MiB: the server itself, with a margin.
const OWN_MEMORY_MIB: u32 = 32;

/// The deployment of a plan's functions, with the spec's scaling.
pub(in crate::run) fn request(run: RunId, spec: &RunSpec, functions: &[PlannedFunction], outline: &Outline) -> Deploy {
    let scaling = &spec.scaling;
    let max = scaling.max_scale.unwrap_or(DEFAULT_MAX_SCALE);
    let functions = functions.iter().zip(&outline.functions).map(|(function, outline)| FunctionDeployment {
        name: function.name.clone(),
        kind: spec.kind.as_str().to_owned(),
        http: spec.protocol.version(),
        startup_busy_loop: spec.startup_busy_loop.map_or(Duration::ZERO, |busy| busy.length(outline.mean_memory_mib)),
        peak_memory_mib: function.peak_memory_mib,
        scaling: Scaling {
            initial: scaling.initial_scale.unwrap_or(function.initial_scale),
            min: scaling.min_scale.unwrap_or(0),
            max: (max > 0).then_some(max),
            container_concurrency: scaling.container_concurrency.unwrap_or(1),
            stable_window: scaling.stable_window,
        },
        autoscaling: autoscaling(spec, outline.mean_runtime),
        resources: resources(spec, function.peak_memory_mib),
    });
    Deploy {
        run,
        functions: functions.collect(),
        targets: spec.attach.clone(),
        image: spec.deploy.image.clone(),
        timeout: spec.deploy.timeout,
        allow_failures: spec.deploy.allow_failures,
        await_pods: spec.deploy.await_pods,
        function_timeout: spec.timeouts.function,
    }
}

/// The autoscaler's settings. Without a target in the spec it is an instance's capacity: its concurrency, or the invocations per
/// second that it completes at the function's mean run time.
fn autoscaling(spec: &RunSpec, mean_runtime: Duration) -> Autoscaling {
    let asked = spec.scaling.autoscaling;
    let concurrency = f64::from(spec.scaling.container_concurrency.unwrap_or(1));
    let target = asked.target.unwrap_or_else(|| match asked.metric {
        ScaleMetric::Concurrency => concurrency,
        // Knative takes no less than 0.01.
        ScaleMetric::Rps => (concurrency / mean_runtime.as_secs_f64().max(1e-3)).max(0.01),
    });
    Autoscaling {
        class: asked.class.as_str(),
        metric: asked.metric.as_str(),
        target: (target * 100.0).round() / 100.0,
        panic_window_percentage: asked.panic_window_percentage,
        panic_threshold_percentage: asked.panic_threshold_percentage,
    }
}

/// An instance's resources: the CPU limit by policy, the request as limit over overcommitment; memory for its invocations and for
/// the server.
fn resources(spec: &RunSpec, peak_memory_mib: u32) -> Resources {
    let limit: u32 = CpuLimit::millicores(spec.deploy.cpu_limit, peak_memory_mib);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the limit, and positive")]
    let request = (f64::from(limit) / spec.deploy.overcommitment).ceil() as u32;
    let concurrency = spec.scaling.container_concurrency.unwrap_or(1);
    Resources {
        cpu_request_millicores: request.max(1),
        cpu_limit_millicores: limit,
        memory_mib: peak_memory_mib.saturating_mul(concurrency).saturating_add(OWN_MEMORY_MIB),
    }
}
