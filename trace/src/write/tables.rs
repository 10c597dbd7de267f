//! A trace as tables of the preprocessed Azure 2019 layout, which [`crate::Format::Azure2019Preprocessed`] describes.

use std::iter::once;
use std::path::Path;

use super::cell::{Cell, Kind};
use super::table::{Form, Table};
use super::{Output, WriteError};
use crate::describe::FunctionFigures;
use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::{Trace, TraceFunction};

/// The names of the tables: the first is always written, the others where something is known for them.
const TABLES: [&str; 3] = ["invocations", "durations", "memory"];

/// The names of all files that a trace's tables can have, in either form: what is written replaces what is there of these.
pub const TABLE_FILES: [&str; 6] =
    ["invocations.csv", "durations.csv", "memory.csv", "invocations.parquet", "durations.parquet", "memory.parquet"];

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
    pub(crate) fn begin(
        output: &Output,
        folder: &Path,
        form: Form,
        units: usize,
        has: Has,
    ) -> Result<Self, WriteError> {
        let begin = |name: &str, own: Vec<(String, Kind)>| {
            let ids = ["HashOwner", "HashApp", "HashFunction"].map(|id| (id.to_owned(), Kind::Text));
            let columns: Vec<(String, Kind)> = ids.into_iter().chain(own).collect();
            Table::begin(output, &folder.join(name), form, &columns)
        };
        let trigger = has.trigger.then(|| ("Trigger".to_owned(), Kind::Text));
        let counts = (1..=units).map(|unit| (unit.to_string(), Kind::Count));
        let invocations = begin(TABLES[0], trigger.into_iter().chain(counts).collect())?;
        let durations = has.runtime.then(|| {
            let summary = ["Average", "Count", "Minimum", "Maximum"];
            let percentiles = RuntimeProfile::PERCENTILES.map(|percentile| format!("percentile_Average_{percentile}"));
            begin(TABLES[1], profiled(&summary, percentiles))
        });
        let memory = has.memory.then(|| {
            let summary = ["SampleCount", "AverageAllocatedMb"];
            let percentiles =
                MemoryProfile::PERCENTILES.map(|percentile| format!("AverageAllocatedMb_pct{percentile}"));
            begin(TABLES[2], profiled(&summary, percentiles))
        });
        let (durations, memory) = (durations.transpose()?, memory.transpose()?);
        Ok(Self { invocations, durations, memory, has_trigger: has.trigger })
    }

    /// Adds a function with its invocations in each unit.
    pub(crate) fn add(&mut self, row: &Row<'_>, counts: impl Iterator<Item = u32>) -> Result<(), WriteError> {
        let ids = row.ids.map(Cell::Text);
        let trigger = self.has_trigger.then(|| Cell::Text(row.trigger.unwrap_or_default()));
        let mut total = 0;
        let counts = counts.map(|count| {
            total += u64::from(count);
            Cell::Count(count.into())
        });
        self.invocations.row(ids.into_iter().chain(trigger).chain(counts))?;
        if let (Some(durations), Some(Profiled { average, percentiles })) = (&mut self.durations, row.runtime) {
            let [least, .., most] = percentiles;
            let summary = [Cell::Number(average), Cell::Count(total), Cell::Number(least), Cell::Number(most)];
            durations.row(ids.into_iter().chain(summary).chain(percentiles.map(Cell::Number)))?;
        }
        if let (Some(memory), Some(Profiled { average, percentiles })) = (&mut self.memory, row.memory) {
            let summary = [Cell::Count(total), Cell::Number(average)];
            memory.row(ids.into_iter().chain(summary).chain(percentiles.map(Cell::Number)))?;
        }
        Ok(())
    }

    /// Completes them.
    pub(crate) fn finish(self) -> Result<(), WriteError> {
        once(self.invocations).chain(self.durations).chain(self.memory).try_for_each(Table::finish)
    }
}

/// The columns of a table of profiles, after those of ids.
fn profiled<const N: usize>(summary: &[&str], percentiles: [String; N]) -> Vec<(String, Kind)> {
    let kind = |name: &str| if name.ends_with("Count") { Kind::Count } else { Kind::Number };
    let summary = summary.iter().map(|&name| (name.to_owned(), kind(name)));
    summary.chain(percentiles.into_iter().map(|name| (name, Kind::Number))).collect()
}

/// Writes a trace as tables of a form into `folder` of the output, which is one for all [`TABLE_FILES`] in it. Single invocations are counted by unit, and their run times and memory make
/// percentiles.
///
/// # Errors
/// When a file can't be written.
pub fn tables(trace: &Trace, form: Form, output: &Output, folder: &Path) -> Result<(), WriteError> {
    let rows: Vec<Row<'_>> = trace.functions.iter().map(row).collect();
    let any = |is: &dyn Fn(&Row<'_>) -> bool| rows.iter().any(is);
    let has = Has {
        trigger: any(&|row| row.trigger.is_some()),
        runtime: any(&|row| row.runtime.is_some()),
        memory: any(&|row| row.memory.is_some()),
    };
    let mut tables = Tables::begin(output, folder, form, trace.units, has)?;
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
