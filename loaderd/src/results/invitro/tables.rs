//! The rows of a run's other tables.

use std::{fs::File, io, path::Path};

use csv::StringRecord;
use loader_proto::schema::{Positions, Row, Table as _};

use crate::results::piece::ExportError;

/// The rows of a table; none where the run does not have its file.
pub(super) fn rows<R: Row>(
    directory: &Path,
) -> Result<impl Iterator<Item = Result<R, ExportError>> + use<R>, ExportError> {
    let path = directory.join(R::Table::SCHEMA.file);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ExportError::Rows { path, source }
    };
    let file = match File::open(&path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(ExportError::Io { path, source }),
    };
    let mut reader = file.map(csv::Reader::from_reader);
    let header = reader.as_mut().map(csv::Reader::headers).transpose().map_err(failed(&path))?;
    let columns = Positions::<R::Table>::of(header.into_iter().flatten());
    let read = move |row: csv::Result<StringRecord>| {
        let row = row?;
        // As an I/O error, which is how the library carries foreign ones.
        columns.read(|index| row.get(index)).map_err(|error| csv::Error::from(io::Error::other(error)))
    };
    let rows = reader.into_iter().flat_map(csv::Reader::into_records);
    Ok(rows.map(move |row| read(row).map_err(failed(&path))))
}
