//! A plan that was written to a file, to be replayed exactly: `plan.csv` with a row for each invocation,
//! `due_ns,function,runtime_us,memory_mib`: when it is due after the start of the load, its function, and what it asks
//! for. Further columns are passed over.

use std::collections::HashMap;
use std::num::NonZeroU32;

use super::fault::{Fault, Problem};
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::report::Reason;
use super::table::{Amount, Table};
use crate::events::{Event, Events};
use crate::load::Load;
use crate::trace::{Trace, TraceFunction};

const FILE: &str = "plan.csv";

const COLUMNS: [&str; 4] = ["due_ns", "function", "runtime_us", "memory_mib"];

pub(super) struct Plan;

impl Reader for Plan {
    fn name(&self) -> &'static str {
        "plan"
    }

    fn files(&self) -> &'static str {
        FILE
    }

    fn recognises(&self, names: &[String]) -> bool {
        names.iter().any(|name| name == FILE)
    }

    fn read(&self, reading: &mut Reading<'_>, _names: &[String], selection: &Selection) -> Option<Trace> {
        reading.refuse_day(selection)?;
        read(reading, selection)
    }
}

/// Reads a plan: memory grows with its invocations, 16 bytes each.
fn read(reading: &mut Reading<'_>, selection: &Selection) -> Option<Trace> {
    let functions = Functions::read(reading)?;
    let unit_ns = u64::try_from(selection.unit.as_nanos()).unwrap_or(u64::MAX).max(1);
    let last = functions.events.iter().flatten().map(|event| event.start_ns).max();
    let units = last.map_or(0, |last| usize::try_from(last / unit_ns).unwrap_or(usize::MAX).saturating_add(1));
    let wanted = selection.units.unwrap_or(units);
    let problem = match units {
        0 => Some(Problem::NothingLeft { units: wanted }),
        _ if wanted > units => Some(Problem::TooShort { units, wanted }),
        _ => None,
    };
    if let Some(problem) = problem.filter(|_| reading.faults.is_empty()) {
        reading.faults.push(Fault::in_file(FILE, problem));
    }
    let end_ns = unit_ns.saturating_mul(u64::try_from(wanted).unwrap_or(u64::MAX));
    Some(functions.into_trace(reading, end_ns, wanted, selection))
}

/// The functions in the order in which they come, each with its invocations.
#[derive(Default)]
struct Functions {
    indices: HashMap<String, usize>,
    names: Vec<String>,
    events: Vec<Vec<Event>>,
}

impl Functions {
    fn read(reading: &mut Reading<'_>) -> Option<Self> {
        let mut table = Table::open(reading, FILE)?;
        let [due, function, runtime, memory] = table.columns(COLUMNS, &mut reading.faults)?;
        let mut functions = Self::default();
        while let Some(row) = table.next_row(&mut reading.faults) {
            let name = reading.faults.take(row.id(function));
            let due = reading.faults.take(row.amount(due, Amount::NANOSECONDS)).map(nanos);
            let runtime = reading.faults.take(row.count(runtime));
            let memory = reading.faults.take(row.amount(memory, Amount::MEBIBYTES)).map(mebibytes);
            if let (Some(name), Some(start_ns), Some(runtime_us), Some(memory_mib)) = (name, due, runtime, memory) {
                let index = functions.index(name);
                functions.events[index].push(Event { start_ns, runtime_us, memory_mib });
            }
        }
        Some(functions)
    }

    fn index(&mut self, name: &str) -> usize {
        if let Some(&index) = self.indices.get(name) {
            return index;
        }
        self.indices.insert(name.to_owned(), self.names.len());
        self.names.push(name.to_owned());
        self.events.push(Vec::new());
        self.names.len() - 1
    }

    fn into_trace(self, reading: &mut Reading<'_>, end_ns: u64, units: usize, selection: &Selection) -> Trace {
        let mut functions = Vec::with_capacity(self.names.len());
        for (id, mut events) in self.names.into_iter().zip(self.events) {
            events.retain(|event| event.start_ns < end_ns);
            if events.is_empty() {
                reading.report.add(Reason::NoInvocations, &id);
                continue;
            }
            let load = Load::Events(Events::new(events, selection.unit));
            let (owner, app) = (String::new(), String::new());
            functions.push(TraceFunction { id, owner, app, trigger: None, load, runtime: None, memory: None });
        }
        Trace { functions, units }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within Amount::NANOSECONDS")]
fn nanos(amount: f64) -> u64 {
    amount.round() as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within Amount::MEBIBYTES")]
fn mebibytes(amount: f64) -> Option<NonZeroU32> {
    NonZeroU32::new(amount.round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::{Files, complaint, files, read_all};
    use crate::format::{Format, Options, read};

    const TEXT: &str = "due_ns,function,runtime_us,memory_mib,mark\n\
                        5,steady,1000,170,\n\
                        61000000000,bursty,0,1,burst\n\
                        60000000000,steady,2000,10,\n";

    fn plan(text: &str) -> Files {
        files(&[(FILE, text), ("other.csv", "")])
    }

    #[test]
    fn reads_every_invocation_as_it_stands() {
        let (trace, report) = read_all(&plan(TEXT));
        assert!(report.left_out.is_empty());
        assert_eq!((trace.units, trace.invocations()), (2, 3));
        let event = |start_ns, runtime_us, mib| Event { start_ns, runtime_us, memory_mib: NonZeroU32::new(mib) };
        let expected = [
            ("steady", vec![event(5, 1000, 170), event(60_000_000_000, 2000, 10)]),
            ("bursty", vec![event(61_000_000_000, 0, 1)]),
        ];
        for (function, (id, events)) in trace.functions.iter().zip(expected) {
            let Load::Events(found) = &function.load else { panic!("{function:?}") };
            assert_eq!((function.id.as_str(), found.all()), (id, events.as_slice()));
        }
        assert_eq!(Format::detect(&[FILE.to_owned(), "other.csv".to_owned()]), Some(Format::Plan));
    }

    #[test]
    fn a_part_of_it_leaves_functions_out() {
        let options = Options { units: Some(1), ..Options::default() };
        let (trace, report) = read(&plan(TEXT), &options).expect("reads");
        assert_eq!((trace.functions.len(), report.count(Reason::NoInvocations)), (1, 1));
    }

    #[test]
    fn every_bad_field_is_named() {
        let complaint = complaint(&plan("due_ns,function,runtime_us,memory_mib\n-1,f,x,0\n"));
        for part in
            ["plan.csv:2: column due_ns: ", "plan.csv:2: column runtime_us: ", "plan.csv:2: column memory_mib: "]
        {
            assert!(complaint.contains(part), "{part}: {complaint}");
        }
    }
}
