//! What has come, and what has not come as a whole.

use tokio::time::Instant;

use crate::invoke::transport::http2::hpack::Decoder;

/// The side that reads.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// A frame that has not come as a whole.
    pub(super) partial: Vec<u8>,
    pub(super) decoder: Decoder,
    /// A block that has not come as a whole.
    pub(super) block: Option<Block>,
    /// Bytes of the connection's window that have not been given back.
    pub(super) taken: u32,
    /// When what is being read had arrived.
    pub(super) arrived: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) stream: u32,
    pub(super) ends: bool,
    pub(super) bytes: Vec<u8>,
}
