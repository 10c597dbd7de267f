//! Memory: as much as the daemon may use, and how many invocations in flight that allows.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    plan::{Outline, PlannedFunction},
    spec::{RunSpec, Violation},
};

/// What an invocation in flight is assumed to take, in bytes: its task, its stream, its row, and buffers of its connection.
///
/// Measured by the daemon's resident memory from 7 000 to 88 000 invocations in flight, of gRPC at 1 000/s with one worker, debug build
/// on x86-64 (2026-11): 3.7 KiB each where the target takes requests and answers none, 4.3 KiB where it accepts connections and never
/// speaks, so that calls wait for one. A body that each invocation has of its own comes on top: 102.7 KiB each with one of 97.7 KiB.
const BYTES_IN_FLIGHT: u64 = 8 << 10;

/// Of these bytes, those that no measurement has needed: a short body of its own fits into them.
const MARGIN: u64 = 3 << 10;

/// Invocations in flight that are always allowed, unless they have bodies of their own: the default of `maxInFlight`.
const ALWAYS_ALLOWED: u64 = 100_000;

/// Bytes that the daemon may use: the machine's memory, or the least limit of its control groups (version 2).
pub fn allowed() -> u64 {
    let machine = procfs_memory().unwrap_or(u64::MAX);
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = group.lines().find_map(|line| line.strip_prefix("0::/")).map(PathBuf::from).unwrap_or_default();
    group_limit(Path::new("/sys/fs/cgroup"), &group).map_or(machine, |limit| limit.min(machine))
}

fn procfs_memory() -> Option<u64> {
    use procfs::Current as _;
    procfs::Meminfo::current().ok().map(|memory| memory.mem_total)
}

/// The least limit of a group and those above it; absent when none has one.
fn group_limit(root: &Path, group: &Path) -> Option<u64> {
    let limits = group.ancestors().filter_map(|group| {
        let text = fs::read_to_string(root.join(group).join("memory.max")).ok()?;
        // No limit is "max".
        text.trim().parse().ok()
    });
    limits.min()
}

/// The violation of a run whose invocations in flight may take more than half of the `allowed` bytes.
pub(super) fn check(spec: &RunSpec, allowed: u64) -> Option<Violation> {
    let bytes = BYTES_IN_FLIGHT + spec.protocol.own_body_bytes().saturating_sub(MARGIN);
    let always = ALWAYS_ALLOWED * BYTES_IN_FLIGHT / bytes;
    let most = (allowed / 2 / bytes).max(always);
    (u64::from(spec.max_in_flight) > most).then(|| {
        let (asked, mib) = (spec.max_in_flight, allowed >> 20);
        let rule = format!("is {asked}; must be at most {most}, which take half of the daemon's memory of {mib} MiB");
        Violation::new("maxInFlight", rule)
    })
}

