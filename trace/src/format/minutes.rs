//! A table with a row for each minute of a day and a column for each function.

use super::fault::Problem;
use super::reading::Reading;
use super::report::Reason;
use super::table::{Amount, Row, Table};

const MINUTE_S: f64 = 60.0;
const DAY_S: f64 = 86_400.0;

/// What is no function: the number of the day, and the index that some programs write, which has no name.
const OTHERS: [&str; 2] = ["day", ""];

/// An open table, after its header.
pub(super) struct Minutes {
    table: Table,
    time: usize,
    /// The column of each function.
    columns: Vec<usize>,
}

impl Minutes {
    /// Opens `file`; none and the faults when its header is bad.
    pub(super) fn open(reading: &mut Reading<'_>, file: &str) -> Option<Self> {
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
        Some(Self { time: time.filter(|_| whole)?, table, columns })
    }

    /// The functions, in the order of their columns.
    pub(super) fn functions(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|&column| self.table.header()[column].as_str())
    }

    /// Hands each row to `each`, with the number of its minute in the day, from 0, and the columns of the functions. Of
    /// several rows for one minute the first is used. Times count seconds from any midnight: the published ones from that
    /// of the first day.
    pub(super) fn each(mut self, reading: &mut Reading<'_>, mut each: impl FnMut(&mut Reading<'_>, Minute<'_>)) {
        let mut present = Vec::new();
        while let Some(row) = self.table.next_row(&mut reading.faults) {
            let Some(time) = reading.faults.take(row.amount(self.time, Amount::SECONDS)) else { continue };
            let minute = minute(time);
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

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1439")]
fn minute(time: f64) -> usize {
    (time % DAY_S / MINUTE_S) as usize
}
