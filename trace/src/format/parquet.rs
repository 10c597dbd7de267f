//! Parquet files, read as the text of the table that they hold: so any format may be stored so.
//!
//! Of a row group some rows are decoded at a time, column by column, and given as lines of CSV; what is null is an empty field.

use std::io::{self, Read};
use std::panic::{self, AssertUnwindSafe};

use parquet::basic::{LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::source::Bytes;
use super::stored::Stored;

/// Values that are decoded at a time, in all columns.
const BATCH: usize = 1 << 18;
/// The largest row group, in bytes before compression: its pages are in memory together.
const LARGEST_GROUP: i64 = 2 << 30;

/// Whether a file that begins so is a Parquet file.
pub(super) fn is_parquet(head: &[u8]) -> bool {
    head.starts_with(b"PAR1")
}

/// The text of a Parquet file.
pub(super) struct Text {
    file: SerializedFileReader<Stored>,
    kinds: Vec<Kind>,
    /// The number of the row group that is read next.
    next_group: usize,
    columns: Vec<Column>,
    /// Rows of the current row group that are not decoded yet.
    left: usize,
    text: Vec<u8>,
    /// How much of `text` has been read.
    given: usize,
}

/// How the values of a column become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Signed,
    Unsigned,
    Other,
}

/// A column of a row group, with what was decoded of it last.
struct Column {
    reader: ColumnReader,
    kind: Kind,
    is_optional: bool,
    /// Of each row whether it has a value; empty where all have.
    present: Vec<i16>,
    values: Values,
}

/// Values of a column.
enum Values {
    Truths(Vec<bool>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    Texts(Vec<ByteArray>),
}

impl Text {
    pub(super) fn open(file: Box<dyn Bytes>) -> io::Result<Self> {
        guarded(|| Self::opened(file))
    }

    fn opened(file: Box<dyn Bytes>) -> io::Result<Self> {
        let file = SerializedFileReader::new(Stored::of(file)?).map_err(failure)?;
        let columns = file.metadata().file_metadata().schema_descr().columns().to_vec();
        let kinds = columns.iter().map(|column| kind(column)).collect::<Result<_, _>>().map_err(io::Error::other)?;
        let mut text = csv::Writer::from_writer(Vec::new());
        text.write_record(columns.iter().map(|column| column.name()))?;
        let text = text.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok(Self { file, kinds, next_group: 0, columns: Vec::new(), left: 0, text, given: 0 })
    }

    /// Decodes the next rows; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        while self.left == 0 {
            if self.next_group == self.file.num_row_groups() {
                return Ok(false);
            }
            self.begin_group().map_err(failure)?;
        }
        let rows = self.left.min((BATCH / self.columns.len().max(1)).max(1));
        for column in &mut self.columns {
            column.decode(rows).map_err(failure)?;
        }
        self.left -= rows;
        self.given = 0;
        self.text = lines(&mut self.columns, rows, std::mem::take(&mut self.text))?;
        Ok(true)
    }

    fn begin_group(&mut self) -> Result<(), ParquetError> {
        let group = self.file.get_row_group(self.next_group)?;
        let (size, rows) = (group.metadata().total_byte_size(), group.metadata().num_rows());
        if size > LARGEST_GROUP {
            let (mib, most) = (size >> 20, LARGEST_GROUP >> 20);
            return Err(ParquetError::General(format!("a row group has {mib} MiB; at most {most} are read")));
        }
        self.columns.clear();
        for (number, &kind) in self.kinds.iter().enumerate() {
            let is_optional = group.metadata().column(number).column_descr().max_def_level() > 0;
            self.columns.push(Column::of(group.get_column_reader(number)?, kind, is_optional)?);
        }
        self.next_group += 1;
        self.left = usize::try_from(rows).map_err(|_| ParquetError::General(format!("{rows} rows")))?;
        Ok(())
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if !guarded(|| self.fill())? {
                return Ok(0);
            }
        }
        let read = (&self.text[self.given..]).read(buffer)?;
        self.given += read;
        Ok(read)
    }
}

/// What `work` gives. Where a damaged file contradicts itself the library panics, which is an error here.
fn guarded<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(io::Error::other("its Parquet data contradict themselves")))
}

/// How a column is read; or why it is not.
fn kind(column: &ColumnDescriptor) -> Result<Kind, String> {
    let name = column.name();
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return Err(format!("is a Parquet file whose column {name} is nested"));
    }
    let physical = column.physical_type();
    let is_known =
        matches!(physical, Type::BOOLEAN | Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE | Type::BYTE_ARRAY);
    match column.logical_type_ref() {
        None | Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) if is_known => Ok(Kind::Other),
        Some(LogicalType::Integer(int)) if is_known => Ok(if int.is_signed { Kind::Signed } else { Kind::Unsigned }),
        Some(logical) => {
            Err(format!("is a Parquet file whose column {name} is of type {logical:?}; numbers and text are read"))
        }
        None => Err(format!("is a Parquet file whose column {name} is of type {physical}; numbers and text are read")),
    }
}

