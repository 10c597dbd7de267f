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
const BYTES_IN_FLIGHT: u64 = 8 << 10;

/// Invocations in flight that are always allowed: the default of `maxInFlight`.
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
    let most = (allowed / 2 / BYTES_IN_FLIGHT).max(ALWAYS_ALLOWED);
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
        let mode = Some(v1::run_spec::Mode::Rps(v1::RpsMode { end: Some(1.0), ..v1::RpsMode::default() }));
        let message = v1::RunSpec { max_in_flight: Some(max_in_flight), mode, ..v1::RunSpec::default() };
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
