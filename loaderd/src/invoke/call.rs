//! The request of one invocation, whatever its protocol.

use std::time::Duration;

use crate::spans;

/// What one invocation requests, and its timeouts.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Run time as the request's own field has it, in milliseconds.
    pub runtime_ms: u32,
    /// The exact run time in microseconds, which goes along as metadata; absent: the milliseconds are exact.
    pub exact_runtime_us: Option<u32>,
    /// Memory to ask for, in MiB.
    pub memory_mib: u32,
    /// The clock by which the function measures the run time; absent: its own choice.
    pub clock: Option<&'static str>,
    /// The span that the function's work belongs to, if spans are exported.
    pub span: Option<spans::Context>,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long the answer may take, counted from the send.
    pub function_timeout: Duration,
}
