//! The control API ([`v1`]) and the function protocol ([`faas`]): generated types and stubs.
//!
//! With the feature `json`, [`json`] reads and writes messages in their JSON and YAML form.

#[cfg(feature = "json")]
pub mod json;

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

/// The function protocol, `faas`.
#[expect(clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated code")]
pub mod faas {
    tonic::include_proto!("faas");
}

/// The compiled protobuf files, an encoded `google.protobuf.FileDescriptorSet`, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Names of the response metadata by which a function says which instance answered.
pub mod metadata {
    /// An id of the instance.
    pub const INSTANCE: &str = "loader-instance";
    /// `true` when this was the first invocation that the instance took, else `false`.
    pub const FIRST_INVOCATION: &str = "loader-first-invocation";
    /// When the instance started, in microseconds since the Unix epoch.
    pub const INSTANCE_STARTED: &str = "loader-instance-started-unix-us";
}
