//! The request of one invocation, whatever its protocol.

use std::time::Duration;

use crate::spans;

/// What one invocation asks for, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Run time, in milliseconds.
    pub runtime_ms: u32,
    /// Memory, in MiB.
    pub memory_mib: u32,
    /// The clock that the function shall count the run time by; absent: its own choice.
    pub clock: Option<&'static str>,
    /// The span that the function's work belongs to, where there is one.
    pub span: Option<spans::Context>,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long the answer may take, counted from the send.
    pub function_timeout: Duration,
}
