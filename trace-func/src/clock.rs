//! The only reader of the operating system's clocks.

use std::time::Duration;

use tokio::time::Instant;

/// The monotonic clock, by which run times are measured.
#[expect(clippy::disallowed_methods, reason = "this is the one place that may read it")]
pub fn now() -> Instant {
    Instant::now()
}

/// The wall clock as the time since the Unix epoch; zero when it is set before that.
#[expect(clippy::disallowed_types, reason = "this is the one place that may read it")]
pub fn since_unix_epoch() -> Duration {
    use std::time::SystemTime;
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// CPU time that the calling thread has consumed.
pub fn thread_cpu() -> Duration {
    // It fails for clocks only that the kernel does not have, and it has had this one since 2.6.12.
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}
