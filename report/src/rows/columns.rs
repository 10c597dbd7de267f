//! invocations.parquet: the columns that a report needs, and no others, a batch at a time.

use std::fs::File;

use parquet::{
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType},
    errors::{ParquetError, Result},
    file::reader::{FileReader as _, RowGroupReader, SerializedFileReader},
};

use super::invocation::COLUMNS;

/// Rows that are read at once.
const BATCH: usize = 1 << 13;

/// A file of columns.
pub(super) struct Columns {
    file: SerializedFileReader<File>,
    /// By column of [`COLUMNS`]: its place in the file.
    places: [Option<usize>; COLUMNS.len()],
}

/// Some rows of a column; a place without a value is `None`.
#[derive(Debug, Default)]
pub(super) enum Batch {
    /// The file has no such column.
    #[default]
    Missing,
    Text(Vec<Option<ByteArray>>),
    Integer(Vec<Option<i64>>),
    Boolean(Vec<Option<bool>>),
}

impl Columns {
    /// Opens a file.
    ///
    /// # Errors
    /// A file that is none of Parquet, or is cut off.
    pub(super) fn open(file: File) -> Result<Self> {
        let file = SerializedFileReader::new(file)?;
        let schema = file.metadata().file_metadata().schema();
        let names: Vec<_> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
        let places = COLUMNS.map(|column| names.iter().position(|name| name == column));
        Ok(Self { file, places })
    }

    /// The names of the file's columns.
    pub(super) fn header(&self) -> Vec<String> {
        let schema = self.file.metadata().file_metadata().schema();
        schema.get_fields().iter().map(|field| field.name().to_owned()).collect()
    }

    /// Hands out all rows, a batch of each column at a time, with the number of its rows.
    ///
    /// # Errors
    /// A file that is damaged.
    pub(super) fn each(&self, mut take: impl FnMut(usize, &[Batch; COLUMNS.len()])) -> Result<()> {
        for group in 0..self.file.num_row_groups() {
            self.each_of(&*self.file.get_row_group(group)?, &mut take)?;
        }
        Ok(())
    }

    fn each_of(&self, group: &dyn RowGroupReader, take: &mut impl FnMut(usize, &[Batch; COLUMNS.len()])) -> Result<()> {
        let open = |place: Option<usize>| place.map(|place| group.get_column_reader(place)).transpose();
        let mut readers = Vec::with_capacity(COLUMNS.len());
        for place in self.places {
            readers.push(open(place)?);
        }
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
        while left > 0 {
            let rows = left.min(BATCH);
            let mut batches: [Batch; COLUMNS.len()] = Default::default();
            for (batch, reader) in batches.iter_mut().zip(&mut readers) {
                if let Some(reader) = reader {
                    *batch = read(reader, rows)?;
                }
            }
            take(rows, &batches);
            left -= rows;
        }
        Ok(())
    }
}

/// The next rows of a column. One of a type that its values can't be counts as missing.
fn read(reader: &mut ColumnReader, rows: usize) -> Result<Batch> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other physical type is written for these columns")]
    Ok(match reader {
        ColumnReader::ByteArrayColumnReader(reader) => Batch::Text(values(reader, rows)?),
        ColumnReader::Int64ColumnReader(reader) => Batch::Integer(values(reader, rows)?),
        ColumnReader::Int32ColumnReader(reader) => {
            Batch::Integer(values(reader, rows)?.into_iter().map(|value: Option<i32>| value.map(i64::from)).collect())
        }
        ColumnReader::BoolColumnReader(reader) => Batch::Boolean(values(reader, rows)?),
        _ => Batch::Missing,
    })
}

/// The values of some rows, with `None` where there is none.
fn values<T: DataType>(reader: &mut ColumnReaderImpl<T>, rows: usize) -> Result<Vec<Option<T::T>>> {
    let (mut found, mut levels) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut records = 0;
    while records < rows {
        let (read, _, _) = reader.read_records(rows - records, Some(&mut levels), None, &mut found)?;
        if read == 0 {
            return Err(ParquetError::EOF(format!("a column has {records} of {rows} rows")));
        }
        records += read;
    }
    if levels.is_empty() {
        return Ok(found.into_iter().map(Some).collect());
    }
    let mut found = found.into_iter();
    Ok(levels.into_iter().map(|level| if level > 0 { found.next() } else { None }).collect())
}
