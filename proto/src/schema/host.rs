//! loader.csv.

use super::{Fixed, table::table};

table! {
    /// One row per second: the host of the loader while the load is sent.
    HostSamples in "loader.csv", row HostRecord {
        /// When the sample was taken.
        unix_us: i64 [UnixMicros],
        /// CPU time of the daemon, as a share of all cores.
        #[absent = "when the host could not be sampled"]
        cpu_ratio: Option<Fixed<4>> [Ratio],
        /// Resident memory of the daemon.
        #[absent = "when the host could not be sampled"]
        rss_mib: Option<Fixed<4>> [Mib],
        /// CPU time of all processes, as a share of all cores.
        #[absent = "when the host could not be sampled"]
        host_cpu_ratio: Option<Fixed<4>> [Ratio],
        /// Memory in use on the host, as a share of all its memory.
        #[absent = "when the host could not be sampled"]
        host_memory_ratio: Option<Fixed<4>> [Ratio],
        /// Invocations in flight.
        in_flight: u64,
        /// Open connections to functions.
        open_connections: u64,
        /// Rows that wait to be written.
        records_queued: u64,
    }
}
