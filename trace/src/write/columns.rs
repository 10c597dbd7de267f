//! A table as a Parquet file: numbers as numbers, compressed with Snappy.

use std::fs::File;
use std::io::BufWriter;
use std::mem::take;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::cell::{Cell, Kind};

/// Values that are kept until they are written together.
const GROUP: usize = 1 << 22;

/// A Parquet file being written.
pub(super) struct Columns {
    writer: SerializedFileWriter<BufWriter<File>>,
    columns: Vec<Column>,
    /// Rows that are not written yet.
    rows: usize,
}

/// The values of a column that are not written yet.
enum Column {
    Texts(Vec<ByteArray>),
    Counts(Vec<i64>),
    Numbers(Vec<f64>),
}

impl Columns {
    pub(super) fn begin(file: BufWriter<File>, columns: &[(String, Kind)]) -> Result<Self> {
        let fields = columns.iter().map(|(name, kind)| field(name, *kind)).collect::<Result<_>>()?;
        let schema = Type::group_type_builder("table").with_fields(fields).build()?;
        // Of thousands of short columns, statistics would be most of the file.
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { writer, columns: columns.iter().map(|(_, kind)| Column::of(*kind)).collect(), rows: 0 })
    }

    pub(super) fn row<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) -> Result<()> {
        let mut columns = self.columns.iter_mut();
        for cell in cells {
            columns.next().ok_or_else(uneven)?.push(&cell)?;
        }
        if columns.next().is_some() {
            return Err(uneven());
        }
        self.rows += 1;
        if self.rows.saturating_mul(self.columns.len()) >= GROUP { self.write() } else { Ok(()) }
    }

    /// Completes the file.
    pub(super) fn finish(mut self) -> Result<BufWriter<File>> {
        if self.rows > 0 {
            self.write()?;
        }
        self.writer.into_inner()
    }

    fn write(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            match column {
                Column::Texts(values) => write_column::<ByteArrayType>(&mut group, &take(values))?,
                Column::Counts(values) => write_column::<Int64Type>(&mut group, &take(values))?,
                Column::Numbers(values) => write_column::<DoubleType>(&mut group, &take(values))?,
            }
        }
        self.rows = 0;
        group.close().map(|_| ())
    }
}

fn field(name: &str, kind: Kind) -> Result<Arc<Type>> {
    let (physical, converted) = match kind {
        Kind::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
        Kind::Count => (Physical::INT64, ConvertedType::NONE),
        Kind::Number => (Physical::DOUBLE, ConvertedType::NONE),
    };
    let builder = Type::primitive_type_builder(name, physical).with_converted_type(converted);
    builder.with_repetition(Repetition::REQUIRED).build().map(Arc::new)
}

fn write_column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, BufWriter<File>>, values: &[T::T]) -> Result<()> {
    let mut column = group.next_column()?.ok_or_else(uneven)?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

impl Column {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Texts(Vec::new()),
            Kind::Count => Self::Counts(Vec::new()),
            Kind::Number => Self::Numbers(Vec::new()),
        }
    }

    fn push(&mut self, cell: &Cell<'_>) -> Result<()> {
        match (self, cell) {
            (Self::Texts(values), Cell::Text(text)) => values.push(ByteArray::from(*text)),
            (Self::Counts(values), Cell::Count(count)) => {
                let count = i64::try_from(*count).map_err(|_| ParquetError::General(format!("{count} is too much")))?;
                values.push(count);
            }
            (Self::Numbers(values), Cell::Number(number)) => values.push(*number),
            (Self::Texts(_) | Self::Counts(_) | Self::Numbers(_), _) => {
                return Err(ParquetError::General("a value is not of its column's kind".to_owned()));
            }
        }
        Ok(())
    }
}

fn uneven() -> ParquetError {
    ParquetError::General("a row has not as many values as the header".to_owned())
}
