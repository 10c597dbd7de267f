//! Why a trace is not stored.

use std::{io, path::PathBuf};

use crate::spec::Violation;

/// Why a trace is not stored.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The manifest or the content is invalid.
    #[error("invalid trace")]
    Invalid(Vec<Violation>),
    /// The trace is above the limit.
    #[error("the trace has {bytes} bytes; the limit is {most} (traces.max_upload_mib)")]
    TooLarge {
        /// Size of the trace, in bytes.
        bytes: u64,
        /// Maximum size of a trace, in bytes.
        most: u64,
    },
    /// The store is full.
    #[error("the daemon has reached its limit of {most} traces (traces.max_uploads)")]
    TooMany {
        /// Maximum number of traces in the store.
        most: usize,
    },
    /// The client has too many traces.
    #[error("{client} has reached the limit of {most} traces of one client (traces.max_uploads_per_client)")]
    TooManyOfClient {
        /// The name of the client.
        client: String,
        /// Maximum number of traces of one client.
        most: usize,
    },
    /// Another client sends the same trace.
    #[error("another client is uploading this trace: try again when it has ended")]
    UnderWay,
    /// A file cannot be written or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}
