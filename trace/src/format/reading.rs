//! What a reader is given, and what it carries from file to file.

use std::time::Duration;

use super::fault::{Fault, Faults};
use super::files::Files;
use super::problem::Problem;
use super::report::{Cut, Report};

/// What fills in for what a trace does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fallback {
    /// The run time of functions without durations.
    pub runtime: Option<Duration>,
    /// The memory of functions without any, in MiB.
    pub memory_mib: Option<u32>,
}

/// What is read at most; more is a fault, found while reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Functions with invocations in the part that is read.
    pub functions: usize,
    /// Functions in all.
    pub rows: usize,
    /// Counts that are kept: functions times units.
    pub counts: usize,
    /// Single invocations that are kept, 16 bytes each.
    pub invocations: usize,
    /// Bytes of all files, unpacked.
    pub bytes: u64,
}

impl Default for Limits {
    /// Well above every published trace but the largest request tables, of which a part is to be taken.
    fn default() -> Self {
        Self { functions: 100_000, rows: 1_000_000, counts: 1 << 30, invocations: 100_000_000, bytes: 32 << 30 }
    }
}

/// Which part of a trace to read: [`super::Options`] once the format is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection {
    /// The day, by the number in its files' names; none: the only one.
    pub(super) day: Option<u32>,
    /// The sample, by its size; none: the only one.
    pub(super) size: Option<u32>,
    /// How long a unit is; none: as the format has it.
    pub(super) unit: Option<Duration>,
    /// Where the part begins.
    pub(super) start: Duration,
    /// How long it is; none: to the end.
    pub(super) duration: Option<Duration>,
    /// Whether functions that lack a profile are left out instead of being faults.
    pub(super) skip_incomplete: bool,
    /// Whether a table of durations or memory that is not there is no fault.
    pub(super) without_tables: bool,
    /// Whether values that could be repaired are faults.
    pub(super) strict: bool,
    pub(super) fallback: Fallback,
    pub(super) limits: Limits,
}

/// A part of a trace, in units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) unit: Duration,
    /// The number of its first unit, from 0.
    pub(super) first: usize,
    /// How many units are requested; none: all.
    pub(super) wanted: Option<usize>,
}

impl Selection {
    /// The part in units; `own` is the format's unit.
    pub(super) fn span(&self, own: Duration) -> Result<Span, Problem> {
        let unit = self.unit.unwrap_or(own);
        let first = whole("start", self.start, unit)?;
        let wanted = self.duration.map(|duration| whole("duration", duration, unit)).transpose()?;
        Ok(Span { unit, first, wanted })
    }
}

/// How many units a length of time is.
pub(super) fn whole(option: &'static str, value: Duration, unit: Duration) -> Result<usize, Problem> {
    let (length, each) = (value.as_nanos(), unit.as_nanos().max(1));
    let units = usize::try_from(length / each).ok().filter(|_| length % each == 0);
    units.ok_or(Problem::NotWhole { option, value, unit })
}

impl Span {
    /// How many units are read of a trace that has `all`; what is requested beyond its end is cut, and `report` says so.
    pub(super) fn units(&self, all: usize, report: &mut Report) -> Result<usize, Problem> {
        let times = |units: usize| self.unit.saturating_mul(u32::try_from(units).unwrap_or(u32::MAX));
        if all > 0 && self.first >= all {
            return Err(Problem::StartsLate { start: times(self.first), has: times(all) });
        }
        let left = all.saturating_sub(self.first);
        let wanted = self.wanted.unwrap_or(left);
        if wanted > left {
            report.cut = Some(Cut { wanted: times(wanted), left: times(left) });
        }
        Ok(wanted.min(left))
    }

    /// The position in the part of unit number `number` of the trace; none outside.
    pub(super) fn position(&self, number: usize) -> Option<usize> {
        let position = number.checked_sub(self.first)?;
        self.wanted.is_none_or(|wanted| position < wanted).then_some(position)
    }
}

/// The files, and what was found of them so far.
pub(super) struct Reading<'a> {
    pub(super) files: Files<'a>,
    pub(super) faults: Faults,
    pub(super) report: Report,
    /// Whether memory was known per app, and was shared out among its functions.
    pub(super) app_memory: bool,
}

impl<'a> Reading<'a> {
    pub(super) fn of(files: Files<'a>) -> Self {
        Self { files, faults: Faults::default(), report: Report::default(), app_memory: false }
    }

    /// The value; or `None`, with the problem kept as a fault of `file`.
    pub(super) fn take<T>(&mut self, file: &str, result: Result<T, Problem>) -> Option<T> {
        self.faults.take(result.map_err(|problem| Fault::in_file(file, problem)))
    }

    /// For formats without days and samples: `None`, and a fault when one is requested.
    pub(super) fn without_sets(&mut self, selection: &Selection) -> Option<()> {
        let day = selection.day.map(|day| Problem::NoDay { day, days: Vec::new() });
        let size = selection.size.map(|size| Problem::NoSample { size, sizes: Vec::new() });
        let problem = day.or(size).map_or(Ok(()), Err);
        let location = self.files.location();
        self.take(&location, problem)
    }
}
