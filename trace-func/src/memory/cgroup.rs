//! Memory limits of control groups, version 2 and version 1.
//!
//! A process may use what every group on the way from its own to the root leaves free: the limit less what the group
//! uses, and what the kernel would reclaim (clean and dirty file pages) before it kills.

use std::path::{Path, PathBuf};

use procfs::{FromBufRead as _, ProcessCGroups};

use super::kernel::read;

/// Where control groups are mounted.
pub(super) const ROOT: &str = "/sys/fs/cgroup";

/// Version 1 has no word for "no limit" but the largest number of whole pages; no machine has as much as this.
const UNLIMITED_FROM: u64 = 1 << 62;

/// How a version names its files and figures.
#[derive(Debug, PartialEq, Eq)]
struct Names {
    limit: &'static str,
    usage: &'static str,
    reclaimable: &'static [&'static str],
}

const V1: Names = Names {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    reclaimable: &["total_inactive_file", "total_active_file"],
};

const V2: Names = Names {
    limit: "memory.max",
    usage: "memory.current",
    reclaimable: &["inactive_file", "active_file", "slab_reclaimable"],
};

/// A control group that may have a memory limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    dir: PathBuf,
    names: &'static Names,
}

impl Group {
    /// What the group leaves free, in bytes; `None` where it has no limit or does not exist.
    pub(super) fn free(&self) -> Option<u64> {
        let limit = parse_limit(&read(self.dir.join(self.names.limit))?)?;
        let usage = read(self.dir.join(self.names.usage))?.trim().parse().ok()?;
        let stat = read(self.dir.join("memory.stat")).unwrap_or_default();
        Some(left(limit, usage, reclaimable(&stat, self.names)))
    }
}

/// The groups that bound a process, from its own up to the root, given its `/proc/<pid>/cgroup`.
///
/// Inside a container the path may be one of the host's, of which only the root is visible; so groups that don't exist
/// are part of the answer, and no bound.
pub(super) fn groups(text: &str, root: &Path) -> Vec<Group> {
    let Ok(ProcessCGroups(lines)) = ProcessCGroups::from_buf_read(text.as_bytes()) else {
        return Vec::new();
    };
    let mut groups = Vec::new();
    for line in lines {
        let (mount, names) = match line.controllers.as_slice() {
            [] => (root.to_owned(), &V2),
            controllers if controllers.iter().any(|name| name == "memory") => (root.join("memory"), &V1),
            _ => continue,
        };
        for path in Path::new(line.pathname.trim_start_matches('/')).ancestors() {
            groups.push(Group { dir: mount.join(path), names });
        }
    }
    groups
}

/// A limit in bytes; `None` for none.
fn parse_limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|limit| *limit < UNLIMITED_FROM)
}

/// Bytes that the kernel would take back before it runs out, by the group's `memory.stat`.
fn reclaimable(stat: &str, names: &Names) -> u64 {
    let figures = stat.lines().filter_map(|line| line.split_once(' '));
    figures
        .filter(|(name, _)| names.reclaimable.contains(name))
        .filter_map(|(_, bytes)| bytes.trim().parse::<u64>().ok())
        .fold(0, u64::saturating_add)
}

fn left(limit: u64, usage: u64, reclaimable: u64) -> u64 {
    limit.saturating_sub(usage.saturating_sub(reclaimable))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn limits_of_both_versions_are_read() {
        for (text, expected) in [
            ("max\n", None),
            ("134217728\n", Some(134_217_728)),
            ("0\n", Some(0)),
            // Version 1's "unlimited", with pages of 4 KiB and of 64 KiB.
            ("9223372036854771712\n", None),
            ("9223372036854710272\n", None),
            ("", None),
            ("garbage\n", None),
        ] {
            assert_eq!(parse_limit(text), expected, "{text:?}");
        }
    }

    #[test]
    fn reclaimable_figures_are_those_of_the_version() {
        let stat = "anon 1\nfile 2\ninactive_file 10\nactive_file 20\nslab_reclaimable 40\nslab 80\n\
            total_inactive_file 100\ntotal_active_file 200\n";
        assert_eq!(reclaimable(stat, &V2), 70);
        assert_eq!(reclaimable(stat, &V1), 300);
        assert_eq!(reclaimable("", &V2), 0);
    }

    #[test]
    fn what_is_left_never_goes_below_zero_nor_above_the_limit() {
        for ((limit, usage, reclaimable), expected) in
            [((100, 40, 0), 60), ((100, 40, 30), 90), ((100, 40, 50), 100), ((100, 120, 0), 0)]
        {
            assert_eq!(left(limit, usage, reclaimable), expected);
        }
    }

    #[test]
    fn a_process_is_bound_by_its_own_groups_and_those_above() {
        let dirs = |text| -> Vec<_> {
            groups(text, Path::new("/r")).into_iter().map(|group| (group.dir, group.names.limit)).collect()
        };
        let of = |dir: &str, names: &Names| (PathBuf::from(dir), names.limit);
        assert_eq!(dirs("0::/\n"), [of("/r/", &V2)]);
        assert_eq!(dirs("0::/a/b\n"), [of("/r/a/b", &V2), of("/r/a", &V2), of("/r", &V2)]);
        assert_eq!(
            dirs("5:cpu,cpuacct:/x\n4:memory:/docker/1\n0::/\n"),
            [of("/r/memory/docker/1", &V1), of("/r/memory/docker", &V1), of("/r/memory", &V1), of("/r", &V2)]
        );
        assert_eq!(dirs("garbage"), []);
    }

    #[test]
    fn a_group_without_files_is_no_bound_and_one_with_them_is() {
        let dir = tempfile::tempdir().unwrap();
        let group = Group { dir: dir.path().to_owned(), names: &V2 };
        assert_eq!(group.free(), None);
        fs::write(dir.path().join("memory.max"), "1000\n").unwrap();
        fs::write(dir.path().join("memory.current"), "600\n").unwrap();
        assert_eq!(group.free(), Some(400));
        fs::write(dir.path().join("memory.stat"), "anon 500\ninactive_file 50\nactive_file 25\n").unwrap();
        assert_eq!(group.free(), Some(475));
    }
}
