//! What is wrong with a header block.

/// A block that is none: the two ends disagree on what follows, so the connection can't go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a header block is malformed: {0}")]
pub(in crate::invoke::transport::http2) struct Malformed(pub(super) &'static str);
