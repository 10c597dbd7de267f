//! What an export consists of: pieces of files, in the order in which they are sent.

use std::{io, ops::ControlFlow, path::PathBuf};

use super::reader::ReadError;

/// Results that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file or directory cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The path of the file or directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The records cannot be read.
    #[error(transparent)]
    Records(#[from] ReadError),
    /// A row of another file cannot be read or converted.
    #[error("{}: {source}", path.display())]
    Rows {
        /// The path of the file.
        path: PathBuf,
        /// Why the row can't be read or converted.
        source: csv::Error,
    },
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The file's name, without any folder.
    pub file: String,
    /// Its next bytes; none only for an empty file.
    pub data: Vec<u8>,
}

/// Takes the pieces; breaks when it wants no more.
pub type Sink<'a> = dyn FnMut(Piece) -> ControlFlow<()> + 'a;
