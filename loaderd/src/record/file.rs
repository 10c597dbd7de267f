//! Appending to a CSV file of a run, so that a crash loses at most what was not flushed.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

/// Bytes that are gathered before they go to the file.
const BUFFER: usize = 256 << 10;

/// A record that could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file could not be made.
    #[error("cannot create {}: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A CSV file that grows.
pub struct CsvFile {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
}

impl CsvFile {
    /// Makes the file, with its header. A file that is there already is an error: records are never overwritten.
    ///
    /// # Errors
    /// [`RecordError`] with the path.
    pub fn create(path: &Path, header: &[&str]) -> Result<Self, RecordError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let file = file.map_err(|source| RecordError::Create { path: path.to_owned(), source })?;
        let writer =
            csv::WriterBuilder::new().buffer_capacity(4096).from_writer(BufWriter::with_capacity(BUFFER, file));
        let mut this = Self { path: path.to_owned(), writer };
        this.append(header)?;
        this.flush()?;
        Ok(this)
    }

    /// A file that is there already, such as a device that fails.
    #[cfg(test)]
    pub(super) fn onto(path: &Path) -> Self {
        let file = OpenOptions::new().write(true).open(path).expect("opens");
        let writer = csv::WriterBuilder::new().from_writer(BufWriter::new(file));
        Self { path: path.to_owned(), writer }
    }

    /// Appends one row.
    ///
    /// # Errors
    /// [`RecordError`] with the path.
    pub fn append<I>(&mut self, fields: I) -> Result<(), RecordError>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let written = self.writer.write_record(fields);
        written.map_err(|error| self.failed(error.into()))
    }

    /// Hands what was appended to the operating system: it then survives the death of this process.
    ///
    /// # Errors
    /// [`RecordError`] with the path.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        let flushed = self.writer.flush();
        flushed.map_err(|error| self.failed(error))
    }

    /// Hands what was appended to the disk: it then survives the death of the machine.
    ///
    /// # Errors
    /// [`RecordError`] with the path.
    pub fn sync(&mut self) -> Result<(), RecordError> {
        self.flush()?;
        let synced = self.writer.get_ref().get_ref().sync_data();
        synced.map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> RecordError {
        RecordError::Write { path: self.path.clone(), source }
    }
}
