//! What the server keeps of each request.

use std::{fs, io, path::Path};

/// One request as the server saw it. Times are nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Number of the connection, from 0 in order of acceptance.
    pub connection: usize,
    /// Id of the stream.
    pub stream: u32,
    /// The kernel's receive stamp of the bytes that ended its HEADERS frame.
    pub arrived_unix_ns: i64,
    /// Just before its answer was written; absent when it got none.
    pub answered_unix_ns: Option<i64>,
    /// Streams of the connection that were open at its arrival, itself included.
    pub open: usize,
    /// The limit of streams that the peer had acknowledged by then; absent when it had acknowledged none.
    pub limit: Option<u32>,
    /// The run time that it asked for; 0 until its body has arrived.
    pub runtime_ms: u32,
    /// Whether its answer was an error.
    pub refused: bool,
}

impl Request {
    /// Whether it broke the limit of streams.
    pub fn breaks_limit(&self) -> bool {
        self.limit.is_some_and(|limit| self.open > limit as usize)
    }
}

/// Writes requests as CSV, one a line.
///
/// # Errors
/// When the file can't be written.
pub fn write_csv(path: &Path, requests: &[Request]) -> io::Result<()> {
    let optional = |value: Option<i64>| value.map_or_else(String::new, |value| value.to_string());
    let mut text = "connection,stream,arrived_unix_ns,answered_unix_ns,open,limit,runtime_ms,refused\n".to_owned();
    for it in requests {
        let (answered, limit) = (optional(it.answered_unix_ns), optional(it.limit.map(i64::from)));
        let (connection, stream, arrived, open, runtime) =
            (it.connection, it.stream, it.arrived_unix_ns, it.open, it.runtime_ms);
        let refused = it.refused;
        text += &format!("{connection},{stream},{arrived},{answered},{open},{limit},{runtime},{refused}\n");
    }
    fs::write(path, text)
}
