//! Appending to a CSV file of a run, so that a crash loses at most what was not flushed.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter},
    marker::PhantomData,
    path::{Path, PathBuf},
};

use loader_proto::schema::{Row, Table};

/// Bytes that are gathered before they go to the file.
const BUFFER: usize = 256 << 10;

/// A record that could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file could not be created.
    #[error("cannot create {}: {source}", path.display())]
    Create {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// The CSV file of table `T`, which grows.
pub struct CsvFile<T> {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
    table: PhantomData<fn() -> T>,
}

impl<T: Table> CsvFile<T> {
    /// Makes the table's file in a run's directory, with its header. An existing file is an error: records are
    /// never overwritten.
    ///
    /// # Errors
    /// [`RecordError`] with the path.
    pub fn create(directory: &Path) -> Result<Self, RecordError> {
        Self::create_at(&directory.join(T::SCHEMA.file))
    }

    /// Makes the file under another name.
    ///
    /// # Errors
    /// [`RecordError`] with the path.
    pub fn create_at(path: &Path) -> Result<Self, RecordError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let file = file.map_err(|source| RecordError::Create { path: path.to_owned(), source })?;
        let writer =
            csv::WriterBuilder::new().buffer_capacity(4096).from_writer(BufWriter::with_capacity(BUFFER, file));
        let mut this = Self { path: path.to_owned(), writer, table: PhantomData };
        let written = this.writer.write_record(T::SCHEMA.header());
        written.map_err(|error| this.failed(error.into()))?;
        this.flush()?;
        Ok(this)
    }

    /// Opens an existing file, such as a device that fails.
    #[cfg(test)]
    pub(super) fn onto(path: &Path) -> Self {
        let file = OpenOptions::new().write(true).open(path).expect("opens");
        let writer = csv::WriterBuilder::new().from_writer(BufWriter::new(file));
        Self { path: path.to_owned(), writer, table: PhantomData }
    }

    /// Appends one row to the file's buffer.
    ///
    /// # Errors
    /// [`RecordError`] with the path.
    pub fn append(&mut self, row: &impl Row<Table = T>) -> Result<(), RecordError> {
        let written = row.visit(|field| self.writer.write_field(field));
        let ended = written.and_then(|()| self.writer.write_record(None::<&[u8]>));
        ended.map_err(|error| self.failed(error.into()))
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
