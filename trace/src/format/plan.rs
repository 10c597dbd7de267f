//! A plan that was written to a file, to be replayed exactly: a table with a row for each invocation,
//! `due_ns,function,runtime_us,memory_mib`: when it is due after the start of the load, its function, and what it asks
//! for. Further columns are passed over.

use super::calls::{Call, Calls, Origin, Whose, whole_mib};
use super::header::Header;
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::sets::pick;
use super::table::{Amount, Table};
use super::tags::Tags;
use crate::trace::Trace;

const COLUMNS: [&str; 4] = ["due_ns", "function", "runtime_us", "memory_mib"];

pub(super) struct Plan;

impl Reader for Plan {
    fn name(&self) -> &'static str {
        "plan"
    }

    fn files(&self) -> &'static str {
        "a table due_ns, function, runtime_us, memory_mib, as plan --write makes it"
    }

    fn recognises(&self, _tags: &Tags, header: &Header) -> bool {
        header.has(&COLUMNS)
    }

    fn usual_name(&self, tags: &Tags) -> bool {
        tags.stem == "plan"
    }

    fn needs(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Vec<String>> {
        let location = reading.files.location();
        let picked = pick(&reading.files, mains, selection, "plans");
        reading.take(&location, picked).map(|file| vec![file])
    }

    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
        let [file] = &self.needs(reading, mains, selection)?[..] else { return None };
        read(reading, file, selection)
    }
}

fn read(reading: &mut Reading<'_>, file: &str, selection: &Selection) -> Option<Trace> {
    let mut table = Table::open(reading, file)?;
    let [due, function, runtime, memory] = table.columns(COLUMNS, &mut reading.faults)?;
    let mut calls = Calls::new(Origin::Zero, true);
    while let Some(row) = table.next_row(&mut reading.faults) {
        let name = reading.faults.take(row.id(function));
        let due = reading.faults.take(row.amount(due, Amount::NANOSECONDS)).map(nanos);
        let runtime = reading.faults.take(row.count(runtime));
        let memory = reading.faults.take(row.amount(memory, Amount::MEBIBYTES)).and_then(whole_mib);
        if let (Some(name), Some(start_ns), Some(runtime_us), Some(memory)) = (name, due, runtime, memory) {
            let call = Call { start_ns, runtime_us, memory_mib: Some(memory) };
            let added = calls.add(name, Whose::default(), call, selection);
            reading.take(file, added)?;
        }
    }
    calls.into_trace(reading, file, selection)
}

#[expect(clippy::cast_possible_truncation, reason = "within Amount::NANOSECONDS")]
fn nanos(amount: f64) -> i64 {
    amount.round() as i64
}

#[cfg(test)]
mod tests {
    use crate::format::report::Reason;
    use crate::format::tests::{Files, complaint, events, files, minutes, read_all};
    use crate::format::{Format, read};

    const FILE: &str = "plan.csv";
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
        let found: Vec<_> = trace.functions.iter().map(|function| (function.id.as_str(), events(function))).collect();
        let expected =
            [("steady", vec![(5, 1000, 170), (60_000_000_000, 2000, 10)]), ("bursty", vec![(61_000_000_000, 0, 1)])];
        assert_eq!(found, expected);
        for name in [FILE, "mine.CSV", "what it did.txt"] {
            assert_eq!(Format::detect(&files(&[(name, TEXT)])), Some(Format::Plan));
            assert_eq!(read_all(&files(&[(name, TEXT)])).0, trace);
        }
    }

    #[test]
    fn a_part_of_it_leaves_functions_out() {
        let (trace, report) = read(&plan(TEXT), &minutes(1)).expect("reads").into_parts();
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
