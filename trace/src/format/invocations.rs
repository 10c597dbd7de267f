//! The table of invocation counts: ids, trigger, and a column for each unit, numbered consecutively from any number.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::fault::{Fault, Faults};
use super::header::Header;
use super::problem::Problem;
use super::profiles::Index;
use super::reading::{Reading, Selection, Span};
use super::report::{Reason, Report};
use super::table::{Row, Table};
use crate::counts::Counts;
use crate::load::Load;
use crate::trace::TraceFunction;

/// What the table holds.
#[derive(Default)]
pub(super) struct Invocations {
    /// Those with invocations, without profiles.
    pub(super) functions: Vec<TraceFunction>,
    /// Units of each function's counts.
    pub(super) units: usize,
    /// Every function of the table; those that are kept with their index in `functions`.
    pub(super) index: Index,
    /// How many functions each app has in the table, whether they are kept or not.
    pub(super) apps: HashMap<String, u32>,
}

/// Where the columns are.
struct Columns {
    owner: usize,
    app: usize,
    function: usize,
    trigger: Option<usize>,
    units: Vec<usize>,
}

/// Whether a header is that of such a table.
pub(super) fn recognises(header: &Header) -> bool {
    header.has(&["HashFunction"]) && header.any(|column| unit_number(column).is_some())
}

/// Reads the units of `span`.
pub(super) fn read(reading: &mut Reading<'_>, file: &str, span: &Span, selection: &Selection) -> Option<Invocations> {
    let mut table = Table::open(reading, file)?;
    let columns = Columns::find(&table, span, &mut reading.faults, &mut reading.report)?;
    let mut invocations = Invocations { units: columns.units.len(), ..Invocations::default() };
    let mut counts = Vec::with_capacity(columns.units.len());
    while let Some(row) = table.next_row(&mut reading.faults) {
        if let Err(problem) = invocations.bounded(selection) {
            reading.faults.push(Fault::in_file(file, problem));
            return None;
        }
        let Some(id) = reading.faults.take(row.id(columns.function)) else { continue };
        let Entry::Vacant(entry) = invocations.index.entry(id.to_owned()) else {
            reading.report.add(Reason::DuplicateFunction, id);
            continue;
        };
        let before = reading.faults.total;
        counts.clear();
        counts.extend(columns.units.iter().filter_map(|&column| reading.faults.take(row.count(column))));
        let function = reading.faults.take(columns.function(&row, id, &counts));
        let Some(function) = function.filter(|_| reading.faults.total == before) else { continue };
        *invocations.apps.entry(function.app.clone()).or_default() += 1;
        if counts.iter().all(|&count| count == 0) {
            reading.report.add(Reason::NoInvocations, id);
            entry.insert(None);
        } else {
            entry.insert(Some(invocations.functions.len()));
            invocations.functions.push(function);
        }
    }
    // The last row may have been one too many.
    reading.take(file, invocations.bounded(selection))?;
    Some(invocations)
}

impl Invocations {
    /// Whether no more is kept than may be.
    pub(super) fn bounded(&self, selection: &Selection) -> Result<(), Problem> {
        let limits = selection.limits;
        let kept = self.functions.len();
        for (what, number, most) in [
            ("functions that are invoked", kept, limits.functions),
            ("functions", self.index.len(), limits.rows),
            ("counts", kept.saturating_mul(self.units), limits.counts),
        ] {
            if number > most {
                return Err(Problem::TooMany { what, most });
            }
        }
        Ok(())
    }
}

impl Columns {
    fn find(table: &Table, span: &Span, faults: &mut Faults, report: &mut Report) -> Option<Self> {
        let ids = table.columns(["HashOwner", "HashApp", "HashFunction"], faults);
        let trigger = faults.take(table.find("Trigger"));
        let units = unit_columns(table, faults);
        let units = units.and_then(|units| {
            let read = span.units(units.len(), report).map_err(|problem| table.header_fault(None, problem));
            let read = faults.take(read)?;
            Some(units.into_iter().skip(span.first).take(read).collect())
        });
        let ([owner, app, function], trigger, units) = (ids?, trigger?, units?);
        Some(Self { owner, app, function, trigger, units })
    }

    fn function(&self, row: &Row<'_>, id: &str, counts: &[u32]) -> Result<TraceFunction, Fault> {
        Ok(TraceFunction {
            id: id.to_owned(),
            owner: row.text(self.owner)?.to_owned(),
            app: row.text(self.app)?.to_owned(),
            trigger: self.trigger.map(|column| row.text(column)).transpose()?.map(str::to_owned),
            load: Load::Counts(Counts::new(counts)),
            runtime: None,
            memory: None,
        })
    }
}

/// The indices of the columns of counts, in the order in which they stand. They are numbered consecutively from any number:
/// a published day from 1, what was cut out of it by the minute at which that begins.
fn unit_columns(table: &Table, faults: &mut Faults) -> Option<Vec<usize>> {
    let before = faults.total;
    for name in table.header().iter().filter(|name| is_other_number(name)) {
        faults.push(table.header_fault(Some(name), Problem::ColumnNotWhole));
    }
    let numbered = table.header().iter().enumerate();
    let numbered: Vec<(u64, &str, usize)> =
        numbered.filter_map(|(index, name)| Some((unit_number(name)?, name.as_str(), index))).collect();
    let mut times: HashMap<u64, u32> = HashMap::new();
    numbered.iter().for_each(|(number, ..)| *times.entry(*number).or_default() += 1);
    for pair in numbered.windows(2) {
        let ((last, before, _), (number, name, _)) = (pair[0], pair[1]);
        let next = last.saturating_add(1);
        let (column, problem) = if number == next {
            continue;
        } else if times.get(&number).is_some_and(|&times| times > 1) {
            (name.to_owned(), Problem::ColumnTwice)
        } else if number > next && !times.contains_key(&next) {
            (next.to_string(), Problem::ColumnMissing)
        } else {
            (name.to_owned(), Problem::ColumnOutOfOrder { before: before.to_owned() })
        };
        faults.push(table.header_fault(Some(&column), problem));
    }
    if numbered.is_empty() && faults.total == before {
        faults.push(table.header_fault(Some("1"), Problem::ColumnMissing));
    }
    (faults.total == before).then(|| numbered.into_iter().map(|(_, _, index)| index).collect())
}

/// The number of the unit whose column is named `name`; none when it is another column.
fn unit_number(name: &str) -> Option<u64> {
    if name.bytes().all(|byte| byte.is_ascii_digit()) { name.parse().ok() } else { None }
}

/// Whether a column is named by a number that no unit has, such as -1 or 1.5.
fn is_other_number(name: &str) -> bool {
    unit_number(name).is_none() && name.trim().parse().is_ok_and(f64::is_finite)
}
