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
    #[error(
        "the daemon has reached its limit of {most} traces (traces.max_uploads): `loaderctl trace list` shows them, `delete` removes one"
    )]
    TooMany {
        /// Maximum number of traces in the store.
        most: usize,
    },
    /// The client has too many traces.
    #[error(
        "{client} has reached the limit of {most} traces of one client (traces.max_uploads_per_client): `loaderctl trace list` shows them, `delete` removes one"
    )]
    TooManyOfClient {
        /// The name of the client.
        client: String,
        /// Maximum number of traces of one client.
        most: usize,
    },
    /// The traces are too large together.
    #[error(
        "the daemon's traces would exceed {most} bytes (traces.max_mib): `loaderctl trace list` shows them, `delete` removes one"
    )]
    Full {
        /// Maximum size of all traces, in bytes.
        most: u64,
    },
    /// The client's traces are too large together.
    #[error(
        "the traces of {client} would exceed {most} bytes (traces.max_mib_per_client): `loaderctl trace list` shows them, `delete` removes one"
    )]
    FullOfClient {
        /// The name of the client.
        client: String,
        /// Maximum size of the traces of one client, in bytes.
        most: u64,
    },
    /// A file cannot be written or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// Why a trace is not removed.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// It is not stored.
    #[error("there is no trace {0}")]
    NotFound(String),
    /// A client is sending it.
    #[error("a client is uploading this trace: try again when it has ended")]
    UnderWay,
    /// Its directory can't be removed; the log says why.
    #[error("the trace could not be removed: see the daemon's log")]
    NotRemoved,
}
