//! A table with a row for each minute (or second) of a day and a column for each function.

use super::problem::Problem;
use super::reading::Reading;
use super::report::Reason;
use super::table::{Amount, Row, Table};

const DAY_S: f64 = 86_400.0;

/// What is no function: the number of the day, and the index that some programs write, which has no name.
const OTHERS: [&str; 2] = ["day", ""];

/// An open table, after its header.
pub(super) struct Minutes {
    table: Table,
    time: usize,
    /// The column of each function.
    columns: Vec<usize>,
    /// What a row lasts, in seconds.
    row_s: u32,
}

impl Minutes {
    /// Opens `file`, whose rows last `row_s` seconds; none and the faults when its header is bad.
    pub(super) fn open(reading: &mut Reading<'_>, file: &str, row_s: u32) -> Option<Self> {
        let table = Table::open(reading, file)?;
        let time = reading.faults.take(table.column("time"));
        let names = table.header().iter().enumerate();
        let functions = names.filter(|(index, name)| Some(*index) != time && !OTHERS.contains(&name.as_str()));
        let columns: Vec<usize> = functions.map(|(index, _)| index).collect();
        let twice = repeated(columns.iter().map(|&column| table.header()[column].as_str()).collect());
        for name in &twice {
            reading.faults.push(table.header_fault(Some(name), Problem::ColumnTwice));
        }
        let whole = twice.is_empty();
        Some(Self { time: time.filter(|_| whole)?, table, columns, row_s })
    }

    /// The functions, in the order of their columns.
    pub(super) fn functions(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|&column| self.table.header()[column].as_str())
    }

    /// Hands each row to `each`, with its number in the day, from 0, and the columns of the functions. Of
    /// several rows with one number the first is used. Times count seconds from any midnight: the published ones from that
    /// of the first day.
    pub(super) fn each(mut self, reading: &mut Reading<'_>, mut each: impl FnMut(&mut Reading<'_>, Minute<'_>)) {
        let mut present = Vec::new();
        while let Some(row) = self.table.next_row(&mut reading.faults) {
            let Some(time) = reading.faults.take(row.amount(self.time, Amount::SECONDS)) else { continue };
            if time % f64::from(self.row_s.max(1)) > 0.0 {
                let text = row.text(self.time).unwrap_or_default().to_owned();
                reading.faults.push(row.fault(self.time, Problem::NoRowBegins { text, row_s: self.row_s }));
                continue;
            }
            let minute = number(time, self.row_s);
            if present.len() <= minute {
                present.resize(minute + 1, false);
            }
            if present[minute] {
                reading.report.add(Reason::DuplicateMinute, &minute.to_string());
                continue;
            }
            present[minute] = true;
            each(reading, Minute { number: minute, row, columns: &self.columns });
        }
    }
}

/// A row of [`Minutes`].
pub(super) struct Minute<'t> {
    /// In the day, from 0.
    pub(super) number: usize,
    row: Row<'t>,
    columns: &'t [usize],
}

impl Minute<'_> {
    /// The cells that are not empty, with the indices of their functions among those of the table.
    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, usize)> {
        self.columns.iter().copied().enumerate().filter(|&(_, column)| !self.row.is_empty(column))
    }

    /// The row, for the columns that [`Self::cells`] gives.
    pub(super) fn row(&self) -> &Row<'_> {
        &self.row
    }
}

/// The names that appear more than once, each once.
fn repeated(mut names: Vec<&str>) -> Vec<String> {
    names.sort_unstable();
    let mut twice: Vec<&str> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    twice.dedup();
    twice.into_iter().map(str::to_owned).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 86399")]
fn number(time: f64, row_s: u32) -> usize {
    (time % DAY_S / f64::from(row_s.max(1))) as usize
}
