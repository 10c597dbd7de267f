//! Reads the rows of a table's file while it may still grow: each time those that are new.

use std::{
    fs::File,
    io::{self, Read as _},
    marker::PhantomData,
    path::{Path, PathBuf},
};

use loader_proto::schema::{Positions, Row, Table};

use super::{
    reader::{ReadError, RowError},
    table::RowScan,
};

/// A file of a table, read up to some whole row.
pub(super) struct GrowingTable<R: Row> {
    path: PathBuf,
    file: Option<File>,
    /// The begin of a row that is not whole yet.
    pending: Vec<u8>,
    scan: RowScan,
    columns: Option<Positions<R::Table>>,
    read: u64,
    rows: PhantomData<fn() -> R>,
}

impl<R: Row> std::fmt::Debug for GrowingTable<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrowingTable").field("path", &self.path).field("read", &self.read).finish_non_exhaustive()
    }
}

impl<R: Row> GrowingTable<R> {
    /// The table's file in a run's directory, which may not exist yet.
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            path: directory.join(R::Table::SCHEMA.file),
            file: None,
            pending: Vec::new(),
            scan: RowScan::default(),
            columns: None,
            read: 0,
            rows: PhantomData,
        }
    }

    /// Hands out the whole rows that are new.
    ///
    /// # Errors
    /// A file that cannot be read, or a row that is none.
    pub(super) fn each_new(&mut self, mut take: impl FnMut(R)) -> Result<(), ReadError> {
        let Some(text) = self.whole_rows().map_err(|source| ReadError::Io { path: self.path.clone(), source })? else {
            return Ok(());
        };
        let rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_slice());
        for row in rows.into_records() {
            let row = row.map_err(|source| self.unreadable(source))?;
            match &self.columns {
                None => self.columns = Some(Positions::of(&row)),
                Some(columns) => {
                    take(columns.read(|index| row.get(index)).map_err(|source| self.unreadable(source))?);
                    self.read += 1;
                }
            }
        }
        Ok(())
    }

    /// The text of the whole rows that are new, if there are any.
    fn whole_rows(&mut self) -> io::Result<Option<Vec<u8>>> {
        let file = match &mut self.file {
            Some(file) => file,
            file @ None => match File::open(&self.path) {
                Ok(opened) => file.insert(opened),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        let scanned = self.pending.len();
        file.read_to_end(&mut self.pending)?;
        let new = self.pending.get(scanned..).unwrap_or_default();
        let Some(end) = self.scan.scan(new) else { return Ok(None) };
        let rest = self.pending.split_off(scanned + end);
        Ok(Some(std::mem::replace(&mut self.pending, rest)))
    }

    fn unreadable(&self, source: impl Into<RowError>) -> ReadError {
        ReadError::Row { path: self.path.clone(), record: self.read + 1, source: source.into() }
    }
}
