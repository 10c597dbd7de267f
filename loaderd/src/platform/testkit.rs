//! Deployments for tests.

use std::time::Duration;

use super::{Autoscaling, FunctionDeployment, Resources, Scaling};
#[cfg(test)]
use super::{Deploy, Scale};
use crate::endpoint::HttpVersion;
#[cfg(test)]
use crate::id::RunId;

/// A function that starts at zero.
pub(crate) fn function(name: &str) -> FunctionDeployment {
    FunctionDeployment {
        name: name.to_owned(),
        kind: "trace".to_owned(),
        http: HttpVersion::Http2,
        startup_busy_loop: Duration::ZERO,
        peak_memory_mib: 1,
        scaling: Scaling { initial: 0, min: 0, max: None, container_concurrency: 1, stable_window: None },
        autoscaling: Autoscaling {
            class: "kpa",
            metric: "concurrency",
            target: 1.0,
            panic_window_percentage: 10.0,
            panic_threshold_percentage: 200.0,
        },
        resources: Resources { cpu_request_millicores: 100, cpu_limit_millicores: 1000, memory_mib: 64 },
    }
}

/// A deployment of such functions.
#[cfg(test)]
pub(crate) fn deploy(names: &[&str]) -> Deploy {
    Deploy {
        run: RunId::new(0, 0),
        functions: names.iter().map(|name| function(name)).collect(),
        targets: Vec::new(),
        image: None,
        timeout: Duration::from_secs(60),
        allow_failures: 0,
        await_pods: true,
        function_timeout: Duration::from_secs(60),
    }
}

/// The scale of a function that stands at zero, and of which it is known that nothing waits.
#[cfg(test)]
pub(crate) fn idle() -> Scale {
    Scale { queue: Some(0), ..Scale::default() }
}
