//! Azure Functions 2021: one CSV file with a row for each invocation, `app,func,end_timestamp,duration`, the last two
//! in seconds. Other traces of single invocations come in it too, once converted.
//!
//! An invocation starts at `end_timestamp - duration`; the first start of the file is the start of the trace. A
//! function is one pair of `app` and `func`, for a `func` is unique only in its app; its id is `app/func`. Memory is
//! not known.
//!
//! Source: Zhang et al., "Faster and Cheaper Serverless Computing on Harvested Resources" (SOSP 2021); repository
//! `Azure/AzurePublicDataset`, `AzureFunctionsInvocationTrace2021.md`.

use std::collections::HashMap;

use super::fault::{Fault, Problem};
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::report::Reason;
use super::source::Source;
use super::table::{Amount, Row, Table};
use crate::events::{Event, Events};
use crate::load::Load;
use crate::trace::{Trace, TraceFunction};

/// The name of the published file begins so, and ends in `.txt`.
const PUBLISHED: &str = "AzureFunctionsInvocationTrace";

const NS_PER_SECOND: i64 = 1_000_000_000;

pub(super) struct Azure2021;

impl Reader for Azure2021 {
    fn name(&self) -> &'static str {
        "azure2021"
    }

    fn files(&self) -> &'static str {
        "one CSV file alone"
    }

    fn recognises(&self, names: &[String]) -> bool {
        tables(names).len() == 1
    }

    fn read(&self, reading: &mut Reading<'_>, names: &[String], selection: &Selection) -> Option<Trace> {
        reading.refuse_day(selection)?;
        let file = reading.faults.take(table(reading.source, names))?;
        read(reading, &file, selection)
    }
}

/// The files that can be the table: those named `.csv`, and the published one; not those in folders.
fn tables(names: &[String]) -> Vec<&String> {
    let published = |name: &str| name.starts_with(PUBLISHED) && name.ends_with(".txt");
    names.iter().filter(|name| !name.contains('/') && (name.ends_with(".csv") || published(name))).collect()
}

/// The only file that can be the table.
fn table(source: &dyn Source, names: &[String]) -> Result<String, Fault> {
    match tables(names)[..] {
        [name] => Ok(name.clone()),
        [] => Err(Fault::in_file("<one>.csv", Problem::FileMissing)),
        ref names => {
            let names = names.iter().map(|&name| name.clone()).collect();
            Err(Fault::in_file(&source.location(), Problem::SeveralTables { names }))
        }
    }
}

/// Reads the table: memory grows with its invocations, 16 bytes each.
fn read(reading: &mut Reading<'_>, file: &str, selection: &Selection) -> Option<Trace> {
    let functions = Functions::read(reading, file)?;
    match functions.span(selection) {
        Ok(span) => Some(functions.into_trace(reading, &span, selection)),
        Err(problem) => {
            // The rest of a file with other faults does not show its length.
            if reading.faults.is_empty() {
                reading.faults.push(Fault::in_file(file, problem));
            }
            None
        }
    }
}

/// The part of the file's time that is needed.
struct Span {
    /// On the file's clock.
    first_ns: i64,
    /// The end of the part, in nanoseconds since `first_ns`.
    end_ns: u64,
    units: usize,
}

/// The functions in the order of their first rows.
#[derive(Default)]
struct Functions {
    functions: Vec<Function>,
    /// Indices in `functions`, by id.
    indices: HashMap<String, usize>,
}

struct Function {
    app: String,
    id: String,
    invocations: Vec<Invocation>,
}

/// An invocation, its start on the file's clock.
struct Invocation {
    start_ns: i64,
    runtime_us: u32,
}

struct Columns {
    app: usize,
    func: usize,
    end: usize,
    duration: usize,
}

impl Functions {
    fn read(reading: &mut Reading<'_>, file: &str) -> Option<Self> {
        let mut table = Table::open(reading, file)?;
        let names = ["app", "func", "end_timestamp", "duration"];
        let [app, func, end, duration] = table.columns(names, &mut reading.faults)?;
        let columns = Columns { app, func, end, duration };
        let mut functions = Self::default();
        let mut key = String::new();
        while let Some(row) = table.next_row(&mut reading.faults) {
            let ids = reading.faults.take(row.id(columns.app)).zip(reading.faults.take(row.id(columns.func)));
            let invocation = columns.invocation(&row, reading);
            if let (Some((app, func)), Some(invocation)) = (ids, invocation) {
                key.clear();
                key.extend([app, "/", func]);
                functions.of(&key, app).invocations.push(invocation);
            }
        }
        Some(functions)
    }

