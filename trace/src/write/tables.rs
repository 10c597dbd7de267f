//! A trace as tables of the preprocessed Azure 2019 layout, which [`crate::Format::Azure2019Preprocessed`] describes.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::iter::once;
use std::path::{Path, PathBuf};

use super::{Output, WriteError};
use crate::describe::FunctionFigures;
use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::{Trace, TraceFunction};

/// The names of the files: the first is always written, the others where something is known for them.
pub const TABLES: [&str; 3] = ["invocations.csv", "durations.csv", "memory.csv"];

/// An average, and the values at the percentiles of a profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Profiled<const N: usize> {
    pub(crate) average: f64,
    pub(crate) percentiles: [f64; N],
}

/// A function, as the tables have it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row<'a> {
    /// Owner, app, function.
    pub(crate) ids: [&'a str; 3],
    pub(crate) trigger: Option<&'a str>,
    /// Milliseconds.
    pub(crate) runtime: Option<Profiled<7>>,
    /// MiB.
    pub(crate) memory: Option<Profiled<8>>,
}

/// Which of the tables and columns there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Has {
    pub(crate) trigger: bool,
    pub(crate) runtime: bool,
    pub(crate) memory: bool,
}

/// The tables on their way.
pub(crate) struct Tables {
    invocations: Table,
    durations: Option<Table>,
    memory: Option<Table>,
    has_trigger: bool,
}

impl Tables {
    /// Begins tables of so many units in `folder` of the output.
    pub(crate) fn begin(output: &Output, folder: &Path, units: usize, has: Has) -> Result<Self, WriteError> {
        let ids = ["HashOwner", "HashApp", "HashFunction"].map(str::to_owned);
        let mut invocations = Table::create(output, folder.join(TABLES[0]))?;
        let trigger = has.trigger.then(|| "Trigger".to_owned());
        let numbers = (1..=units).map(|unit| unit.to_string());
        invocations.row(ids.clone().into_iter().chain(trigger).chain(numbers))?;
        let durations = has.runtime.then(|| {
            let summary = ["Average", "Count", "Minimum", "Maximum"].map(str::to_owned);
            let percentiles = RuntimeProfile::PERCENTILES.map(|percentile| format!("percentile_Average_{percentile}"));
            Table::begin(output, folder.join(TABLES[1]), ids.clone().into_iter().chain(summary).chain(percentiles))
        });
        let memory = has.memory.then(|| {
            let summary = ["SampleCount", "AverageAllocatedMb"].map(str::to_owned);
            let percentiles =
                MemoryProfile::PERCENTILES.map(|percentile| format!("AverageAllocatedMb_pct{percentile}"));
            Table::begin(output, folder.join(TABLES[2]), ids.clone().into_iter().chain(summary).chain(percentiles))
        });
        let (durations, memory) = (durations.transpose()?, memory.transpose()?);
        Ok(Self { invocations, durations, memory, has_trigger: has.trigger })
    }

    /// Adds a function with its invocations in each unit.
    pub(crate) fn add(&mut self, row: &Row<'_>, counts: impl Iterator<Item = u32>) -> Result<(), WriteError> {
        let ids = row.ids.map(str::to_owned);
        let trigger = self.has_trigger.then(|| row.trigger.unwrap_or_default().to_owned());
        let mut total = 0_u64;
        let counts = counts.map(|count| {
            total += u64::from(count);
            count.to_string()
        });
        self.invocations.row(ids.clone().into_iter().chain(trigger).chain(counts))?;
        let total = total.to_string();
        if let (Some(durations), Some(Profiled { average, percentiles })) = (&mut self.durations, row.runtime) {
            let [least, .., most] = percentiles;
            let summary = [milli(average), total.clone(), milli(least), milli(most)];
            durations.row(ids.clone().into_iter().chain(summary).chain(percentiles.map(milli)))?;
        }
        if let (Some(memory), Some(Profiled { average, percentiles })) = (&mut self.memory, row.memory) {
            memory.row(ids.into_iter().chain([total, milli(average)]).chain(percentiles.map(milli)))?;
        }
        Ok(())
    }

