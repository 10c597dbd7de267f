//! Tables and their rows, and the declaration that makes both.

use std::{convert::Infallible, fmt, marker::PhantomData};

use super::{Column, Schema, Value};

/// A table: the type that represents one of the CSV files.
pub trait Table {
    /// Its file and columns.
    const SCHEMA: Schema;
}

/// A row of a table.
pub trait Row: Sized {
    /// The table.
    type Table: Table;

    /// Hands out the text of each field, in the order of the table's columns, until `field` fails.
    ///
    /// # Errors
    /// What `field` gave.
    fn visit<E>(&self, field: impl FnMut(&str) -> Result<(), E>) -> Result<(), E>;

    /// The text of each field, in the order of the table's columns.
    fn fields(&self) -> Vec<String> {
        let mut fields = Vec::with_capacity(Self::Table::SCHEMA.columns.len());
        let Ok(()) = self.visit(|field| {
            fields.push(field.to_owned());
            Ok::<_, Infallible>(())
        });
        fields
    }

    /// Makes a row of its fields, which come in the order of the table's columns.
    ///
    /// # Errors
    /// The first field that is not of its column's type.
    fn from_fields<'t>(fields: Fields<'_, impl Fn(usize) -> Option<&'t str>>) -> Result<Self, FieldError>;
}

/// A field that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldError {
    /// The file has no such column, and a row can't be without.
    Missing {
        /// The column.
        column: &'static str,
    },
    /// The field is not of its column's type.
    Wrong {
        /// The column.
        column: &'static Column,
        /// The field.
        text: String,
    },
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { column } => write!(f, "missing column {column}"),
            Self::Wrong { column: Column { name, kind, .. }, text } => {
                write!(f, "column {name}: {text:?} is not of type {kind}")
            }
        }
    }
}

impl std::error::Error for FieldError {}

/// Where the columns of a table are in a file, found by the file's header. Columns that the table does not have are skipped.
#[derive(Debug)]
pub struct Positions<T> {
    /// By column of the table: its position in the file; `None` where the file lacks it.
    positions: Vec<Option<usize>>,
    table: PhantomData<fn() -> T>,
}

impl<T: Table> Positions<T> {
    /// Finds the columns in a header.
    pub fn of<'h>(header: impl IntoIterator<Item = &'h str>) -> Self {
        let mut positions = vec![None; T::SCHEMA.columns.len()];
        for (position, name) in header.into_iter().enumerate() {
            let column = T::SCHEMA.header().position(|column| column == name);
            if let Some(found) = column.and_then(|column| positions.get_mut(column)) {
                *found = Some(position);
            }
        }
        Self { positions, table: PhantomData }
    }

    /// Reads a row, whose fields `field` returns by their position in the file.
    ///
    /// # Errors
    /// The first field that is not of its column's type, or a required column that is missing.
    pub fn read<'t, R: Row<Table = T>>(&self, field: impl Fn(usize) -> Option<&'t str>) -> Result<R, FieldError> {
        R::from_fields(Fields { columns: T::SCHEMA.columns, positions: &self.positions, field })
    }
}

/// The fields of a row that is being read, one after the other.
#[derive(Debug)]
pub struct Fields<'p, F> {
    columns: &'static [Column],
    positions: &'p [Option<usize>],
    field: F,
}

impl<'t, F: Fn(usize) -> Option<&'t str>> Fields<'_, F> {
    /// The value of column number `index`.
    ///
    /// # Errors
    /// A field that is not of its column's type, or is missing.
    pub(super) fn value<V: Value>(&self, index: usize, name: &'static str) -> Result<V, FieldError> {
        let position = self.positions.get(index).copied().flatten();
        let Some(text) = position.and_then(&self.field) else {
            return V::missing().ok_or(FieldError::Missing { column: name });
        };
        V::parse(text).ok_or_else(|| match self.columns.get(index) {
            Some(column) => FieldError::Wrong { column, text: text.to_owned() },
            None => FieldError::Missing { column: name },
        })
    }
}

