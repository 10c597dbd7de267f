//! The rows of invocations.csv in whichever of its three forms a run left them, one after the other, in memory that does not grow
//! with their number.
//!
//! Columns are found by name. Columns that are not known here are skipped, and ones that are not there are absent in each row; but
//! for the three that no row can be without. A row that can't be read is counted and skipped, and so is the last one where a crash cut it
//! off.

mod columns;
mod invocation;
mod text;

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use columns::{Batch, Columns};
use flate2::read::MultiGzDecoder;
pub(crate) use invocation::Invocation;
use invocation::{COLD, COLUMNS, REQUIRED, TEXTS, Wrong, from_fields};
use loader_proto::schema::{Invocations, Table as _};
use text::TextRows;

/// The forms of the file, in the order in which they are looked for: one gets its new form before the old one goes.
const FORMS: [&str; 3] = ["invocations.csv", "invocations.csv.gz", "invocations.parquet"];

/// What was found beside the rows themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Found {
    /// The name of the file; absent where there is none.
    pub(crate) file: Option<&'static str>,
    /// Rows that were read.
    pub(crate) rows: u64,
    /// Rows that could not be read.
    pub(crate) unreadable: u64,
    /// What was wrong with the first of them.
    pub(crate) first_fault: Option<String>,
    /// Bytes of a last row that was cut off.
    pub(crate) cut_off_bytes: u64,
    /// Columns that are not known here.
    pub(crate) unknown_columns: Vec<String>,
    /// Why the rest of the file could not be read.
    pub(crate) ended: Option<String>,
}

/// Hands out each row of a run's directory.
pub(crate) fn each(directory: &Path, take: impl FnMut(&Invocation<'_>)) -> Found {
    for name in FORMS {
        let file = match File::open(directory.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Found { file: Some(name), ended: Some(error.to_string()), ..Found::default() },
        };
        let mut found = Found { file: Some(name), ..Found::default() };
        let ended = match name {
            "invocations.csv" => of_text(file, &mut found, take),
            "invocations.csv.gz" => of_text(MultiGzDecoder::new(file), &mut found, take),
            _ => of_columns(file, &mut found, take),
        };
        found.ended = ended.err();
        return found;
    }
    Found::default()
}

fn of_text(source: impl Read, found: &mut Found, mut take: impl FnMut(&Invocation<'_>)) -> Result<(), String> {
    let (mut rows, mut commas) = (TextRows::new(source), Vec::new());
    let failed = |error: io::Error| error.to_string();
    let header = match rows.next(&mut commas).map_err(failed)? {
        Some(fields) => {
            let name = |place| String::from_utf8_lossy(fields.get(place).unwrap_or_default()).into_owned();
            (0..fields.len()).map(name).collect::<Vec<_>>()
        }
        None => {
            found.cut_off_bytes = rows.rest();
            return Ok(());
        }
    };
    let places = places(&header, found)?;
    loop {
        let fields = match rows.next(&mut commas) {
            Ok(Some(fields)) => fields,
            Ok(None) => break,
            // A gzip file that was cut off ends so, behind its last whole row.
            Err(error) => return Err(error.to_string()),
        };
        let row = if fields.len() == header.len() {
            let at = |place: usize| places.get(place).copied().flatten().and_then(|place| fields.get(place));
            from_fields(at).map_err(|wrong| wrong.to_string())
        } else {
            Err(format!("it has {} fields, the header {}", fields.len(), header.len()))
        };
        count(found, row, &mut take);
    }
    found.cut_off_bytes = rows.rest();
    Ok(())
}

fn of_columns(file: File, found: &mut Found, mut take: impl FnMut(&Invocation<'_>)) -> Result<(), String> {
    let columns = Columns::open(file).map_err(|error| error.to_string())?;
    places(&columns.header(), found)?;
    let ended = columns.each(|rows, batches| {
        for at in 0..rows {
            count(found, of_batches(batches, at).map_err(|wrong| wrong.to_string()), &mut take);
        }
    });
    ended.map_err(|error| error.to_string())
}

/// The row at that place of a batch.
fn of_batches(batches: &[Batch; COLUMNS.len()], at: usize) -> Result<Invocation<'_>, Wrong> {
    let text = |place: usize| match batches.get(place) {
        Some(Batch::Text(values)) => values.get(at).and_then(Option::as_ref).map_or(&b""[..], |value| value.data()),
        _ => b"",
    };
    let number = |place: usize| match batches.get(place) {
        Some(Batch::Integer(values)) => values.get(at).copied().flatten(),
        _ => None,
    };
    let cold_start = match batches.get(COLD) {
        Some(Batch::Boolean(values)) => values.get(at).copied().flatten(),
        _ => None,
    };
    let missing = || Wrong { column: COLUMNS.get(TEXTS).copied().unwrap_or_default(), text: String::new() };
    Ok(Invocation {
        function: text(0),
        phase: text(1),
        mark: text(2),
        status: text(3),
        due_unix_us: number(TEXTS).ok_or_else(missing)?,
        sent_unix_us: number(5),
        dispatch_lag_us: number(6),
        connect_us: number(7),
        stream_wait_us: number(8),
        response_us: number(9),
        receive_lag_us: number(10),
        requested_runtime_us: number(11),
        actual_runtime_us: number(12),
        cold_start,
    })
}

/// Where the columns of a report are in a file.
fn places(header: &[String], found: &mut Found) -> Result<[Option<usize>; COLUMNS.len()], String> {
    let unknown = header.iter().filter(|name| Invocations::SCHEMA.column(name).is_none());
    found.unknown_columns = unknown.cloned().collect();
    let missing: Vec<_> = REQUIRED.iter().copied().filter(|column| !header.iter().any(|name| name == column)).collect();
    if !missing.is_empty() {
        return Err(format!("it has no column {}", missing.join(", ")));
    }
    Ok(COLUMNS.map(|column| header.iter().position(|name| name == column)))
}

fn count(found: &mut Found, row: Result<Invocation<'_>, String>, take: &mut impl FnMut(&Invocation<'_>)) {
    match row {
        Ok(row) => {
            found.rows += 1;
            take(&row);
        }
        Err(fault) => {
            found.unreadable += 1;
            if found.first_fault.is_none() {
                found.first_fault = Some(format!("row {}: {fault}", found.rows + found.unreadable));
            }
        }
    }
}

#[cfg(test)]
mod tests;
