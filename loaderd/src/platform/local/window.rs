//! HTTP/2 flow-control windows of the gateway's connections, to clients and to instances.

/// HTTP/2 window of a stream, in bytes, as Envoy's.
pub(super) const STREAM_WINDOW: u32 = 16 * 1024 * 1024;
/// HTTP/2 window of a connection, in bytes. h2 ends a connection on which many small responses sit unread, unless its
/// window is large.
pub(super) const CONNECTION_WINDOW: u32 = 64 * 1024 * 1024;