    /// The function of that id, which may be new and then is one of `app`.
    fn of(&mut self, id: &str, app: &str) -> &mut Function {
        let index = self.indices.get(id).copied().unwrap_or_else(|| {
            let index = self.functions.len();
            self.indices.insert(id.to_owned(), index);
            self.functions.push(Function { app: app.to_owned(), id: id.to_owned(), invocations: Vec::new() });
            index
        });
        &mut self.functions[index]
    }

    /// The requested span, if the invocations last that long.
    fn span(&self, selection: &Selection) -> Result<Span, Problem> {
        let starts = || self.functions.iter().flat_map(|function| &function.invocations).map(|each| each.start_ns);
        let nothing_left = Problem::NothingLeft { units: selection.units.unwrap_or_default() };
        let (first_ns, last_ns) = starts().min().zip(starts().max()).ok_or(nothing_left)?;
        let unit_ns = u64::try_from(selection.unit.as_nanos()).unwrap_or(u64::MAX).max(1);
        let last_unit = usize::try_from(last_ns.abs_diff(first_ns) / unit_ns).unwrap_or(usize::MAX);
        let units = last_unit.saturating_add(1);
        let wanted = selection.units.unwrap_or(units);
        if wanted == 0 {
            return Err(Problem::NothingLeft { units: 0 });
        }
        if wanted > units {
            return Err(Problem::TooShort { units, wanted });
        }
        let end_ns = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_mul(unit_ns);
        Ok(Span { first_ns, end_ns, units: wanted })
    }

    /// What of them lies in `span`.
    fn into_trace(self, reading: &mut Reading<'_>, span: &Span, selection: &Selection) -> Trace {
        let mut functions = Vec::with_capacity(self.functions.len());
        for Function { app, id, invocations } in self.functions {
            let events = invocations.into_iter().map(|Invocation { start_ns, runtime_us }| Event {
                start_ns: start_ns.abs_diff(span.first_ns),
                runtime_us,
                memory_mib: None,
            });
            let events: Vec<Event> = events.filter(|event| event.start_ns < span.end_ns).collect();
            if events.is_empty() {
                reading.report.add(Reason::NoInvocations, &id);
                continue;
            }
            let load = Load::Events(Events::new(events, selection.unit));
            functions.push(TraceFunction {
                id,
                owner: String::new(),
                app,
                trigger: None,
                load,
                runtime: None,
                memory: None,
            });
        }
        Trace { functions, units: span.units }
    }
}

impl Columns {
    /// The invocation of a row; none and the faults when a number is bad.
    ///
    /// Both numbers are read as 64-bit floats: exact to a nanosecond for clocks that start near the trace (two weeks are
    /// kept to 0.2 ns), to 0.3 µs for those that count from 1970.
    fn invocation(&self, row: &Row<'_>, reading: &mut Reading<'_>) -> Option<Invocation> {
        let end = reading.faults.take(row.amount(self.end, Amount::TIMESTAMP));
        let duration = reading.faults.take(row.amount(self.duration, Amount::SECONDS));
        let (end, duration) = (end?, duration?);
        Some(Invocation { start_ns: whole_ns(end) - whole_ns(duration), runtime_us: whole_us(duration) })
    }
}

/// Rounded to the nearest nanosecond; the whole seconds apart, for their nanoseconds may need more than a float's 53 bits.
#[expect(clippy::cast_possible_truncation, reason = "within Amount::TIMESTAMP, whose nanoseconds fit twice")]
fn whole_ns(seconds: f64) -> i64 {
    seconds.trunc() as i64 * NS_PER_SECOND + (seconds.fract() * NS_PER_SECOND as f64).round() as i64
}

/// Rounded to the nearest microsecond.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
fn whole_us(seconds: f64) -> u32 {
    (seconds * 1e6).round() as u32
}

#[cfg(test)]
mod tests;
