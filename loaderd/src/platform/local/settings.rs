//! The settings of the local platform.

use std::{net::SocketAddr, path::PathBuf, thread::available_parallelism, time::Duration};

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Instances for each core, at most, unless set otherwise.
const INSTANCES_PER_CORE: usize = 8;
const MIB: u64 = 1024 * 1024;

/// The local platform's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where the gateway listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The `trace-func` program; a bare name is looked up in `PATH`.
    pub trace_func: PathBuf,
    /// Most instances of all functions together.
    pub max_instances: u32,
    /// The share of the host's memory that instances may use together, from 0 to 1.
    pub memory_ratio: f64,
    /// How long an idle instance is kept, for functions without a stable window of their own.
    pub stable_window: Duration,
    /// Maximum time until an instance can be called.
    pub start_timeout: Duration,
    /// How long an instance that is stopped may take before it is killed.
    pub stop_grace: Duration,
    /// Maximum time of a call until its response begins, its wait for an instance included.
    pub request_timeout: Duration,
}

impl Default for Settings {
    /// The request timeout is Knative's. Its stable window would be 60 s.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            trace_func: PathBuf::from("trace-func"),
            max_instances: crate::units::to_u32(cores * INSTANCES_PER_CORE),
            memory_ratio: 0.8,
            stable_window: Duration::from_secs(30),
            start_timeout: Duration::from_secs(10),
            stop_grace: Duration::from_secs(5),
            request_timeout: Duration::from_secs(300),
        }
    }
}

impl Settings {
    /// The memory that instances may use together on this host, in MiB.
    pub(super) fn memory_mib(&self) -> Result<u32, sysinfo::Error> {
        let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
        Ok(share_mib(System::new_with_specifics(memory)?.total_memory(), self.memory_ratio))
    }
}

/// `ratio` of `bytes`, in whole MiB.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative; `as` saturates, as intended"
)]
fn share_mib(bytes: u64, ratio: f64) -> u32 {
    ((bytes / MIB) as f64 * ratio.clamp(0.0, 1.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_memory_is_in_whole_mib_and_at_most_all_of_it() {
        for (mib, ratio, share) in
            [(1000, 0.8, 800), (1001, 0.8, 800), (1000, 0.0, 0), (1000, -1.0, 0), (1000, 3.0, 1000), (0, 0.8, 0)]
        {
            assert_eq!(share_mib(mib * MIB + 17, ratio), share, "{ratio} of {mib} MiB");
        }
    }

    #[test]
    fn this_host_has_memory() {
        assert!(Settings::default().memory_mib().unwrap() > 0);
    }
}
