//! Lines of a file, handed on in pieces.

use std::{mem, ops::ControlFlow, path::PathBuf};

use serde::Serialize;

use crate::results::piece::{ExportError, Piece, Sink};

/// Bytes from which on a piece is sent.
const PIECE: usize = 1 << 18;

/// Whether the sink wants more.
pub(super) type Wanted = Result<ControlFlow<()>, ExportError>;

/// Writes one file.
pub(super) struct Pieces<'s, 'f> {
    file: String,
    data: Vec<u8>,
    begun: bool,
    sink: &'s mut Sink<'f>,
}

impl<'s, 'f> Pieces<'s, 'f> {
    /// Begins a file of JSON, one object a line.
    pub(super) fn new(file: String, sink: &'s mut Sink<'f>) -> Self {
        Self { file, data: Vec::new(), begun: false, sink }
    }

    /// Begins a CSV file with its header.
    pub(super) fn with_header(file: String, header: &[&str], sink: &'s mut Sink<'f>) -> Self {
        let mut pieces = Self::new(file, sink);
        pieces.data.extend_from_slice(header.join(",").as_bytes());
        pieces.data.push(b'\n');
        pieces
    }

    /// Writes a row of CSV.
    pub(super) fn row(&mut self, row: impl Serialize) -> Wanted {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(mem::take(&mut self.data));
        let written = writer.serialize(row);
        self.data = writer.into_inner().map_err(|error| self.failed(error.into_error().into()))?;
        written.map_err(|source| self.failed(source))?;
        self.sent_if_full()
    }

    /// Writes a JSON object.
    pub(super) fn object(&mut self, object: impl Serialize) -> Wanted {
        serde_json::to_writer(&mut self.data, &object)
            .map_err(|source| self.failed(csv::Error::from(std::io::Error::from(source))))?;
        self.data.push(b'\n');
        self.sent_if_full()
    }

    /// Sends what is left; of an empty file a piece without data.
    pub(super) fn finish(mut self) -> ControlFlow<()> {
        if self.begun && self.data.is_empty() { ControlFlow::Continue(()) } else { self.send() }
    }

    fn sent_if_full(&mut self) -> Wanted {
        Ok(if self.data.len() < PIECE { ControlFlow::Continue(()) } else { self.send() })
    }

    fn send(&mut self) -> ControlFlow<()> {
        self.begun = true;
        (self.sink)(Piece { file: self.file.clone(), data: mem::take(&mut self.data) })
    }

    fn failed(&self, source: csv::Error) -> ExportError {
        ExportError::Rows { path: PathBuf::from(&self.file), source }
    }
}
