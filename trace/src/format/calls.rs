//! Traces of single invocations: what they have in common, from rows to a trace.
//!
//! Memory grows with the invocations that are kept, 16 bytes each, up to [`super::reading::Limits::invocations`].

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use super::fault::Fault;
use super::problem::Problem;
use super::reading::{Reading, Selection, whole};
use super::repair::{LONGEST_MS, MOST_MB, Repaired, single};
use super::report::{Cut, Reason, Repair};
use super::table::{Amount, Row};
use crate::events::{Event, Events};
use crate::load::Load;
use crate::trace::{Trace, TraceFunction};

const NS_PER_SECOND: i64 = 1_000_000_000;

/// The unit of such a trace, where none is requested.
const OWN_UNIT: Duration = Duration::from_mins(1);

/// Where the time of a trace begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// At the first invocation: the file's clock says nothing else.
    First,
    /// At 0 of the file's clock.
    Zero,
}

/// An invocation, its start on the file's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) start_ns: i64,
    pub(super) runtime_us: u32,
    pub(super) memory_mib: Option<NonZeroU32>,
}

/// Whose function it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Whose<'a> {
    pub(super) owner: &'a str,
    pub(super) app: &'a str,
}

/// The invocations of a trace by function, in the order of the functions' first rows.
pub(super) struct Calls {
    functions: Vec<Function>,
    /// Indices in `functions`, by id.
    indices: HashMap<String, usize>,
    kept: usize,
    origin: Origin,
    /// Whether run times and memory are asked for as they are.
    planned: bool,
}

struct Function {
    id: String,
    owner: String,
    app: String,
    calls: Vec<Call>,
}

impl Calls {
    pub(super) fn new(origin: Origin, planned: bool) -> Self {
        Self { functions: Vec::new(), indices: HashMap::new(), kept: 0, origin, planned }
    }

    /// Adds an invocation of the function `id`.
    pub(super) fn add(&mut self, id: &str, whose: Whose<'_>, call: Call, selection: &Selection) -> Result<(), Problem> {
        let limits = selection.limits;
        if self.kept >= limits.invocations {
            return Err(Problem::TooMany { what: "invocations", most: limits.invocations });
        }
        self.kept += 1;
        let index = self.function(id, whose, selection)?;
        self.functions[index].calls.push(call);
        Ok(())
    }

    /// The index of the function `id`, which may be new.
    pub(super) fn function(&mut self, id: &str, whose: Whose<'_>, selection: &Selection) -> Result<usize, Problem> {
        if let Some(&index) = self.indices.get(id) {
            return Ok(index);
        }
        let (index, most) = (self.functions.len(), selection.limits.functions);
        if index >= most {
            return Err(Problem::TooMany { what: "functions that are invoked", most });
        }
        self.indices.insert(id.to_owned(), index);
        let Whose { owner, app } = whose;
        let (id, owner, app) = (id.to_owned(), owner.to_owned(), app.to_owned());
        self.functions.push(Function { id, owner, app, calls: Vec::new() });
        Ok(index)
    }

    /// The trace that the selected part of them is. `file` is the one at fault when nothing is left.
    pub(super) fn into_trace(self, reading: &mut Reading<'_>, file: &str, selection: &Selection) -> Option<Trace> {
        let part = self.part(reading, selection);
        match part {
            Ok(part) => Some(self.cut(reading, &part)),
            Err(problem) => {
                // The rest of a file with other faults does not show its length.
                if reading.faults.is_empty() {
                    reading.faults.push(Fault::in_file(file, problem));
                }
                None
            }
        }
    }

    fn part(&self, reading: &mut Reading<'_>, selection: &Selection) -> Result<Part, Problem> {
        let unit = selection.unit.unwrap_or(OWN_UNIT);
        let wanted = selection.duration.map(|duration| whole("duration", duration, unit)).transpose()?;
        let starts = || self.functions.iter().flat_map(|function| &function.calls).map(|call| call.start_ns);
        let nothing_left = Problem::NothingLeft { units: 0, lacking: String::new() };
        let (first_ns, last_ns) = starts().min().zip(starts().max()).ok_or(nothing_left)?;
        let zero_ns = if self.origin == Origin::First { first_ns } else { 0 };
        let after_ns = nanos(selection.start);
        let begin_ns = zero_ns.saturating_add(i64::try_from(after_ns).unwrap_or(i64::MAX));
        if begin_ns > last_ns {
            let has = Duration::from_nanos(last_ns.abs_diff(zero_ns));
            return Err(Problem::StartsLate { start: selection.start, has });
        }
        let unit_ns = nanos(unit).max(1);
        let last_unit = usize::try_from(last_ns.abs_diff(begin_ns) / unit_ns).unwrap_or(usize::MAX);
        let left = last_unit.saturating_add(1);
        let units = wanted.unwrap_or(left).min(left);
        if units == 0 {
            return Err(Problem::NothingLeft { units, lacking: String::new() });
        }
        if let Some(wanted) = selection.duration.filter(|_| wanted.is_some_and(|wanted| wanted > left)) {
            reading.report.cut = Some(Cut { wanted, left: Duration::from_nanos(last_ns.abs_diff(begin_ns)) });
        }
        let length_ns = u64::try_from(units).unwrap_or(u64::MAX).saturating_mul(unit_ns);
        Ok(Part { begin_ns, length_ns, units, unit })
    }

