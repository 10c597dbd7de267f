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

/// Some rows of a column.
#[derive(Debug, Default)]
pub(super) enum Batch {
    /// The file has no such column.
    #[default]
    Missing,
    Text(Values<ByteArray>),
    Integer(Values<i64>),
    /// Integers of 32 bits.
    Short(Values<i32>),
    Boolean(Values<bool>),
}

/// The values of some rows. Its memory is used again for the next ones.
#[derive(Debug)]
pub(super) struct Values<T> {
    /// Those that are there.
    found: Vec<T>,
    /// Of each row whether it has one, as Parquet's definition level; empty for a column whose rows all have one.
    levels: Vec<i16>,
    /// Of each row where its value is; empty where all rows have one.
    places: Vec<u32>,
}

/// Where the value of a row is that has none.
const NOWHERE: u32 = u32::MAX;

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { found: Vec::new(), levels: Vec::new(), places: Vec::new() }
    }
}

impl<T> Values<T> {
    /// The value of a row; absent where it has none.
    pub(super) fn get(&self, row: usize) -> Option<&T> {
        if self.places.is_empty() {
            return self.found.get(row);
        }
        let place = self.places.get(row).filter(|place| **place != NOWHERE)?;
        self.found.get(usize::try_from(*place).ok()?)
    }

    /// Reads the values of the next rows in place of those that it has.
    fn fill<D: DataType<T = T>>(&mut self, reader: &mut ColumnReaderImpl<D>, rows: usize) -> Result<()> {
        let Self { found, levels, places } = self;
        found.clear();
        levels.clear();
        places.clear();
        let mut records = 0;
        while records < rows {
            let (read, _, _) = reader.read_records(rows - records, Some(levels), None, found)?;
            if read == 0 {
                return Err(ParquetError::EOF(format!("a column has {records} of {rows} rows")));
            }
            records += read;
        }
        if !levels.is_empty() && found.len() < levels.len() {
            let mut next = 0;
            places.extend(levels.iter().map(|level| {
                let place = if *level > 0 { next } else { NOWHERE };
                next += u32::from(*level > 0);
                place
            }));
        }
        Ok(())
    }
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
        let mut batches: [Batch; COLUMNS.len()] = Default::default();
        let mut readers = Vec::with_capacity(COLUMNS.len());
        for (batch, place) in batches.iter_mut().zip(self.places) {
            let reader = place.map(|place| group.get_column_reader(place)).transpose()?;
            *batch = reader.as_ref().map(Batch::of).unwrap_or_default();
            readers.push(reader);
        }
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
        while left > 0 {
            let rows = left.min(BATCH);
            for (batch, reader) in batches.iter_mut().zip(&mut readers) {
                if let Some(reader) = reader {
                    batch.fill(reader, rows)?;
                }
            }
            take(rows, &batches);
            left -= rows;
        }
        Ok(())
    }
}

impl Batch {
    /// An empty one for the values of a reader. One of a type that no column here has counts as missing.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other physical type is written for these columns")]
    fn of(reader: &ColumnReader) -> Self {
        match reader {
            ColumnReader::ByteArrayColumnReader(_) => Self::Text(Values::default()),
            ColumnReader::Int64ColumnReader(_) => Self::Integer(Values::default()),
            ColumnReader::Int32ColumnReader(_) => Self::Short(Values::default()),
            ColumnReader::BoolColumnReader(_) => Self::Boolean(Values::default()),
            _ => Self::Missing,
        }
    }

    /// Reads the next rows of the reader that it was made for.
    fn fill(&mut self, reader: &mut ColumnReader, rows: usize) -> Result<()> {
        match (self, reader) {
            (Self::Text(values), ColumnReader::ByteArrayColumnReader(reader)) => values.fill(reader, rows),
            (Self::Integer(values), ColumnReader::Int64ColumnReader(reader)) => values.fill(reader, rows),
            (Self::Short(values), ColumnReader::Int32ColumnReader(reader)) => values.fill(reader, rows),
            (Self::Boolean(values), ColumnReader::BoolColumnReader(reader)) => values.fill(reader, rows),
            _ => Ok(()),
        }
    }
}
