//! Open files: as many as the kernel allows the daemon, and whether a run needs more.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{
    endpoint::HttpVersion,
    plan::Outline,
    spec::{ConnectionPolicy, RunSpec, Violation},
};

/// Files that the daemon needs in addition to a run's connections and instances: records, clients, its own.
const OWN_FILES: u64 = 512;

/// Raises the limit of open files to the hard limit; what it is then.
pub fn raise_limit() -> u64 {
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => {
            log::warn!("cannot read the limit of open files: {error}");
            return u64::MAX;
        }
    };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(error) => {
            log::warn!("cannot raise the limit of open files from {soft} to {hard}: {error}");
            soft
        }
    }
}

/// Connections that a run will have open at the same time, by its plan.
fn connections(spec: &RunSpec, outline: &Outline, pooled: usize) -> u64 {
    let functions = outline.functions.len() as u64;
    let shared = match spec.connections.policy {
        ConnectionPolicy::Pooled => {
            // An ingress is one address for all functions.
            let addresses = if spec.platform.features().one_address { 1 } else { functions };
            let each = spec.connections.per_address.map_or(pooled as u64, u64::from);
            addresses.saturating_mul(each)
        }
        ConnectionPolicy::PerFunction => functions,
        ConnectionPolicy::PerInvocation => return peak_in_flight(spec, outline),
    };
    match spec.protocol.version() {
        HttpVersion::Http2 => shared,
        // A connection takes one invocation at a time.
        HttpVersion::Http1 => shared.saturating_add(peak_in_flight(spec, outline)),
    }
}

/// Most invocations in flight at the same time, by the plan.
fn peak_in_flight(spec: &RunSpec, outline: &Outline) -> u64 {
    let peak_in_flight = outline.slots.iter().map(|slot| slot.concurrency).fold(0.0, f64::max).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative, and saturates")]
    let peak_in_flight = peak_in_flight as u64;
    peak_in_flight.min(spec.max_in_flight.into())
}

/// Instances that there will be at the same time: those that functions begin with, and one for each invocation.
fn instances(spec: &RunSpec, outline: &Outline) -> u64 {
    let first = u64::from(spec.scaling.initial_scale.unwrap_or(1).max(1));
    first.saturating_mul(outline.functions.len() as u64).saturating_add(peak_in_flight(spec, outline))
}

/// The violation of a run that would need more open files than `limit`; `platform_files` gives the platform's share from instances
/// and connections ([`crate::platform::Embedded::open_files`]).
pub(super) fn check(
    spec: &RunSpec,
    outline: &Outline,
    pooled: usize,
    platform_files: impl Fn(u64, u64) -> u64,
    limit: u64,
) -> Option<Violation> {
    let connections = connections(spec, outline, pooled);
    let platform_files = platform_files(instances(spec, outline), connections);
    let needed = connections.saturating_add(platform_files).saturating_add(OWN_FILES);
    (needed > limit).then(|| {
        let description = format!(
            "the run needs {needed} open files, but the daemon's limit is {limit}: raise its hard limit (LimitNOFILE), or share \
             connections more (pooled, fewer per address)"
        );
        Violation::new("connections", description)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use loader_proto::v1;

    use super::*;
    use crate::{
        plan::{FunctionOutline, SlotOutline, validate},
        spec::Defaults,
    };

    /// A plan with ten functions, of which at most 99.5 invocations are expected in flight at the same time.
    fn outline() -> Outline {
        let slot = |concurrency| SlotOutline {
            invocations: 1,
            duration: Duration::from_secs(1),
            rate: 1.0,
            concurrency,
            memory_mib: 1.0,
        };
        let function = FunctionOutline { invocations: 1, mean_runtime: Duration::ZERO, mean_memory_mib: 1.0 };
        Outline { slots: vec![slot(3.0), slot(99.5), slot(7.0)], functions: vec![function; 10], ..Outline::default() }
    }

    fn needed(platform: &str, policy: &str, protocol: &str) -> u64 {
        let rps = v1::RpsMode { end: Some(1.0), ..v1::RpsMode::default() };
        let message = v1::RunSpec {
            platform: platform.to_owned(),
            function: Some(v1::FunctionSpec { protocol: protocol.to_owned(), ..v1::FunctionSpec::default() }),
            connections: Some(v1::Connections { policy: policy.to_owned(), ..v1::Connections::default() }),
            mode: Some(v1::run_spec::Mode::Rps(rps)),
            ..v1::RunSpec::default()
        };
        let request = validate(&message, &Defaults { platform: "local".to_owned() }).expect("is right");
        let spec = request.run;
        // As on the local platform: this process has both ends of a connection.
        let platform_files = |instances, connections| if platform == "local" { connections + 4 * instances } else { 0 };
        let connections = connections(&spec, &outline(), 4);
        let needed = connections + platform_files(instances(&spec, &outline()), connections) + OWN_FILES;
        assert_eq!(check(&spec, &outline(), 4, platform_files, needed), None);
        let violation = check(&spec, &outline(), 4, platform_files, needed - 1).expect("is too much");
        assert!(violation.description.starts_with(&format!("the run needs {needed} open files")), "{violation}");
        needed
    }

    #[test]
    fn a_run_that_needs_more_open_files_than_the_limit_is_refused_with_the_number() {
        assert_eq!(needed("local", "pooled", "grpc"), 512 + 2 * 40 + 4 * (10 + 100));
        assert_eq!(needed("knative", "pooled", "http2"), 512 + 4);
        assert_eq!(needed("knative", "per-function", "grpc"), 512 + 10);
        assert_eq!(needed("local", "per-invocation", "http1"), 512 + 2 * 100 + 4 * (10 + 100));
        assert_eq!(needed("knative", "pooled", "http1"), 512 + 4 + 100);
        assert_eq!(needed("knative", "per-function", "http1"), 512 + 10 + 100);
    }
}
