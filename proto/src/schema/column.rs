//! The description of a table and its columns.

use std::fmt;

/// A CSV file of a run's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// The file's name.
    pub file: &'static str,
    /// What a row is, and when the file exists.
    pub meaning: &'static str,
    /// The columns, in order.
    pub columns: &'static [Column],
}

impl Schema {
    /// The header: the columns' names, in order.
    pub fn header(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.columns.iter().map(|column| column.name)
    }

    /// The column of that name, if there is one.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A column of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header.
    pub name: &'static str,
    /// The type of its values.
    pub kind: Kind,
    /// The unit of its values.
    pub unit: Unit,
    /// What its values mean.
    pub meaning: &'static str,
    /// When the field is empty; `None` for a column whose fields never are.
    pub absent: Option<&'static str>,
}

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A whole number of at most 64 bits.
    Integer,
    /// A 64-bit floating-point number.
    Float {
        /// Digits after the decimal point, at most; `None` for as many as the number has.
        digits: Option<usize>,
    },
    /// `true` or `false`.
    Boolean,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Integer => f.write_str("integer"),
            Self::Float { digits: Some(digits) } => write!(f, "number, up to {digits} decimals"),
            Self::Float { digits: None } => f.write_str("number"),
            Self::Boolean => f.write_str("boolean"),
        }
    }
}

/// The unit of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// None: text, booleans, ordinal numbers and counts.
    None,
    /// Microseconds.
    Micros,
    /// An instant, in microseconds since the Unix epoch.
    UnixMicros,
    /// Bytes.
    Bytes,
    /// KiB, 1024 bytes.
    Kib,
    /// MiB, 1024 KiB.
    Mib,
    /// Thousandths of a processor.
    Millicores,
    /// A share of a whole, from 0 to 1.
    Ratio,
    /// Invocations per second.
    PerSecond,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "",
            Self::Micros => "µs",
            Self::UnixMicros => "µs since the Unix epoch",
            Self::Bytes => "bytes",
            Self::Kib => "KiB",
            Self::Mib => "MiB",
            Self::Millicores => "millicores",
            Self::Ratio => "0 to 1",
            Self::PerSecond => "1/s",
        })
    }
}