/// The violation of a run of which no invocation could ever be sent: each of them asks for more than all together may. Of functions
/// whose memory varies, some may be sent.
pub(super) fn check_bound(
    bound_mib: Option<u32>,
    functions: &[PlannedFunction],
    outline: &Outline,
) -> Option<Violation> {
    let bound = bound_mib?;
    let pairs = || functions.iter().zip(&outline.functions);
    let varies = pairs().any(|(planned, outline)| outline.mean_memory_mib < f64::from(planned.peak_memory_mib));
    let least = pairs().map(|(planned, _)| planned.peak_memory_mib).min()?;
    (!varies && least > bound).then(|| {
        let rule = format!("is {bound} MiB; each invocation asks for {least} MiB or more, so that none would be sent");
        Violation::new("maxMemoryInFlight", rule)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use loader_proto::v1;

    use super::*;
    use crate::{
        plan::{FunctionOutline, validate},
        spec::Defaults,
    };

    fn checked(max_in_flight: u32, allowed: u64) -> Option<String> {
        checked_with(None, max_in_flight, allowed)
    }

    fn checked_with(body: Option<String>, max_in_flight: u32, allowed: u64) -> Option<String> {
        let mode = Some(v1::run_spec::Mode::Rps(v1::RpsMode { end: Some(1.0), ..v1::RpsMode::default() }));
        let function = body.map(|body| v1::FunctionSpec {
            protocol: "http2".to_owned(),
            http: Some(v1::HttpRequest { body, ..v1::HttpRequest::default() }),
            ..v1::FunctionSpec::default()
        });
        let message = v1::RunSpec { max_in_flight: Some(max_in_flight), mode, function, ..v1::RunSpec::default() };
        let request = validate(&message, &Defaults { platform: "local".to_owned() }).expect("is valid");
        check(&request.run, allowed).map(|violation| violation.to_string())
    }

    #[test]
    fn invocations_in_flight_are_bounded_by_the_memory() {
        let rule =
            "maxInFlight: is 4294967295; must be at most 524288, which take half of the daemon's memory of 8192 MiB";
        assert_eq!(checked(u32::MAX, 8 << 30), Some(rule.to_owned()));
        assert_eq!(checked(524_288, 8 << 30), None);
        assert!(checked(524_289, 8 << 30).is_some());
        assert_eq!(checked(100_000, 0), None, "the default is always allowed");
    }

    #[test]
    fn bodies_that_differ_by_invocation_take_memory_each() {
        let body = |text: &str, bytes: usize| Some(format!("{text}{}", "x".repeat(bytes)));
        // 120 KiB beside the rest: 8 GiB / 2 / 128 KiB.
        let long = || body("{runtime_ms}", (120 + 3) << 10);
        assert_eq!(checked_with(long(), 32_768, 8 << 30), None);
        let refused = checked_with(long(), 32_769, 8 << 30).expect("is refused");
        assert!(refused.contains("must be at most 32768, "), "{refused}");
        // What is always allowed takes as much memory as without bodies.
        assert!(checked_with(long(), 6_250, 0).is_none() && checked_with(long(), 6_251, 0).is_some());
        // One body for all, and a short one.
        assert_eq!(checked_with(body("{function}", 120 << 10), 100_000, 0), None);
        assert_eq!(checked_with(body("{runtime_ms}", 3 << 10), 100_000, 0), None);
    }

    #[test]
    fn the_least_limit_of_a_groups_ancestors_counts() {
        let root = tempfile::tempdir().expect("a directory");
        let group = Path::new("system.slice/loaderd.service");
        fs::create_dir_all(root.path().join(group)).expect("makes");
        assert_eq!(group_limit(root.path(), group), None);
        fs::write(root.path().join(group).join("memory.max"), "max\n").expect("writes");
        fs::write(root.path().join("system.slice/memory.max"), "4096\n").expect("writes");
        assert_eq!(group_limit(root.path(), group), Some(4096));
        fs::write(root.path().join(group).join("memory.max"), "1024\n").expect("writes");
        assert_eq!(group_limit(root.path(), group), Some(1024));
        assert!(allowed() > 0);
    }

    #[test]
    fn a_bound_below_every_invocation_is_refused() {
        let with = |bound| {
            let mode =
                Some(v1::run_spec::Mode::Burst(v1::BurstMode { memory_mib: Some(170), ..v1::BurstMode::default() }));
            let message = v1::RunSpec { max_memory_in_flight: bound, mode, ..v1::RunSpec::default() };
            let request = validate(&message, &Defaults { platform: "local".to_owned() }).expect("is valid");
            let plan = request.plan(None).expect("is a plan");
            check_bound(request.run.max_memory_in_flight_mib, plan.functions(), &plan.outline())
        };
        let refused = with(Some(169)).map(|violation| violation.to_string());
        let why = "maxMemoryInFlight: is 169 MiB; each invocation asks for 170 MiB or more, so that none would be sent";
        assert_eq!(refused.as_deref(), Some(why));
        assert_eq!((with(Some(170)), with(None)), (None, None));
    }

    #[test]
    fn functions_whose_memory_varies_may_be_sent_now_and_then() {
        let with = |mean_memory_mib| {
            let outline = FunctionOutline { invocations: 1, mean_runtime: Duration::ZERO, mean_memory_mib };
            let outline = Outline { functions: vec![outline], ..Outline::default() };
            let planned = PlannedFunction {
                name: "f".to_owned(),
                source_id: String::new(),
                trigger: String::new(),
                initial_scale: 0,
                invocations: None,
                peak_memory_mib: 200,
            };
            check_bound(Some(100), &[planned], &outline).is_some()
        };
        assert_eq!((with(150.0), with(200.0)), (false, true));
    }
}
