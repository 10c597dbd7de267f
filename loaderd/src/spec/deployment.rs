//! How functions are deployed and scaled on a cluster.

use std::time::Duration;

use loader_proto::v1;

use super::check::{Check, LONGEST};

/// How functions are deployed, on platforms that deploy containers.
#[derive(Debug, Clone, PartialEq)]
pub struct DeployOptions {
    /// The function's image; absent: the daemon's.
    pub image: Option<String>,
    /// How long all functions together may take to be ready.
    pub timeout: Duration,
    /// How many functions may fail to deploy before the run does.
    pub allow_failures: u32,
    /// Whether they stay when the run is over.
    pub keep: bool,
    /// Whether the run ends when their instances are gone, rather than when they themselves are.
    pub await_pods: bool,
    /// How much CPU an instance may use.
    pub cpu_limit: CpuLimit,
    /// An instance's CPU limit over its CPU request, at least 1.
    pub overcommitment: f64,
}

impl Default for DeployOptions {
    fn default() -> Self {
        Self {
            image: None,
            timeout: Duration::from_mins(10),
            allow_failures: 0,
            keep: false,
            await_pods: true,
            cpu_limit: CpuLimit::OneVcpu,
            overcommitment: 10.0,
        }
    }
}

/// How much CPU an instance may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CpuLimit {
    /// One processor, whatever the function's memory.
    OneVcpu,
    /// By memory, as Google Cloud Functions does (its pricing's compute tiers).
    Gcp,
}

impl CpuLimit {
    /// All CPU limits.
    pub const ALL: [Self; 2] = [Self::OneVcpu, Self::Gcp];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneVcpu => "1vCPU",
            Self::Gcp => "GCP",
        }
    }

    /// The limit in thousandths of a processor, for a function that takes so many MiB.
    pub const fn millicores(self, memory_mib: u32) -> u32 {
        match self {
            Self::OneVcpu => 1000,
            Self::Gcp => match memory_mib {
                0..256 => 83,
                256..512 => 167,
                512..1024 => 333,
                1024..2048 => 583,
                2048..4096 => 1000,
                4096.. => 2000,
            },
        }
    }
}

/// Settings of a cluster's autoscaler.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Autoscaling {
    /// Class of the autoscaler.
    pub class: Autoscaler,
    /// The metric that it scales by.
    pub metric: ScaleMetric,
    /// Target per instance; absent: derived from the function.
    pub target: Option<f64>,
    /// The panic window, as a percentage of the stable one.
    pub panic_window_percentage: f64,
    /// The load at which it panics, as a percentage of the target.
    pub panic_threshold_percentage: f64,
}

impl Default for Autoscaling {
    fn default() -> Self {
        Self {
            class: Autoscaler::Kpa,
            metric: ScaleMetric::Concurrency,
            target: None,
            panic_window_percentage: 10.0,
            panic_threshold_percentage: 200.0,
        }
    }
}

/// An autoscaler of Knative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autoscaler {
    /// Knative's own, which scales to zero.
    Kpa,
    /// That of Kubernetes, which does not scale to zero.
    Hpa,
}

impl Autoscaler {
    const ALL: [Self; 2] = [Self::Kpa, Self::Hpa];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kpa => "kpa",
            Self::Hpa => "hpa",
        }
    }
}

/// The metric that an autoscaler scales by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleMetric {
    /// Invocations that an instance works on at the same time.
    Concurrency,
    /// Invocations per second of an instance.
    Rps,
}

impl ScaleMetric {
    const ALL: [Self; 2] = [Self::Concurrency, Self::Rps];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Rps => "rps",
        }
    }
}

pub(super) fn options(check: &mut Check, message: Option<&v1::DeployOptions>) -> Option<DeployOptions> {
    let v1::DeployOptions { image, timeout, allow_failures, keep, cpu_limit, overcommitment, await_pods } =
        message.cloned().unwrap_or_default();
    let default = DeployOptions::default();
    let second = Duration::from_secs(1);
    let timeout = check.duration("deploy.timeout", timeout.as_ref(), default.timeout, second..=LONGEST);
    let name = if cpu_limit.is_empty() { default.cpu_limit.as_str() } else { &cpu_limit };
    let cpu_limit = check.named("deploy.cpuLimit", name, &CpuLimit::ALL, CpuLimit::as_str);
    let overcommitment = overcommitment.unwrap_or(default.overcommitment);
    let sound = (1.0..=1000.0).contains(&overcommitment);
    if !sound {
        check.fault("deploy.overcommitment", format!("is {overcommitment}; must be 1 to 1000"));
    }
    let named =
        image.is_empty() || !image.contains(|character: char| character.is_whitespace() || character.is_control());
    if !named {
        check.fault(
            "deploy.image",
            format!("is {image:?}; must be an image's name, such as registry.example/trace-func:1"),
        );
    }
    (sound && named).then_some(())?;
    Some(DeployOptions {
        image: (!image.is_empty()).then_some(image),
        timeout: timeout?,
        allow_failures: allow_failures.unwrap_or_default(),
        keep,
        await_pods: await_pods.unwrap_or(default.await_pods),
        cpu_limit: cpu_limit?,
        overcommitment,
    })
}

/// The fields of a scaling that are the autoscaler's.
pub(super) fn autoscaling(check: &mut Check, message: &v1::Scaling) -> Option<Autoscaling> {
    let default = Autoscaling::default();
    let name = if message.class.is_empty() { default.class.as_str() } else { &message.class };
    let class = check.named("scaling.class", name, &Autoscaler::ALL, Autoscaler::as_str);
    let name = if message.metric.is_empty() { default.metric.as_str() } else { &message.metric };
    let metric = check.named("scaling.metric", name, &ScaleMetric::ALL, ScaleMetric::as_str);
    let mut within = |field: &str, value: Option<f64>, default: f64, least: f64, most: f64| {
        let value = value.unwrap_or(default);
        let sound = (least..=most).contains(&value);
        if !sound {
            check.fault(field, format!("is {value}; must be {least} to {most}"));
        }
        sound.then_some(value)
    };
    // The bounds are Knative's.
    let target = within("scaling.target", message.target, 1.0, 0.01, 1e6);
    let window = within("scaling.panicWindowPercentage", message.panic_window_percentage, 10.0, 1.0, 100.0);
    let threshold =
        within("scaling.panicThresholdPercentage", message.panic_threshold_percentage, 200.0, 110.0, 1000.0);
    target?;
    Some(Autoscaling {
        class: class?,
        metric: metric?,
        target: message.target,
        panic_window_percentage: window?,
        panic_threshold_percentage: threshold?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_by_memory_are_those_of_the_published_table() {
        let limits = [1, 255, 256, 511, 512, 1024, 2048, 4095, 4096].map(|mib| CpuLimit::Gcp.millicores(mib));
        assert_eq!(limits, [83, 83, 167, 167, 333, 583, 1000, 1000, 2000]);
        assert_eq!(CpuLimit::OneVcpu.millicores(8192), 1000);
    }
}
