//! Reads invocations.csv while it grows.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use csv::{ReaderBuilder, StringRecord};

use super::StoredRecord;

/// Bytes that are read at once.
const PIECE: usize = 1 << 16;

/// Records that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A row is not one of invocations.csv.
    #[error("{}: record {record}: {source}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Its number, from 1, the header not counted.
        record: u64,
        /// Why.
        source: csv::Error,
    },
}

/// Reads whole rows of a file that may still grow. A last row that is cut off is left for the next time: it is then whole,
/// or it was all that a crash left of it.
#[derive(Debug)]
pub struct RecordReader {
    path: PathBuf,
    file: Option<File>,
    pending: Vec<u8>,
    header: Option<StringRecord>,
    read: u64,
}

impl RecordReader {
    /// Reads the records in a run's directory; they may not have begun yet.
    pub fn new(directory: &Path) -> Self {
        let path = directory.join("invocations.csv");
        Self { path, file: None, pending: Vec::new(), header: None, read: 0 }
    }

    /// The next rows; none when the end of what is there is reached.
    ///
    /// # Errors
    /// A file that can't be read, or a row that is none.
    pub fn read(&mut self) -> Result<Vec<StoredRecord>, ReadError> {
        loop {
            if !self.fill().map_err(|source| ReadError::Io { path: self.path.clone(), source })? {
                return Ok(Vec::new());
            }
            let records = self.take()?;
            if !records.is_empty() {
                return Ok(records);
            }
        }
    }

    /// Takes more of the file; whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        let file = match &mut self.file {
            Some(file) => file,
            file => match File::open(&self.path) {
                Ok(opened) => file.insert(opened),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(error),
            },
        };
        let before = self.pending.len();
        file.take(PIECE as u64).read_to_end(&mut self.pending)?;
        Ok(self.pending.len() > before)
    }

    /// Parses the whole rows of what was read.
    fn take(&mut self) -> Result<Vec<StoredRecord>, ReadError> {
        let whole = whole_rows(&self.pending);
        let rest = self.pending.split_off(whole);
        let rows = std::mem::replace(&mut self.pending, rest);
        let mut records = Vec::new();
        for row in ReaderBuilder::new().has_headers(false).from_reader(rows.as_slice()).records() {
            let failed = |source| ReadError::Row { path: self.path.clone(), record: self.read + 1, source };
            let row = row.map_err(failed)?;
            match &self.header {
                None => self.header = Some(row),
                header @ Some(_) => {
                    records.push(row.deserialize(header.as_ref()).map_err(failed)?);
                    self.read += 1;
                }
            }
        }
        Ok(records)
    }
}

/// Where the last whole row of `bytes` ends: behind the last line end that is in no quoted field.
fn whole_rows(bytes: &[u8]) -> usize {
    let (mut quoted, mut end) = (false, 0);
    for (place, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => end = place + 1,
            _ => {}
        }
    }
    end
}

#[cfg(test)]
mod tests;
