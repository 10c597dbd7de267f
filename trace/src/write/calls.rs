//! A trace as a table of single invocations, which [`crate::Format::Azure2021`] describes.

use std::path::Path;

use super::tables::Table;
use super::{Output, WriteError};
use crate::arrivals::Arrivals;
use crate::load::Load;
use crate::random::{Purpose, StreamKey};
use crate::sizes::Clamp;
use crate::trace::{Trace, TraceFunction};

/// The name of the file.
pub const CALLS: &str = "calls.csv";

/// Memory of an invocation of which none is known is left empty.
const COLUMNS: [&str; 5] = ["app", "func", "end_timestamp", "duration", "memory"];

/// How the times of invocations that are only counted are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// How they lie in their unit.
    pub arrivals: Arrivals,
    /// Everything random comes from it.
    pub seed: u64,
}

/// An invocation, in nanoseconds and microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    start_ns: u64,
    function: usize,
    runtime_us: u64,
    memory_mib: Option<u32>,
}

/// Writes every invocation of a trace into `folder` of the output, by start; gives how many there are. The times of single invocations are kept, to the
/// nanosecond, those of counted ones are drawn.
///
/// # Errors
/// When the file can't be written.
pub fn calls(trace: &Trace, times: Times, output: &Output, folder: &Path) -> Result<u64, WriteError> {
    let mut table = Table::create(output, folder.join(CALLS))?;
    table.row(COLUMNS.iter().map(|&column| column.to_owned()))?;
    let unit_ns = u64::try_from(trace.unit.as_nanos()).unwrap_or(u64::MAX);
    let mut written = 0;
    // A unit at a time, so that what is held is what happens in one.
    for unit in 0..trace.units {
        let mut calls: Vec<Call> = Vec::new();
        for (number, function) in trace.functions.iter().enumerate() {
            add(&mut calls, number, function, unit, unit_ns, times);
        }
        calls.sort_unstable();
        written += calls.len() as u64;
        for call in calls {
            table.row(fields(&trace.functions[call.function], call))?;
        }
    }
    table.finish()?;
    Ok(written)
}

fn add(calls: &mut Vec<Call>, number: usize, function: &TraceFunction, unit: usize, unit_ns: u64, times: Times) {
    let count = match &function.load {
        Load::Events(events) => {
            calls.extend(events.in_unit(unit).iter().map(|event| Call {
                start_ns: event.start_ns,
                function: number,
                runtime_us: event.runtime_us.into(),
                memory_mib: event.memory_mib.map(std::num::NonZeroU32::get),
            }));
            return;
        }
        Load::Counts(counts) => counts.get(unit),
    };
    if count == 0 {
        return;
    }
    let stream =
        |purpose| StreamKey::new(times.seed, &function.id, purpose).unit(u32::try_from(unit).unwrap_or(u32::MAX));
    let (mut runtime, mut memory) = (stream(Purpose::Runtime), stream(Purpose::Memory));
    let begin_ns = unit_ns.saturating_mul(unit as u64);
    for offset_ns in times.arrivals.stream(count, unit_ns, stream(Purpose::Arrivals)) {
        let drawn = function.runtime.as_ref().map(|profile| Clamp::RUNTIME.apply(profile.sample(&mut runtime)).value);
        calls.push(Call {
            start_ns: begin_ns.saturating_add(offset_ns),
            function: number,
            runtime_us: drawn.map_or(0, |runtime| u64::try_from(runtime.as_micros()).unwrap_or(u64::MAX)),
            memory_mib: function.memory.as_ref().map(|profile| profile.sample(&mut memory)),
        });
    }
}

fn fields(function: &TraceFunction, call: Call) -> impl Iterator<Item = String> {
    // An id of the form app/func is taken apart again.
    let plain = function.id.strip_prefix(function.app.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let app = if function.app.is_empty() { "app" } else { &function.app };
    let end_ns = call.start_ns.saturating_add(call.runtime_us.saturating_mul(1000));
    [
        app.to_owned(),
        plain.unwrap_or(&function.id).to_owned(),
        format!("{}.{:09}", end_ns / 1_000_000_000, end_ns % 1_000_000_000),
        format!("{}.{:06}", call.runtime_us / 1_000_000, call.runtime_us % 1_000_000),
        call.memory_mib.map(|mib| mib.to_string()).unwrap_or_default(),
    ]
    .into_iter()
}