impl Column {
    fn of(reader: ColumnReader, kind: Kind, is_optional: bool) -> Result<Self, ParquetError> {
        let values = match &reader {
            ColumnReader::BoolColumnReader(_) => Values::Truths(Vec::new()),
            ColumnReader::Int32ColumnReader(_) => Values::Ints(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Values::Longs(Vec::new()),
            ColumnReader::FloatColumnReader(_) => Values::Floats(Vec::new()),
            ColumnReader::DoubleColumnReader(_) => Values::Doubles(Vec::new()),
            ColumnReader::ByteArrayColumnReader(_) => Values::Texts(Vec::new()),
            ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => {
                return Err(ParquetError::General("the schema has another type".to_owned()));
            }
        };
        Ok(Self { reader, kind, is_optional, present: Vec::new(), values })
    }

    /// Decodes the next rows.
    fn decode(&mut self, rows: usize) -> Result<(), ParquetError> {
        self.present.clear();
        let present = self.is_optional.then_some(&mut self.present);
        match (&mut self.reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(reader), Values::Truths(values)) => decode(reader, rows, present, values),
            (ColumnReader::Int32ColumnReader(reader), Values::Ints(values)) => decode(reader, rows, present, values),
            (ColumnReader::Int64ColumnReader(reader), Values::Longs(values)) => decode(reader, rows, present, values),
            (ColumnReader::FloatColumnReader(reader), Values::Floats(values)) => decode(reader, rows, present, values),
            (ColumnReader::DoubleColumnReader(reader), Values::Doubles(values)) => {
                decode(reader, rows, present, values)
            }
            (ColumnReader::ByteArrayColumnReader(reader), Values::Texts(values)) => {
                decode(reader, rows, present, values)
            }
            _ => Err(ParquetError::General("a column changes its type".to_owned())),
        }
    }
}

/// Decodes exactly so many rows.
fn decode<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    mut present: Option<&mut Vec<i16>>,
    values: &mut Vec<T::T>,
) -> Result<(), ParquetError> {
    values.clear();
    let mut decoded = 0;
    while decoded < rows {
        let (records, ..) = reader.read_records(rows - decoded, present.as_deref_mut(), None, values)?;
        if records == 0 {
            return Err(ParquetError::EOF("a column has fewer values than there are rows".to_owned()));
        }
        decoded += records;
    }
    Ok(())
}

/// The decoded rows as lines of CSV, into the memory of `text`.
fn lines(columns: &mut [Column], rows: usize, mut text: Vec<u8>) -> io::Result<Vec<u8>> {
    text.clear();
    let mut lines = csv::Writer::from_writer(text);
    let mut next = vec![0_usize; columns.len()];
    let mut field = String::new();
    for row in 0..rows {
        for (column, next) in columns.iter().zip(&mut next) {
            let is_present = column.present.get(row).is_none_or(|&level| level > 0);
            if !is_present {
                lines.write_field("")?;
                continue;
            }
            column.write(*next, &mut lines, &mut field)?;
            *next += 1;
        }
        lines.write_record(None::<&[u8]>)?;
    }
    lines.into_inner().map_err(csv::IntoInnerError::into_error)
}

impl Column {
    /// Writes a value as a field; `field` is memory for it.
    fn write(&self, place: usize, lines: &mut csv::Writer<Vec<u8>>, field: &mut String) -> io::Result<()> {
        use std::fmt::Write as _;
        field.clear();
        let missing = || io::Error::other("its Parquet data are damaged: a column has fewer values than it says");
        let is_unsigned = self.kind == Kind::Unsigned;
        let written = match &self.values {
            Values::Texts(values) => return Ok(lines.write_field(values.get(place).ok_or_else(missing)?.data())?),
            Values::Truths(values) => write!(field, "{}", values.get(place).ok_or_else(missing)?),
            Values::Floats(values) => write!(field, "{}", values.get(place).ok_or_else(missing)?),
            Values::Doubles(values) => write!(field, "{}", values.get(place).ok_or_else(missing)?),
            Values::Ints(values) => {
                let value = values.get(place).ok_or_else(missing)?;
                if is_unsigned { write!(field, "{}", value.cast_unsigned()) } else { write!(field, "{value}") }
            }
            Values::Longs(values) => {
                let value = values.get(place).ok_or_else(missing)?;
                if is_unsigned { write!(field, "{}", value.cast_unsigned()) } else { write!(field, "{value}") }
            }
        };
        written.map_err(io::Error::other)?;
        Ok(lines.write_field(field.as_bytes())?)
    }
}

