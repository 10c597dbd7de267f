//! A table of either form on its way into a file.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use parquet::errors::ParquetError;

use super::cell::{Cell, Kind};
use super::columns::Columns;
use super::{Output, WriteError};

/// How tables are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Lines of text.
    #[default]
    Csv,
    /// Parquet, compressed with Snappy.
    Parquet,
}

impl Form {
    /// The ending of such a file's name.
    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// A file being written.
pub(super) struct Table {
    path: PathBuf,
    form: Written,
}

enum Written {
    /// The writer, and memory for a field.
    Csv(Box<csv::Writer<BufWriter<File>>>, Vec<u8>),
    Parquet(Box<Columns>),
}

impl Table {
    /// Begins a table with these columns; `path` gets the form's ending.
    pub(super) fn begin(
        output: &Output,
        path: &std::path::Path,
        form: Form,
        columns: &[(String, Kind)],
    ) -> Result<Self, WriteError> {
        let path = path.with_extension(form.ending());
        let file = output.file(&path)?;
        let written = match form {
            Form::Csv => {
                let mut writer = csv::Writer::from_writer(file);
                let header = writer.write_record(columns.iter().map(|(name, _)| name));
                header.map_err(io::Error::from).map(|()| Written::Csv(Box::new(writer), Vec::new()))
            }
            Form::Parquet => {
                let begun = Columns::begin(file, columns).map_err(unwritten);
                begun.map(|columns| Written::Parquet(Box::new(columns)))
            }
        };
        match written {
            Ok(form) => Ok(Self { path, form }),
            Err(source) => Err(WriteError::Write { path, source }),
        }
    }

    /// Adds a row, whose cells are of the columns' kinds. In CSV numbers have three decimals: microseconds, where the unit is
    /// milliseconds.
    pub(super) fn row<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) -> Result<(), WriteError> {
        let written = match &mut self.form {
            Written::Csv(writer, field) => line(writer, field, cells),
            Written::Parquet(columns) => columns.row(cells).map_err(unwritten),
        };
        written.map_err(|source| WriteError::Write { path: self.path.clone(), source })
    }

    /// Completes the file.
    pub(super) fn finish(self) -> Result<(), WriteError> {
        let Self { path, form } = self;
        let file = match form {
            Written::Csv(writer, _) => writer.into_inner().map_err(csv::IntoInnerError::into_error),
            Written::Parquet(columns) => columns.finish().map_err(unwritten),
        };
        file.and_then(|mut file| file.flush()).map_err(|source| WriteError::Write { path, source })
    }
}

fn line<'a>(
    writer: &mut csv::Writer<BufWriter<File>>,
    field: &mut Vec<u8>,
    cells: impl Iterator<Item = Cell<'a>>,
) -> io::Result<()> {
    for cell in cells {
        field.clear();
        match cell {
            Cell::Text(text) => field.extend_from_slice(text.as_bytes()),
            Cell::Count(count) => write!(field, "{count}")?,
            Cell::Number(number) => write!(field, "{number:.3}")?,
        }
        writer.write_field(&field)?;
    }
    Ok(writer.write_record(None::<&[u8]>)?)
}

/// Why a Parquet file could not be written.
fn unwritten(error: ParquetError) -> io::Error {
    let text = error.to_string();
    let ParquetError::External(source) = error else { return io::Error::other(text) };
    source.downcast().map_or_else(|_| io::Error::other(text), |error| *error)
}
