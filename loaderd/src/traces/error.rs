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
        /// Its size.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// The store is full.
    #[error("the daemon has reached its limit of {most} traces (traces.max_uploads)")]
    TooMany {
        /// The limit.
        most: usize,
    },
    /// The client has too many traces.
    #[error("{client} has reached the limit of {most} traces of one client (traces.max_uploads_per_client)")]
    TooManyOfClient {
        /// The client.
        client: String,
        /// The limit.
        most: usize,
    },
    /// Another client sends the same trace.
    #[error("another client is uploading this trace: try again when it has ended")]
    UnderWay,
    /// A file cannot be written or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}
