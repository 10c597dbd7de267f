//! Platforms that run in this process, at least in part.

/// The resources of the platform's part of this process.
pub trait Embedded: Send + Sync {
    /// Open files that it needs for so many instances and so many connections to functions.
    fn open_files(&self, instances: u64, connections: u64) -> u64;
}
