//! Reads a run's directory.

use std::path::{Path, PathBuf};

use loader_proto::v1::{RunState, RunSummary};

use super::{documents::Documents, manifest, remark::Remark, samples::Samples};
use crate::{
    aggregate::{Adder, Aggregates},
    rows::{self, Found},
};

/// A directory that is not a run's.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// Its path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// It has none of a run's files.
    #[error("{} is not the directory of a run: it has no run.json, no summary.json and no invocations", .0.display())]
    NoRun(PathBuf),
}

/// A run.
#[derive(Debug)]
pub struct Run {
    /// Its documents.
    pub documents: Documents,
    /// Its samples, slots and cold starts.
    pub samples: Samples,
    /// The sums of its rows.
    pub rows: Aggregates,
    /// What there is to know about its files.
    pub remarks: Vec<Remark>,
    /// What was found in its rows' file.
    pub(crate) found: Found,
}

impl Run {
    /// Reads a run's directory, in one pass over its rows.
    ///
    /// # Errors
    /// A directory that cannot be read, or is not a run's.
    pub fn read(directory: &Path) -> Result<Self, ReadError> {
        std::fs::read_dir(directory).map_err(|source| ReadError::Io { path: directory.to_owned(), source })?;
        let mut remarks = Vec::new();
        let documents = Documents::read(directory, &mut remarks);
        let samples = Samples::read(directory, &mut remarks);
        let t0 = documents.t0_unix_us().or(samples.slots.first().map(|slot| slot.start_unix_us));
        let mut adder = Adder::new(t0, documents.has_runtimes());
        let found = rows::each(directory, |row| adder.add(row));
        if found.file.is_none() && documents.run.is_none() && documents.summary.is_none() {
            return Err(ReadError::NoRun(directory.to_owned()));
        }
        let rows = adder.finish();
        let mut run = Self { documents, samples, rows, remarks, found };
        run.remark_rows();
        run.remarks.extend(manifest::check(directory, &run.documents, &run.found));
        Ok(run)
    }

    /// Its summary; absent when it ended without.
    pub fn summary(&self) -> Option<&RunSummary> {
        self.documents.summary.as_ref()
    }

    /// What the run is called in a legend: the name of its spec, or its id.
    pub fn label(&self) -> &str {
        self.documents.label()
    }

    /// How it ended, as far as is known.
    pub fn state(&self) -> RunState {
        self.documents.state()
    }

    /// The start of the load, Unix microseconds; absent in a directory that does not say, and without rows.
    pub fn t0_unix_us(&self) -> Option<i64> {
        self.documents.t0_unix_us().or(self.samples.slots.first().map(|slot| slot.start_unix_us))
    }

    /// The number of rows that were read.
    pub fn row_count(&self) -> u64 {
        self.found.rows
    }

    /// An instant in seconds since the start of the load.
    pub fn since_start(&self, unix_us: i64) -> f64 {
        self.t0_unix_us().map_or(0.0, |t0| (unix_us - t0) as f64 / 1e6)
    }

    fn remark_rows(&mut self) {
        let Found { file, rows, unreadable, first_fault, cut_off_bytes, unknown_columns, ended } = &self.found;
        let Some(file) = file else {
            self.remarks.push(Remark::serious("there is no invocations.csv: figures of rows are missing"));
            return;
        };
        if let Some(ended) = ended {
            let what = if *rows == 0 { "cannot be read" } else { "can be read only in part" };
            self.remarks
                .push(Remark::serious(format!("{file} {what}: {ended}; figures are of the {rows} rows before that")));
        }
        if *unreadable > 0 {
            let fault = first_fault.as_deref().unwrap_or_default();
            self.remarks.push(Remark::serious(format!("{unreadable} rows of {file} were skipped; the first: {fault}")));
        }
        if *cut_off_bytes > 0 {
            let text =
                format!("the last row of {file} was cut off; {cut_off_bytes} bytes of it remain and are not counted");
            self.remarks.push(Remark::serious(text));
        }
        if !unknown_columns.is_empty() {
            let text = "were written by a newer version, and are left out";
            let named = unknown_columns.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
            self.remarks
                .push(Remark::slight(format!("columns of {file} that this version does not know {text}: {named}")));
        }
        if self.rows.outside > 0 {
            let text = "lie more than a month from the start of the load, and are in no figure over time";
            self.remarks.push(Remark::serious(format!("{} rows {text}", self.rows.outside)));
        }
        if let Some(expected) = self.summary().map(|summary| summary.rows).filter(|expected| expected != rows) {
            self.remarks.push(Remark::serious(format!("{file} has {rows} rows, its summary says {expected}")));
        }
    }
}