    /// What of them lies in `part`.
    fn cut(self, reading: &mut Reading<'_>, part: &Part) -> Trace {
        let mut functions = Vec::with_capacity(self.functions.len());
        for Function { id, owner, app, calls } in self.functions {
            let events = calls.into_iter().filter_map(|Call { start_ns, runtime_us, memory_mib }| {
                let start_ns = start_ns.checked_sub(part.begin_ns).and_then(|since| u64::try_from(since).ok())?;
                (start_ns < part.length_ns).then_some(Event { start_ns, runtime_us, memory_mib })
            });
            let events: Vec<Event> = events.collect();
            if events.is_empty() {
                reading.report.add(Reason::NoInvocations, &id);
                continue;
            }
            let events = if self.planned { Events::planned(events, part.unit) } else { Events::new(events, part.unit) };
            let load = Load::Events(events);
            functions.push(TraceFunction { id, owner, app, trigger: None, load, runtime: None, memory: None });
        }
        Trace { functions, units: part.units, unit: part.unit }
    }
}

/// The part of the file's time that is read.
struct Part {
    /// On the file's clock.
    begin_ns: i64,
    length_ns: u64,
    units: usize,
    unit: Duration,
}

/// A run time in seconds as a row has it; none and a count where there is none, a fault where it is no number or `strict`.
pub(super) fn runtime_s(
    reading: &mut Reading<'_>,
    row: &Row<'_>,
    column: usize,
    id: &str,
    selection: &Selection,
) -> Option<f64> {
    if selection.strict {
        return reading.faults.take(row.amount(column, Amount::SECONDS));
    }
    match single(reading.faults.take(row.optional(column))?, LONGEST_MS / 1000.0) {
        Repaired::Sound(seconds) => Some(seconds),
        Repaired::Changed(seconds) => {
            reading.report.repair(Repair::Durations, id);
            Some(seconds)
        }
        Repaired::Hopeless => {
            reading.report.add(Reason::NoRuntime, id);
            None
        }
    }
}

/// Memory in MB as a row has it; none where it is 0 or can't be, which is counted, a fault where it is no number or `strict`.
pub(super) fn memory_mib(
    reading: &mut Reading<'_>,
    row: &Row<'_>,
    column: usize,
    id: &str,
    selection: &Selection,
) -> Option<NonZeroU32> {
    let amount = Amount { most: MOST_MB, ..Amount::MEGABYTES };
    let value = if selection.strict {
        Some(reading.faults.take(row.amount(column, amount))?)
    } else {
        reading.faults.take(row.optional(column))?
    };
    let sound = value.filter(|&value| amount.contains(value) && value > 0.0);
    if sound.is_none() && value.is_some() && !selection.strict {
        reading.report.repair(Repair::Memory, id);
    }
    sound.and_then(whole_mib)
}

/// Rounded to the nearest MiB, at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds; a cast saturates")]
pub(super) fn whole_mib(mib: f64) -> Option<NonZeroU32> {
    NonZeroU32::new((mib.round() as u32).max(1))
}

/// Rounded to the nearest nanosecond; the whole seconds apart, for their nanoseconds may need more than a float's 53 bits.
#[expect(clippy::cast_possible_truncation, reason = "within Amount::TIMESTAMP, whose nanoseconds fit twice")]
pub(super) fn whole_ns(seconds: f64) -> i64 {
    seconds.trunc() as i64 * NS_PER_SECOND + (seconds.fract() * NS_PER_SECOND as f64).round() as i64
}

/// Rounded to the nearest microsecond; more than an hour and eleven minutes is as much.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
pub(super) fn whole_us(seconds: f64) -> u32 {
    (seconds * 1e6).round() as u32
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
