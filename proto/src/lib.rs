//! The control API ([`v1`]) and the function protocol ([`faas`]): generated types and stubs. And the [`schema`] of the records
//! that runs leave.
//!
//! Text from elsewhere is made [`visible`] where it is shown.
//!
//! With the feature `json`, [`json`] reads and writes messages in their JSON and YAML form.

pub mod codec;
#[cfg(feature = "json")]
pub mod json;
pub mod schema;
pub mod visible;

/// The control API, `loader.v1`.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated code"
)]
pub mod v1 {
    tonic::include_proto!("loader.v1");
}

/// The work of a run's workers, `loader.worker.v1`: what a daemon and its workers say to each other.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated code"
)]
pub mod worker {
    tonic::include_proto!("loader.worker.v1");
}

/// The function protocol, `faas`.
#[expect(clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated code")]
pub mod faas {
    tonic::include_proto!("faas");
}

/// The greeter of vSwarm's functions, `helloworld`.
#[expect(clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated code")]
pub mod helloworld {
    tonic::include_proto!("helloworld");
}

/// What functions speak, an encoded `google.protobuf.FileDescriptorSet`, for their reflection.
pub const FUNCTION_DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/functions.bin"));

/// The compiled protobuf files, an encoded `google.protobuf.FileDescriptorSet`, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Names of the metadata that goes with the function protocol.
pub mod metadata {
    /// Of a request: the clock by which the run time is counted, `wall` or `cpu`.
    pub const CLOCK: &str = "loader-clock";
    /// Of a request: the exact run time, in whole microseconds. It replaces the message's field, which counts milliseconds.
    pub const RUNTIME: &str = "loader-runtime-us";
    /// Of an answer: `true` where the exact run time of the request was taken as its run time; else absent.
    pub const RUNTIME_EXACT: &str = "loader-runtime-exact";
    /// Of an answer: the time from receipt to the end of the work, in microseconds.
    pub const WALL_TIME: &str = "loader-wall-us";
    /// Of an answer: the CPU time that the invocation's thread consumed, in microseconds.
    pub const CPU_TIME: &str = "loader-cpu-us";
    /// Of an answer: how long taking the memory took, in microseconds; it is part of the run time.
    pub const ALLOCATION_TIME: &str = "loader-allocation-us";
    /// Of an answer over plain HTTP: resident memory of the process when the work ended, in KiB.
    pub const MEMORY: &str = "loader-memory-kib";
    /// Of a refusal: what the function lacked; [`LACKS_MEMORY`] is its only value.
    pub const LACKS: &str = "loader-lacks";
    /// The memory that was requested is unavailable.
    pub const LACKS_MEMORY: &str = "memory";
    /// An id of the instance.
    pub const INSTANCE: &str = "loader-instance";
    /// `true` when this was the first invocation that the instance took, else `false`.
    pub const FIRST_INVOCATION: &str = "loader-first-invocation";
    /// When the instance started, in microseconds since the Unix epoch.
    pub const INSTANCE_STARTED: &str = "loader-instance-started-unix-us";
}