/// Declares a table: the type that represents it, its row with a public field per column, and what both derive from that.
///
/// The first line of attributes is the table's meaning. A column has its meaning, when it is absent, its name, its type (any
/// [`Value`]; an optional column is an `Option`) and, in brackets, its [`Unit`](super::Unit).
macro_rules! table {
    (
        $(#[doc = $about:literal])+
        $table:ident in $file:literal, row $row:ident $(<$life:lifetime>)? {
            $(
                $(#[doc = $meaning:literal])+
                $(#[absent = $absent:literal])?
                $name:ident: $kind:ty $([$unit:ident])?,
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug)]
        pub enum $table {}

        impl $crate::schema::Table for $table {
            const SCHEMA: $crate::schema::Schema = $crate::schema::Schema {
                file: $file,
                meaning: concat!($($about),+).trim_ascii(),
                columns: $row::COLUMNS,
            };
        }

        #[doc = concat!("A row of ", $file, ".")]
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $row $(<$life>)? {
            $($(#[doc = $meaning])+ pub $name: $kind,)+
        }

        impl $(<$life>)? $row $(<$life>)? {
            const COLUMNS: &'static [$crate::schema::Column] = &[$($crate::schema::Column {
                name: stringify!($name),
                kind: <$kind as $crate::schema::Value>::KIND,
                unit: $crate::schema::table::table!(@unit $($unit)?),
                meaning: concat!($($meaning),+).trim_ascii(),
                absent: $crate::schema::table::table!(@absent $($absent)?),
            }),+];
        }

        impl $(<$life>)? $crate::schema::Row for $row $(<$life>)? {
            type Table = $table;

            fn visit<E>(&self, mut field: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
                let Self { $($name),+ } = self;
                let mut scratch = $crate::schema::Scratch::default();
                $(field($crate::schema::Value::text($name, &mut scratch))?;)+
                Ok(())
            }

            fn from_fields<'t>(
                fields: $crate::schema::table::Fields<'_, impl Fn(usize) -> Option<&'t str>>,
            ) -> Result<Self, $crate::schema::FieldError> {
                let mut index = 0..;
                Ok(Self { $($name: fields.value(index.next().unwrap_or_default(), stringify!($name))?,)+ })
            }
        }
    };
    // A table whose rows are also a message of the API. The first column, the run, is not in it: it is known from the request.
    (
        $(#[doc = $about:literal])+
        $table:ident in $file:literal, row $row:ident<$life:lifetime>, message $message:ident {
            $(#[$($about_key:tt)*])+
            $key:ident: $key_kind:ty,
            $(
                $(#[$($about_column:tt)*])+
                $name:ident: $kind:ty $([$unit:ident])?,
            )+
        }
    ) => {
        $crate::schema::table::table! {
            $(#[doc = $about])+
            $table in $file, row $row<$life> {
                $(#[$($about_key)*])+
                $key: $key_kind,
                $($(#[$($about_column)*])+ $name: $kind $([$unit])?,)+
            }
        }

        // A field that only one of the two has, or that has another type there, does not compile.
        impl From<$row<'_>> for $message {
            fn from(row: $row<'_>) -> Self {
                let $row { $key: _, $($name),+ } = row;
                Self { $($name: $name.into()),+ }
            }
        }

        impl<$life> $row<$life> {
            /// The row of a message.
            pub fn from_message($key: &$life str, message: $message) -> Self {
                let $message { $($name),+ } = message;
                Self { $key: $key.into(), $($name: $name.into()),+ }
            }
        }
    };
    (@unit) => { $crate::schema::Unit::None };
    (@unit $unit:ident) => { $crate::schema::Unit::$unit };
    (@absent) => { None };
    (@absent $absent:literal) => { Some($absent) };
}

pub(super) use table;