/// An error of the file itself as it is; others as those of what was read.
fn failure(error: ParquetError) -> io::Error {
    let text = error.to_string();
    let ParquetError::External(source) = error else {
        return io::Error::other(format!("its Parquet data can't be read: {text}"));
    };
    source.downcast().map_or_else(|_| io::Error::other(text), |error| *error)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use parquet::basic::Compression;
    use parquet::data_type::{BoolType, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// Writes a row group.
    type Group<'g> = &'g dyn Fn(&mut SerializedRowGroupWriter<'_, Vec<u8>>);

    /// A file of this schema with a row group for each of `groups`.
    fn file(schema: &str, groups: &[Group<'_>]) -> Vec<u8> {
        let schema = Arc::new(parse_message_type(&format!("message table {{ {schema} }}")).unwrap());
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
        for group in groups {
            let mut begun = writer.next_row_group().unwrap();
            group(&mut begun);
            begun.close().unwrap();
        }
        writer.into_inner().unwrap()
    }

    fn column<T: DataType>(
        group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
        values: &[T::T],
        present: Option<&[i16]>,
    ) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, present, None).unwrap();
        column.close().unwrap();
    }

    fn text(bytes: Vec<u8>) -> Result<String, String> {
        let mut text = String::new();
        let mut file = Text::open(Box::new(Cursor::new(bytes))).map_err(|error| error.to_string())?;
        file.read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    #[test]
    fn every_type_of_number_and_text_is_read() {
        let schema = "REQUIRED BYTE_ARRAY id (UTF8); OPTIONAL INT32 a; REQUIRED INT64 b (INTEGER(64,false)); OPTIONAL DOUBLE c; \
                      REQUIRED FLOAT d; REQUIRED BOOLEAN e;";
        let first = |group: &mut SerializedRowGroupWriter<'_, Vec<u8>>| {
            column::<ByteArrayType>(group, &["x,y".into(), "\"z\"".into()], None);
            column::<Int32Type>(group, &[-5], Some(&[0, 1]));
            column::<Int64Type>(group, &[-1, 7], None);
            column::<DoubleType>(group, &[0.1, 1e-7], Some(&[1, 1]));
            column::<FloatType>(group, &[0.1, 3.0], None);
            column::<BoolType>(group, &[true, false], None);
        };
        let second = |group: &mut SerializedRowGroupWriter<'_, Vec<u8>>| {
            column::<ByteArrayType>(group, &["".into()], None);
            column::<Int32Type>(group, &[], Some(&[0]));
            column::<Int64Type>(group, &[0], None);
            column::<DoubleType>(group, &[], Some(&[0]));
            column::<FloatType>(group, &[f32::NAN], None);
            column::<BoolType>(group, &[true], None);
        };
        let expected = "id,a,b,c,d,e\n\"x,y\",,18446744073709551615,0.1,0.1,true\n\"\"\"z\"\"\",-5,7,0.0000001,3,false\n\
                        ,,0,,NaN,true\n";
        assert_eq!(text(file(schema, &[&first, &second])).as_deref(), Ok(expected));
    }

    #[test]
    fn more_rows_than_are_decoded_at_a_time() {
        let rows = BATCH as i64 + 10;
        let all: Vec<i64> = (0..rows).collect();
        let found = text(file("REQUIRED INT64 n;", &[&|group| column::<Int64Type>(group, &all, None)])).unwrap();
        assert!(found.lines().skip(1).eq(all.iter().map(i64::to_string)));
    }

    #[test]
    fn other_types_are_refused_by_name() {
        for (schema, part) in [
            ("REQUIRED INT96 when;", "column when is of type INT96"),
            ("REQUIRED INT64 when (TIMESTAMP(MILLIS,true));", "column when is of type Timestamp"),
            ("REQUIRED GROUP g { REQUIRED INT32 inner; }", "column inner is nested"),
            ("REPEATED INT32 many;", "column many is nested"),
        ] {
            let refused = text(file(schema, &[])).unwrap_err();
            assert!(refused.contains(part), "{refused}");
        }
    }

    /// Whatever is wrong with a file, an error says so.
    #[test]
    fn damage_is_an_error() {
        let values: Vec<i64> = (0..500).map(|value| value * 7919 % 1000).collect();
        let whole = file(
            "REQUIRED INT64 n; OPTIONAL DOUBLE x;",
            &[&|group| {
                column::<Int64Type>(group, &values, None);
                column::<DoubleType>(group, &[1.5; 500], Some(&[1; 500]));
            }],
        );
        assert!(text(whole.clone()).is_ok());
        for length in (0..whole.len()).step_by(7) {
            assert!(text(whole[..length].to_vec()).is_err(), "{length}");
        }
        for place in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[place] ^= flip;
                // It may be read all the same; it must end.
                let _either = text(damaged);
            }
        }
    }
}
