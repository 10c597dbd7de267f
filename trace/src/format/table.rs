//! A CSV file with a header: columns by name, rows one at a time, faults with their location.

use std::io::Read;

use csv::ByteRecord;

use super::fault::{Fault, Faults};
use super::lines::Lines;
use super::problem::Problem;
use super::reading::Reading;
use super::unpack::peek;

/// Bytes in which the separator is looked for.
const BEGINNING: usize = 4096;

/// Most columns of a table: more than twice the seconds of a day.
const MOST_COLUMNS: usize = 200_000;

/// What a field can measure, and within which bounds it is taken for that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amount {
    /// The name of the unit, in the plural.
    pub(super) unit: &'static str,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Amount {
    /// Whether a value is within the bounds.
    pub(super) fn contains(&self, value: f64) -> bool {
        (self.least..=self.most).contains(&value)
    }

    /// A length of time: up to about 127 years, so that clocks that count from 1970 are good for a while and the
    /// nanoseconds of two such times, added, fit into 64 bits.
    pub(super) const SECONDS: Self = Self { unit: "seconds", least: 0.0, most: 4e9 };
    /// A point of time, on any clock.
    pub(super) const TIMESTAMP: Self = Self { least: -Self::SECONDS.most, ..Self::SECONDS };
    /// Up to 104 days, which a 64-bit float holds exactly.
    pub(super) const NANOSECONDS: Self = Self { unit: "nanoseconds", least: 0.0, most: 9e15 };
    /// What an invocation may ask for.
    pub(super) const MEBIBYTES: Self = Self { unit: "MiB", least: 1.0, most: 1_048_576.0 };
    pub(super) const MEGABYTES: Self = Self { unit: "MB", least: 0.0, most: 4e9 };
    pub(super) const INSTANCES: Self = Self { unit: "instances", least: 0.0, most: 4e9 };
}

/// An open file, after its header.
pub(super) struct Table {
    file: String,
    reader: csv::Reader<Lines>,
    header: Vec<String>,
    record: ByteRecord,
}

impl Table {
    /// Opens `file` and reads its header; a byte-order mark and Windows line ends are no matter. None and a fault when
    /// that fails.
    pub(super) fn open(reading: &mut Reading<'_>, file: &str) -> Option<Self> {
        let opened = Self::try_open(reading, file).map_err(|problem| Fault::in_file(file, problem));
        reading.faults.take(opened)
    }

    fn try_open(reading: &Reading<'_>, file: &str) -> Result<Self, Problem> {
        let (reader, header) = opened(reading.files.open(file)?)?;
        Ok(Self { file: file.to_owned(), reader, header, record: ByteRecord::new() })
    }

    /// The names of the columns.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// The index of the column `name`, if the header has it once.
    pub(super) fn find(&self, name: &str) -> Result<Option<usize>, Fault> {
        let mut found = self.header.iter().enumerate().filter(|(_, column)| *column == name).map(|(index, _)| index);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(self.header_fault(Some(name), Problem::ColumnTwice)),
            (index, None) => Ok(index),
        }
    }

    /// The index of the column `name`, which must be there.
    pub(super) fn column(&self, name: &str) -> Result<usize, Fault> {
        self.find(name)?.ok_or_else(|| self.header_fault(Some(name), Problem::ColumnMissing))
    }

    /// The indices of the columns `names`; none and the faults when one is missing.
    pub(super) fn columns<const N: usize>(&self, names: [&str; N], faults: &mut Faults) -> Option<[usize; N]> {
        let found = names.map(|name| faults.take(self.column(name)));
        found.iter().all(Option::is_some).then(|| found.map(Option::unwrap_or_default))
    }

    /// A fault of the header.
    pub(super) fn header_fault(&self, column: Option<&str>, problem: Problem) -> Fault {
        Fault { file: self.file.clone(), line: Some(1), column: column.map(str::to_owned), problem }
    }

    /// The next row that has all columns; those that have not are faults. None at the end.
    pub(super) fn next_row(&mut self, faults: &mut Faults) -> Option<Row<'_>> {
        loop {
            self.reader.get_mut().begin_row();
            let begin = self.reader.position().line();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    let (line, problem) = (Some(begin), unreadable(error));
                    faults.push(Fault { file: self.file.clone(), line, column: None, problem });
                    return None;
                }
            }
            let (fields, header) = (self.record.len(), self.header.len());
            if fields == header {
                break;
            }
            let line = Some(self.line());
            let column = self.header.get(fields).cloned();
            let problem = Problem::FieldCount { fields, header };
            faults.push(Fault { file: self.file.clone(), line, column, problem });
        }
        Some(Row { line: self.line(), file: &self.file, header: &self.header, record: &self.record })
    }

    /// Of the record that was read last, whose line end has been read too. The record's own position is that before any
    /// empty lines.
    fn line(&self) -> u64 {
        self.reader.position().line() - 1
    }
}