    /// Completes them.
    pub(crate) fn finish(self) -> Result<(), WriteError> {
        once(self.invocations).chain(self.durations).chain(self.memory).try_for_each(Table::finish)
    }
}

/// Writes a trace into `folder` of the output. Single invocations are counted by unit, and their run times and memory make
/// percentiles.
///
/// # Errors
/// When a file can't be written.
pub fn tables(trace: &Trace, output: &Output, folder: &Path) -> Result<(), WriteError> {
    let rows: Vec<Row<'_>> = trace.functions.iter().map(row).collect();
    let any = |is: &dyn Fn(&Row<'_>) -> bool| rows.iter().any(is);
    let has = Has {
        trigger: any(&|row| row.trigger.is_some()),
        runtime: any(&|row| row.runtime.is_some()),
        memory: any(&|row| row.memory.is_some()),
    };
    let mut tables = Tables::begin(output, folder, trace.units, has)?;
    for (function, row) in trace.functions.iter().zip(&rows) {
        let mut counts = vec![0; trace.units];
        function.load.each_active(|unit, count| {
            if let Some(place) = counts.get_mut(unit) {
                *place = count;
            }
        });
        tables.add(row, counts.into_iter())?;
    }
    tables.finish()
}

fn row(function: &TraceFunction) -> Row<'_> {
    let figures = FunctionFigures::of(function);
    let (runtime, memory) = match &function.load {
        Load::Events(events) => {
            let mut runtimes: Vec<f64> =
                events.all().iter().map(|event| f64::from(event.runtime_us) / 1000.0).collect();
            let memory = events.all().iter().filter_map(|event| Some(f64::from(event.memory_mib?.get())));
            let mut memory: Vec<f64> = memory.collect();
            (quantiles(&mut runtimes, RuntimeProfile::PERCENTILES), quantiles(&mut memory, MemoryProfile::PERCENTILES))
        }
        Load::Counts(_) => (None, None),
    };
    let runtime = function.runtime.as_ref().map(RuntimeProfile::millis).or(runtime);
    let memory = function.memory.as_ref().map(MemoryProfile::mib).or(memory);
    Row {
        ids: [&function.owner, &function.app, &function.id],
        trigger: function.trigger.as_deref(),
        runtime: runtime.zip(figures.runtime_ms).map(|(percentiles, average)| Profiled { average, percentiles }),
        memory: memory.zip(figures.memory_mib).map(|(percentiles, average)| Profiled { average, percentiles }),
    }
}

/// The values at percentiles, linear between two; none of none.
pub(super) fn quantiles<const N: usize>(values: &mut [f64], at: [u8; N]) -> Option<[f64; N]> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(at.map(|percentile| {
        let place = f64::from(percentile) / 100.0 * last as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the values")]
        let below = place as usize;
        let (low, high) = (values[below], values[(below + 1).min(last)]);
        low + (high - low) * place.fract()
    }))
}

/// To three decimals: microseconds, where the unit is milliseconds.
pub(super) fn milli(value: f64) -> String {
    format!("{value:.3}")
}

/// A file being written.
pub(super) struct Table {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
}

impl Table {
    pub(super) fn create(output: &Output, path: PathBuf) -> Result<Self, WriteError> {
        Ok(Self { writer: csv::Writer::from_writer(output.file(&path)?), path })
    }

    fn begin(output: &Output, path: PathBuf, header: impl Iterator<Item = String>) -> Result<Self, WriteError> {
        let mut table = Self::create(output, path)?;
        table.row(header)?;
        Ok(table)
    }

    pub(super) fn row(&mut self, fields: impl Iterator<Item = String>) -> Result<(), WriteError> {
        let written = self.writer.write_record(fields.map(String::into_bytes));
        written.map_err(|error| WriteError::Write { path: self.path.clone(), source: io::Error::from(error) })
    }

    pub(super) fn finish(self) -> Result<(), WriteError> {
        let Self { path, writer } = self;
        let written = writer.into_inner().map_err(csv::IntoInnerError::into_error).and_then(|mut file| file.flush());
        written.map_err(|source| WriteError::Write { path, source })
    }
}
