//! Reads the records of a run: invocations.csv while it grows, and what became of it when the run was over.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use csv::{ReaderBuilder, StringRecord};
use flate2::read::MultiGzDecoder;
use loader_proto::schema::{FieldError, InvocationRecord, Invocations, Positions};

use super::{columns::ColumnReader, table::RowScan};

/// The records as they are written.
pub(super) const CSV: &str = "invocations.csv";
/// The same, compressed with gzip.
pub(super) const GZIPPED: &str = "invocations.csv.gz";
/// The same, in columns.
pub(super) const PARQUET: &str = "invocations.parquet";

/// Bytes that are read at once.
const PIECE: usize = 1 << 16;

/// Longest row, far above any of the daemon's: a small file that is compressed can hold one of gigabytes.
pub(super) const LONGEST_ROW: usize = 1 << 20;

/// Records that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not one that this program wrote.
    #[error("cannot read {}: {source}", path.display())]
    Columns {
        /// The path of the file.
        path: PathBuf,
        /// The error of the Parquet reader.
        source: parquet::errors::ParquetError,
    },
    /// A row is not one of invocations.csv.
    #[error("{}: record {record}: {source}", path.display())]
    Row {
        /// The path of the file.
        path: PathBuf,
        /// Its number, from 1, the header not counted.
        record: u64,
        /// What is wrong with the row.
        source: RowError,
    },
}

/// A row that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// It is longer than any that the daemon writes.
    #[error("is longer than {LONGEST_ROW} bytes: the file is damaged, or not the daemon's")]
    TooLong,
    /// It is not CSV in UTF-8.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// One of its fields is not of its column's type.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Reads whole rows of a file that may still grow. A last row that is cut off is left for the next time: it is then whole,
/// or it was all that a crash left of it ([`RecordReader::cut_off_bytes`]).
#[derive(Debug)]
pub struct RecordReader {
    directory: PathBuf,
    path: PathBuf,
    source: Option<Source>,
    pending: Vec<u8>,
    scan: RowScan,
    columns: Option<Positions<Invocations>>,
    read: u64,
}

/// Where the records are.
enum Source {
    Text(Box<dyn Read + Send>),
    Columns(ColumnReader),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Columns(_) => "Columns",
        })
    }
}

impl RecordReader {
    /// Reads the records in a run's directory, which may not exist yet.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            path: directory.join(CSV),
            source: None,
            pending: Vec::new(),
            scan: RowScan::default(),
            columns: None,
            read: 0,
        }
    }

    /// The next rows; none at the end of the file.
    ///
    /// # Errors
    /// A file that cannot be read, or a row that is none.
    pub fn read(&mut self) -> Result<Vec<InvocationRecord<'static>>, ReadError> {
        if self.source.is_none() {
            self.source = self.open()?;
        }
        loop {
            let before = self.pending.len();
            let rows = match &mut self.source {
                None => return Ok(Vec::new()),
                Some(Source::Columns(reader)) => {
                    let rows = reader.read();
                    let rows = rows.map_err(|source| ReadError::Columns { path: self.path.clone(), source })?;
                    if rows.iter().any(|row| row.as_slice().len() > LONGEST_ROW) {
                        return Err(self.unreadable(RowError::TooLong));
                    }
                    return self.records(rows);
                }
                Some(Source::Text(text)) => {
                    let filled = text.take(PIECE as u64).read_to_end(&mut self.pending);
                    filled.map_err(|source| ReadError::Io { path: self.path.clone(), source })?;
                    let rows = self.whole_rows(before)?;
                    if self.pending.len() > LONGEST_ROW {
                        return Err(self.unreadable(RowError::TooLong));
                    }
                    rows
                }
            };
            let records = self.records(rows)?;
            if !records.is_empty() || self.pending.len() == before {
                return Ok(records);
            }
        }
    }

    /// The number of bytes of an incomplete last row: of a run that has ended, and once all was read, a crash
    /// cut it off.
    pub fn cut_off_bytes(&self) -> u64 {
        self.pending.len() as u64
    }

    /// What holds the records now; none when they have not begun.
    fn open(&mut self) -> Result<Option<Source>, ReadError> {
        // In this order: a file gets its new form before the old one goes.
        for name in [CSV, GZIPPED, PARQUET] {
            self.path = self.directory.join(name);
            let file = match File::open(&self.path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(ReadError::Io { path: self.path.clone(), source }),
            };
            return Ok(Some(match name {
                GZIPPED => Source::Text(Box::new(MultiGzDecoder::new(file))),
                PARQUET => {
                    let failed = |source| ReadError::Columns { path: self.path.clone(), source };
                    let (header, reader) = ColumnReader::open(file).map_err(failed)?;
                    self.columns = Some(Positions::of(&header));
                    Source::Columns(reader)
                }
                _ => Source::Text(Box::new(file)),
            }));
        }
        Ok(None)
    }

    /// Takes the whole rows out of what was read, of which the bytes from `scanned` on are new.
    fn whole_rows(&mut self, scanned: usize) -> Result<Vec<StringRecord>, ReadError> {
        let new = self.pending.get(scanned..).unwrap_or_default();
        let Some(end) = self.scan.scan(new) else { return Ok(Vec::new()) };
        let rest = self.pending.split_off(scanned + end);
        let text = std::mem::replace(&mut self.pending, rest);
        let rows = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_slice()).into_records();
        rows.collect::<Result<_, _>>().map_err(|source| self.unreadable(source))
    }

    fn records(&mut self, rows: Vec<StringRecord>) -> Result<Vec<InvocationRecord<'static>>, ReadError> {
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(columns) = &self.columns else {
                self.columns = Some(Positions::of(&row));
                continue;
            };
            records.push(columns.read(|index| row.get(index)).map_err(|error| self.unreadable(error))?);
            self.read += 1;
        }
        Ok(records)
    }

    fn unreadable(&self, source: impl Into<RowError>) -> ReadError {
        ReadError::Row { path: self.path.clone(), record: self.read + 1, source: source.into() }
    }
}

#[cfg(test)]
mod tests;
