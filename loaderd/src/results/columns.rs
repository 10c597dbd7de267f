//! invocations.parquet: the columns of invocations.csv with their types, compressed with Snappy. Absent values are null.

use std::{fs::File, io::Read, sync::Arc};

use csv::StringRecord;
use loader_proto::schema::{Invocations, Kind, Table as _};
use parquet::{
    basic::Compression,
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::{ParquetError, Result},
    file::{
        properties::WriterProperties,
        reader::{FileReader as _, SerializedFileReader},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    record::{Field, reader::RowIter},
    schema::{parser::parse_message_type, types::Type},
};

/// Rows of one group: as many are in memory at once.
const GROUP: usize = 1 << 16;

/// Rows that are read at once, and bytes from which on fewer are: a value that is stored once can be in every row.
const BATCH: usize = 1024;
const BATCH_BYTES: usize = 1 << 20;

/// The type of a column. One that the schema does not have is text: the file is another version's.
fn kind(column: &str) -> Kind {
    Invocations::SCHEMA.column(column).map_or(Kind::Text, |column| column.kind)
}

/// A column in Parquet's schema. Text is never absent, only empty.
fn declared(column: &str, kind: Kind) -> String {
    match kind {
        Kind::Text => format!("REQUIRED BYTE_ARRAY {column} (UTF8);"),
        Kind::Integer => format!("OPTIONAL INT64 {column};"),
        Kind::Float { .. } => format!("OPTIONAL DOUBLE {column};"),
        Kind::Boolean => format!("OPTIONAL BOOLEAN {column};"),
    }
}

/// Writes the rows of a CSV file, its header first, as columns. `file` is complete when this returns.
///
/// # Errors
/// A row that is not of the table, or a write that fails.
pub(super) fn write(csv: impl Read, file: File) -> Result<File> {
    let mut rows = csv::Reader::from_reader(csv);
    let columns: Vec<_> = rows.headers().map_err(external)?.iter().map(|name| (name.to_owned(), kind(name))).collect();
    let declared: String = columns.iter().map(|(name, kind)| declared(name, *kind)).collect();
    let schema = Arc::new(parse_message_type(&format!("message invocation {{ {declared} }}"))?);
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
    let mut group = Vec::with_capacity(GROUP);
    for row in rows.records() {
        group.push(row.map_err(external)?);
        if group.len() == GROUP {
            write_group(writer.next_row_group()?, &columns, &group)?;
            group.clear();
        }
    }
    if !group.is_empty() {
        write_group(writer.next_row_group()?, &columns, &group)?;
    }
    writer.into_inner()
}

fn write_group(
    mut group: SerializedRowGroupWriter<'_, File>,
    columns: &[(String, Kind)],
    rows: &[StringRecord],
) -> Result<()> {
    for (index, (name, kind)) in columns.iter().enumerate() {
        let fields = rows.iter().map(|row| row.get(index).unwrap_or_default());
        match kind {
            Kind::Text => {
                let values: Vec<_> = fields.map(ByteArray::from).collect();
                write_column::<ByteArrayType>(&mut group, &values, None)?;
            }
            Kind::Integer => optional::<Int64Type>(&mut group, name, fields)?,
            Kind::Float { .. } => optional::<DoubleType>(&mut group, name, fields)?,
            Kind::Boolean => optional::<BoolType>(&mut group, name, fields)?,
        }
    }
    group.close().map(|_| ())
}

/// A column whose empty fields are null.
fn optional<'a, T>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    name: &str,
    fields: impl Iterator<Item = &'a str>,
) -> Result<()>
where
    T: DataType,
    T::T: std::str::FromStr,
{
    let (mut values, mut present) = (Vec::new(), Vec::new());
    for field in fields {
        present.push(i16::from(!field.is_empty()));
        if !field.is_empty() {
            let wrong = |_| ParquetError::General(format!("{name} is {field:?}"));
            values.push(field.parse().map_err(wrong)?);
        }
    }
    write_column::<T>(group, &values, Some(&present))
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    present: Option<&[i16]>,
) -> Result<()> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))?;
    column.typed::<T>().write_batch(values, present, None)?;
    column.close()
}

fn external(error: csv::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// Reads rows back, as they were in the CSV file.
pub(super) struct ColumnReader {
    rows: RowIter<'static>,
}

impl ColumnReader {
    /// The header, and the rows behind it.
    ///
    /// # Errors
    /// A file that is none of Parquet, or is cut off.
    pub(super) fn open(file: File) -> Result<(StringRecord, Self)> {
        let reader = SerializedFileReader::new(file)?;
        let schema = reader.metadata().file_metadata().schema();
        let header = schema.get_fields().iter().map(|field: &Arc<Type>| field.name().to_owned()).collect::<Vec<_>>();
        Ok((header.into(), Self { rows: RowIter::from_file_into(Box::new(reader)) }))
    }

    /// How many rows a file has.
    ///
    /// # Errors
    /// A file that is none of Parquet, or is cut off.
    pub(super) fn count(file: File) -> Result<u64> {
        let rows = SerializedFileReader::new(file)?.metadata().file_metadata().num_rows();
        Ok(u64::try_from(rows).unwrap_or_default())
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    /// A file that is damaged.
    pub(super) fn read(&mut self) -> Result<Vec<StringRecord>> {
        let (mut read, mut bytes) = (Vec::new(), 0);
        while read.len() < BATCH && bytes < BATCH_BYTES {
            let Some(row) = self.rows.next() else { break };
            let row: StringRecord = row?.get_column_iter().map(|(_, field)| text(field)).collect();
            bytes += row.as_slice().len();
            read.push(row);
        }
        Ok(read)
    }
}

/// As it was in the CSV file.
fn text(field: &Field) -> String {
    // Their own forms have quotes, and exponents.
    if let Field::Str(text) = field {
        return text.clone();
    }
    if let Field::Double(number) = field {
        return number.to_string();
    }
    if matches!(field, Field::Null) { String::new() } else { field.to_string() }
}
