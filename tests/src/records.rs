//! The files of a run.

use std::{collections::BTreeMap, path::Path, str::FromStr};

/// A CSV file, its fields found by row and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: BTreeMap<String, usize>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads a file whole.
    ///
    /// # Panics
    /// When it can't be read, or has a row that does not fit.
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        let mut reader = csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let header = reader.headers().expect("it has a header").clone();
        let columns = header.iter().enumerate().map(|(index, name)| (name.to_owned(), index)).collect();
        let rows = reader.records().collect::<Result<_, _>>();
        Self { columns, rows: rows.unwrap_or_else(|error| panic!("{}: {error}", path.display())) }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The fields of a column, row by row.
    ///
    /// # Panics
    /// When there is no such column.
    #[track_caller]
    pub fn column(&self, name: &str) -> Vec<&str> {
        let index = *self.columns.get(name).unwrap_or_else(|| panic!("no column {name} in {:?}", self.columns));
        self.rows.iter().map(|row| row.get(index).unwrap_or_default()).collect()
    }

    /// A column of whole numbers.
    ///
    /// # Panics
    /// When there is no such column, or a field that is no such number.
    #[track_caller]
    pub fn numbers<T: FromStr>(&self, name: &str) -> Vec<T> {
        let parse = |field: &str| field.parse().unwrap_or_else(|_| panic!("{name}: {field:?} is no number"));
        self.column(name).into_iter().map(parse).collect()
    }

    /// Several columns, row by row.
    ///
    /// # Panics
    /// When a column is missing.
    #[track_caller]
    pub fn columns<const N: usize>(&self, names: [&str; N]) -> Vec<[&str; N]> {
        let columns = names.map(|name| self.column(name));
        (0..self.len()).map(|row| std::array::from_fn(|column| columns[column][row])).collect()
    }

    /// How often each value of a column occurs.
    ///
    /// # Panics
    /// When there is no such column.
    #[track_caller]
    pub fn counts(&self, name: &str) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for value in self.column(name) {
            *counts.entry(value).or_default() += 1;
        }
        counts
    }
}
