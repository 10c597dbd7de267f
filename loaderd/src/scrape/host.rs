//! The loader's host: use by the daemon, and in total.

use std::time::Duration;

use procfs::CurrentSI as _;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};
use tokio::time::Instant;

/// A sample could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeError {
    /// This process could not be sampled.
    #[error("cannot read this process in /proc: {0}")]
    Own(#[from] procfs::ProcError),
    /// The host could not be sampled.
    #[error("cannot read the host's processors and memory: {0}")]
    Host(#[from] sysinfo::Error),
}

/// Use of the host since the previous sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostSample {
    /// The daemon's share of all processors' time, from 0 to 1.
    pub cpu_ratio: f64,
    /// The daemon's memory, in MiB.
    pub rss_mib: f64,
    /// The busy share of all processors' time, from 0 to 1.
    pub host_cpu_ratio: f64,
    /// The used share of the host's memory, from 0 to 1.
    pub host_memory_ratio: f64,
}

/// Takes samples of the host and of this process.
pub struct HostScraper {
    system: System,
    cores: f64,
    before: (Instant, Duration),
}

impl HostScraper {
    /// Starts at `now`, from where the first sample measures.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn new(now: Instant) -> Result<Self, ScrapeError> {
        let mut system = System::new_with_specifics(Self::refreshed())?;
        system.refresh_cpu_usage();
        Ok(Self { system, cores: cores()? as f64, before: (now, process_usage()?.0) })
    }

    fn refreshed() -> RefreshKind {
        let cpu = CpuRefreshKind::nothing().with_usage();
        RefreshKind::nothing().with_cpu(cpu).with_memory(MemoryRefreshKind::nothing().with_ram())
    }

    /// A sample of the time since the previous one.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn sample(&mut self, now: Instant) -> Result<HostSample, ScrapeError> {
        self.system.refresh_specifics(Self::refreshed());
        let (cpu, rss_bytes) = process_usage()?;
        let (then, cpu_then) = std::mem::replace(&mut self.before, (now, cpu));
        let elapsed = now.saturating_duration_since(then).as_secs_f64() * self.cores;
        let used = cpu.saturating_sub(cpu_then).as_secs_f64();
        Ok(HostSample {
            cpu_ratio: ratio(used, elapsed),
            rss_mib: rss_bytes as f64 / f64::from(1 << 20),
            host_cpu_ratio: f64::from(self.system.global_cpu_usage()) / 100.0,
            host_memory_ratio: ratio(self.system.used_memory() as f64, self.system.total_memory() as f64),
        })
    }
}

/// The number of processors of the host, regardless of this thread's affinity.
///
/// # Errors
/// `/proc` cannot be read.
pub fn cores() -> Result<usize, procfs::ProcError> {
    Ok(procfs::KernelStats::current()?.cpu_time.len())
}

/// `part / whole`; zero if `whole` is.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Processor time and resident bytes of this process.
fn process_usage() -> Result<(Duration, u64), ScrapeError> {
    let stat = procfs::process::Process::myself()?.stat()?;
    let seconds = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
    Ok((Duration::from_secs_f64(seconds), stat.rss * procfs::page_size()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn cores_are_those_of_the_host_regardless_of_affinity() {
        let confined = std::thread::spawn(|| {
            let mut one = nix::sched::CpuSet::new();
            one.set(0).expect("in range");
            // If it is not allowed, the affinity is not restricted.
            let _confined = nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &one);
            cores().expect("reads /proc")
        });
        let text = std::fs::read_to_string("/proc/stat").expect("reads");
        let listed = text.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count();
        assert_eq!(confined.join().expect("ends"), listed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sample_is_of_the_time_since_the_previous_one() {
        let begin = Clock.now();
        let mut scraper = HostScraper::new(begin).expect("reads /proc");
        // Spin until this process has used processor time that the kernel shows.
        let (used, _) = process_usage().expect("reads /proc");
        while process_usage().expect("reads /proc").0 < used + Duration::from_millis(50) {}
        let sample = scraper.sample(begin + Duration::from_secs(1)).expect("samples");
        let cores = cores().expect("reads /proc") as f64;
        assert!(sample.cpu_ratio >= 0.05 / cores, "{sample:?}");
        assert!(sample.rss_mib > 1.0, "{sample:?}");
        assert!(sample.host_memory_ratio > 0.0 && sample.host_memory_ratio < 1.0, "{sample:?}");
        assert!((0.0..=1.0).contains(&sample.host_cpu_ratio), "{sample:?}");
    }
}
