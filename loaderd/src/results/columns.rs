//! invocations.parquet: the columns of invocations.csv with their types, compressed with Snappy. Absent values are null.

use std::{fs::File, io::Read, sync::Arc};

use csv::StringRecord;
use parquet::{
    basic::Compression,
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type},
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

/// Rows that are read at once.
const BATCH: usize = 1024;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Boolean,
}

impl Kind {
    /// By the column's name: what it ends with is its unit. What is not known is text.
    fn of(column: &str) -> Self {
        let integer = ["_us", "_kib"].iter().any(|unit| column.ends_with(unit)) || column == "slot";
        match column {
            "cold_start" | "saturated" => Self::Boolean,
            _ if integer => Self::Integer,
            _ => Self::Text,
        }
    }

    /// As the schema says it. Text is never absent, only empty.
    fn declared(self, column: &str) -> String {
        match self {
            Self::Text => format!("REQUIRED BYTE_ARRAY {column} (UTF8);"),
            Self::Integer => format!("OPTIONAL INT64 {column};"),
            Self::Boolean => format!("OPTIONAL BOOLEAN {column};"),
        }
    }
}

/// Writes the rows of a CSV file, its header first, as columns. `file` is complete when this returns.
///
/// # Errors
/// A row that is none of the table, or what can't be written.
pub(super) fn write(csv: impl Read, file: File) -> Result<File> {
    let mut rows = csv::Reader::from_reader(csv);
    let columns: Vec<_> =
        rows.headers().map_err(external)?.iter().map(|name| (name.to_owned(), Kind::of(name))).collect();
    let declared: String = columns.iter().map(|(name, kind)| kind.declared(name)).collect();
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
    for (place, (name, kind)) in columns.iter().enumerate() {
        let fields = rows.iter().map(|row| row.get(place).unwrap_or_default());
        match kind {
            Kind::Text => {
                let values: Vec<_> = fields.map(ByteArray::from).collect();
                write_column::<ByteArrayType>(&mut group, &values, None)?;
            }
            Kind::Integer => optional::<Int64Type>(&mut group, name, fields)?,
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

/// Reads rows back, as they stood in the CSV file.
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
        let rows = self.rows.by_ref().take(BATCH);
        rows.map(|row| Ok(row?.get_column_iter().map(|(_, field)| text(field)).collect())).collect()
    }
}

/// As it stood in the CSV file.
fn text(field: &Field) -> String {
    if let Field::Str(text) = field {
        // Its own form has quotes around it.
        return text.clone();
    }
    if matches!(field, Field::Null) { String::new() } else { field.to_string() }
}
