//! How much memory the process can still allocate.

use std::{fmt, path::Path};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use procfs::{FromBufRead as _, FromRead as _, Meminfo, process::StatM};

use super::{
    cgroup::{self, Group},
    kernel::read,
};

/// What limits the process's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The memory limit of the process's control group, or of one above it.
    CgroupLimit,
    /// What the host has available.
    Host,
    /// The process's limit on its address space, `ulimit -v`.
    AddressSpace,
    /// No limit is known.
    Unknown,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CgroupLimit => "the memory limit of the control group",
            Self::Host => "the memory available on the host",
            Self::AddressSpace => "the limit on the address space (ulimit -v)",
            Self::Unknown => "unknown",
        })
    }
}

/// What can still be allocated, and what limits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    /// Bytes that can still be allocated.
    pub bytes: u64,
    /// The limit that leaves the least memory.
    pub bound: Bound,
}

/// The limits on the process's memory.
pub trait Limits: fmt::Debug + Send + Sync {
    /// What can be allocated at this moment, by the tightest limit.
    fn free(&self) -> Free;
}

/// The limits that the kernel sets for this process.
#[derive(Debug)]
pub struct SystemLimits {
    groups: Vec<Group>,
}

impl SystemLimits {
    /// Finds the control groups that bound this process. Where they cannot be read, they set no limit.
    pub fn of_this_process() -> Self {
        let groups = read("/proc/self/cgroup").map(|text| cgroup::groups(&text, Path::new(cgroup::ROOT)));
        Self { groups: groups.unwrap_or_default() }
    }
}

impl Limits for SystemLimits {
    fn free(&self) -> Free {
        let groups = self.groups.iter().filter_map(|group| Some((group.free()?, Bound::CgroupLimit)));
        let host = read("/proc/meminfo").and_then(|text| available(&text)).map(|bytes| (bytes, Bound::Host));
        let space = address_space_left().map(|bytes| (bytes, Bound::AddressSpace));
        tightest(groups.chain(host).chain(space))
    }
}

fn tightest(bounds: impl Iterator<Item = (u64, Bound)>) -> Free {
    let (bytes, bound) = bounds.min_by_key(|(bytes, _)| *bytes).unwrap_or((u64::MAX, Bound::Unknown));
    Free { bytes, bound }
}

/// `MemAvailable` of `/proc/meminfo`, in bytes: free memory and what the kernel can reclaim without swapping.
fn available(meminfo: &str) -> Option<u64> {
    Meminfo::from_buf_read(meminfo.as_bytes()).ok()?.mem_available
}

/// What `RLIMIT_AS` leaves, in bytes; `None` where there is no such limit.
fn address_space_left() -> Option<u64> {
    let (limit, _) = getrlimit(Resource::RLIMIT_AS).ok().filter(|(soft, _)| *soft != RLIM_INFINITY)?;
    let statm = StatM::from_read(read("/proc/self/statm")?.as_bytes()).ok()?;
    Some(limit.saturating_sub(statm.size * procfs::page_size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_in_bytes() {
        let rest = "Buffers: 0 kB\nCached: 0 kB\nSwapCached: 0 kB\nActive: 0 kB\nInactive: 0 kB\nSwapTotal: 0 kB\n\
            SwapFree: 0 kB\nDirty: 0 kB\nWriteback: 0 kB\nMapped: 0 kB\nSlab: 0 kB\nCommitted_AS: 0 kB\n\
            VmallocTotal: 0 kB\nVmallocUsed: 0 kB\nVmallocChunk: 0 kB\n";
        for (lines, expected) in [
            ("MemTotal: 2048 kB\nMemFree: 512 kB\nMemAvailable: 1024 kB\n", Some(1 << 20)),
            ("MemTotal: 2048 kB\nMemFree: 512 kB\n", None),
            ("no such thing", None),
        ] {
            assert_eq!(available(&format!("{lines}{rest}")), expected, "{lines}");
        }
    }

    #[test]
    fn the_tightest_bound_counts() {
        let bounds = [(5, Bound::Host), (3, Bound::CgroupLimit), (4, Bound::AddressSpace)];
        assert_eq!(tightest(bounds.into_iter()), Free { bytes: 3, bound: Bound::CgroupLimit });
        assert_eq!(tightest([].into_iter()), Free { bytes: u64::MAX, bound: Bound::Unknown });
    }

    #[test]
    fn this_process_is_bounded_by_something_known() {
        let free = SystemLimits::of_this_process().free();
        assert_ne!(free.bound, Bound::Unknown);
        assert!(free.bytes > 0);
    }
}
