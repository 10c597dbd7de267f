//! The table of invocation counts: ids, trigger, and a column for each unit, named 1, 2, ….

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::fault::{Fault, Faults, Problem};
use super::profiles::Index;
use super::reading::Reading;
use super::report::Reason;
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

/// Reads the first `units` units of `file`, or all.
pub(super) fn read(reading: &mut Reading<'_>, file: &str, units: Option<usize>) -> Option<Invocations> {
    let mut table = Table::open(reading, file)?;
    let columns = Columns::find(&table, units, &mut reading.faults)?;
    let mut invocations = Invocations { units: columns.units.len(), ..Invocations::default() };
    let mut counts = Vec::with_capacity(columns.units.len());
    while let Some(row) = table.next_row(&mut reading.faults) {
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
    Some(invocations)
}

impl Columns {
    fn find(table: &Table, wanted: Option<usize>, faults: &mut Faults) -> Option<Self> {
        let ids = table.columns(["HashOwner", "HashApp", "HashFunction"], faults);
        let trigger = faults.take(table.find("Trigger"));
        let units = unit_columns(table, wanted, faults);
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

/// The indices of the columns 1, 2, … in that order: the first `wanted`, or all.
fn unit_columns(table: &Table, wanted: Option<usize>, faults: &mut Faults) -> Option<Vec<usize>> {
    let before = faults.total;
    let numbered = table.header().iter().enumerate();
    let mut numbered: Vec<(usize, usize)> =
        numbered.filter_map(|(index, name)| Some((unit_number(name)?, index))).collect();
    numbered.sort_unstable();
    let mut expected = 1;
    for &(unit, _) in &numbered {
        if unit < expected {
            faults.push(table.header_fault(Some(&unit.to_string()), Problem::ColumnTwice));
        } else if unit > expected {
            faults.push(table.header_fault(Some(&expected.to_string()), Problem::ColumnMissing));
        }
        expected = unit.saturating_add(1);
    }
    let units = numbered.len();
    if units == 0 {
        faults.push(table.header_fault(Some("1"), Problem::ColumnMissing));
    }
    if faults.total > before {
        return None;
    }
    let wanted = wanted.unwrap_or(units);
    if wanted > units {
        faults.push(table.header_fault(None, Problem::TooShort { units, wanted }));
        return None;
    }
    Some(numbered.into_iter().take(wanted).map(|(_, index)| index).collect())
}

/// The number of the unit whose column is named `name`; none when it is another column.
fn unit_number(name: &str) -> Option<usize> {
    if name.bytes().all(|byte| byte.is_ascii_digit()) { name.parse().ok().filter(|&unit| unit > 0) } else { None }
}