/// One line of a [`Table`]. Columns are indices that the table gave.
pub(super) struct Row<'t> {
    line: u64,
    file: &'t str,
    header: &'t [String],
    record: &'t ByteRecord,
}

impl Row<'_> {
    /// An id: any text but none.
    pub(super) fn id(&self, column: usize) -> Result<&str, Fault> {
        match self.text(column)? {
            "" => Err(self.fault(column, Problem::IdEmpty)),
            id => Ok(id),
        }
    }

    /// The field as text of any content.
    pub(super) fn text(&self, column: usize) -> Result<&str, Fault> {
        str::from_utf8(self.bytes(column)).map_err(|_| self.fault(column, Problem::NotUtf8))
    }

    /// A number, whole or not.
    pub(super) fn number(&self, column: usize) -> Result<f64, Fault> {
        number(self.bytes(column)).ok_or_else(|| self.fault(column, Problem::NotANumber(self.lossy(column))))
    }

    /// A count; files write it `5` or `5.0`.
    pub(super) fn count(&self, column: usize) -> Result<u32, Fault> {
        let bytes = self.bytes(column);
        digits(bytes)
            .or_else(|| whole(number(bytes)?))
            .ok_or_else(|| self.fault(column, Problem::NotACount(self.lossy(column))))
    }

    /// A number within the bounds of `amount`.
    pub(super) fn amount(&self, column: usize, amount: Amount) -> Result<f64, Fault> {
        let value = number(self.bytes(column)).filter(|&value| amount.contains(value));
        value.ok_or_else(|| self.out_of_bounds(column, amount))
    }

    /// A number, or none where the field is empty.
    pub(super) fn optional(&self, column: usize) -> Result<Option<f64>, Fault> {
        if self.is_empty(column) { Ok(None) } else { self.number(column).map(Some) }
    }

    /// The fault of a field that is not within the bounds of `amount`.
    pub(super) fn out_of_bounds(&self, column: usize, amount: Amount) -> Fault {
        let Amount { unit, least, most } = amount;
        self.fault(column, Problem::NotAnAmount { text: self.lossy(column), unit, least, most })
    }

    /// Whether the field is empty.
    pub(super) fn is_empty(&self, column: usize) -> bool {
        self.bytes(column).is_empty()
    }

    /// A fault of one field.
    pub(super) fn fault(&self, column: usize, problem: Problem) -> Fault {
        Fault { file: self.file.to_owned(), line: Some(self.line), column: self.header.get(column).cloned(), problem }
    }

    fn bytes(&self, column: usize) -> &[u8] {
        self.record.get(column).unwrap_or_default()
    }

    fn lossy(&self, column: usize) -> String {
        String::from_utf8_lossy(self.bytes(column)).into_owned()
    }
}

/// The names of a table's columns.
pub(super) fn columns(file: Box<dyn Read>) -> Result<Vec<String>, Problem> {
    opened(file).map(|(_, header)| header)
}

/// A table after its header, and that.
fn opened(file: Box<dyn Read>) -> Result<(csv::Reader<Lines>, Vec<String>), Problem> {
    let (head, file) = peek(file, BEGINNING)?;
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(Problem::NotUtf8);
    }
    if head.contains(&0) {
        return Err(Problem::NoText);
    }
    // Lines of another length are found by `next_row`, which reports the missing column.
    let mut builder = csv::ReaderBuilder::new();
    let mut reader = builder.flexible(true).delimiter(delimiter(&head)).from_reader(Lines::new(file));
    let header = reader.byte_headers().map_err(unreadable)?;
    if header.len() > MOST_COLUMNS {
        return Err(Problem::TooMany { what: "columns", most: MOST_COLUMNS });
    }
    let header: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    if header.is_empty() { Err(Problem::FileEmpty) } else { Ok((reader, header)) }
}

/// What separates the fields of the first line: a comma, or where it has none a tab or a semicolon.
fn delimiter(head: &[u8]) -> u8 {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    [b',', b'\t', b';'].into_iter().find(|separator| line.contains(separator)).unwrap_or(b',')
}

/// A plain decimal number. Most fields are one digit, so this decides how fast a file is read.
fn digits(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u32, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

fn number(bytes: &[u8]) -> Option<f64> {
    str::from_utf8(bytes).ok()?.parse().ok()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within bounds")]
fn whole(value: f64) -> Option<u32> {
    (value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value)).then_some(value as u32)
}

fn unreadable(error: csv::Error) -> Problem {
    Problem::Unreadable(error.into())
}
