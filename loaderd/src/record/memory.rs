//! The memory that invocations in flight asked for, over the time of a slot.
//!
//! A slot begins with what earlier ones left in flight, which the pacer reads once. From then on each hand-over adds an
//! invocation's memory and each end takes it away; handed out in the slot are its own invocations alone, of which the row
//! says when, and what ends in it may be of any slot. So the sum over the slot's time is known as soon as its own rows are.
//!
//! Of a run with workers, each reads what it has in flight itself, and the levels add up.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::{Flight, Row};
use crate::id::WorkerIndex;

/// Memory in flight at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLevel {
    /// The instant.
    pub at: Instant,
    /// The sum of what the invocations in flight asked for, in MiB.
    pub mib: u64,
}

/// The memory in flight from the begin of a slot on.
#[derive(Debug, Clone)]
pub(super) struct MemoryLoad {
    begin: Instant,
    /// When the level was read: a loader that is late reads it after the begin.
    read: Instant,
    /// When each worker has read its own.
    workers: BTreeMap<WorkerIndex, Instant>,
    end: Instant,
    /// In flight at the begin.
    begin_mib: u64,
    /// Memory that was added less what was taken away, in MiB.
    change_mib: f64,
    /// The same, each times the seconds from the begin until then.
    moment: f64,
}

impl MemoryLoad {
    /// From one instant to another at most, with this level at its begin or shortly after it.
    pub(super) fn new(begin: Instant, level: MemoryLevel, end: Instant) -> Self {
        Self {
            begin,
            read: level.at,
            workers: BTreeMap::new(),
            end,
            begin_mib: level.mib,
            change_mib: 0.0,
            moment: 0.0,
        }
    }

    /// One more worker has read its own level.
    pub(super) fn joined(&mut self, worker: WorkerIndex, level: MemoryLevel) {
        self.workers.insert(worker, level.at);
        self.begin_mib += level.mib;
    }

    /// Whether an instant lies before its begin.
    pub(super) fn begins_after(&self, at: Instant) -> bool {
        at < self.begin
    }

    /// Whether an instant lies at or behind its end.
    pub(super) fn has_ended(&self, at: Instant) -> bool {
        at >= self.end
    }

    /// It ends then, if that is earlier.
    pub(super) fn cut(&mut self, at: Instant) {
        self.end = self.end.min(at);
    }

    /// One of the slot's own invocations was handed out when its row says.
    pub(super) fn handed_out(&mut self, row: &Row, t0: Instant) {
        if !matches!(row.flight, Flight::Until(_)) {
            return;
        }
        let since_due = row.own_lag(t0).unwrap_or_default();
        self.changed(t0 + row.planned.due.as_duration() + since_due, f64::from(row.planned.memory_mib));
    }

    /// An invocation of any slot that asked for this much ended then.
    pub(super) fn ended(&mut self, worker: Option<WorkerIndex>, at: Instant, memory_mib: u32) {
        let is_missing = match worker {
            None => at < self.read,
            // One that has not read its level yet will read it later.
            Some(worker) => self.workers.get(&worker).is_none_or(|read| at < *read),
        };
        if is_missing {
            self.begin_mib += u64::from(memory_mib);
        }
        self.changed(at, -f64::from(memory_mib));
    }

    fn changed(&mut self, at: Instant, mib: f64) {
        if !self.has_ended(at) {
            self.change_mib += mib;
            self.moment += mib * at.saturating_duration_since(self.begin).as_secs_f64();
        }
    }

    /// The mean from begin to end, in MiB; absent where that has no length.
    pub(super) fn mean_mib(&self) -> Option<f64> {
        let length = self.end.saturating_duration_since(self.begin);
        let seconds = length.as_secs_f64();
        let sum = (self.begin_mib as f64 + self.change_mib) * seconds - self.moment;
        (length > Duration::ZERO).then(|| (sum / seconds).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testkit::{head, row, t0};

    /// The mean over ten seconds that begin with `before` MiB, of invocations of 100 MiB handed out and ended at these
    /// seconds.
    fn mean(before: u64, handed_out: &[u64], ended: &[u64], cut: Option<u64>) -> Option<f64> {
        let t0 = t0();
        let at = |seconds| t0.instant + Duration::from_secs(seconds);
        let mut load = MemoryLoad::new(at(0), MemoryLevel { at: at(0), mib: before }, at(10));
        cut.into_iter().for_each(|seconds| load.cut(at(seconds)));
        for seconds in handed_out {
            let mut row = row(&t0, head(0, 1), seconds * 1000, 5);
            row.planned.memory_mib = 100;
            load.handed_out(&row, t0.instant);
        }
        ended.iter().for_each(|&seconds| load.ended(None, at(seconds), 100));
        load.mean_mib()
    }

    #[test]
    fn a_mean_is_over_time() {
        for (before, handed_out, ended, cut, expected) in [
            (0, &[][..], &[][..], None, 0.0),
            // In flight for the whole of it, from before until after.
            (100, &[], &[], None, 100.0),
            (100, &[], &[5], None, 50.0),
            (0, &[0], &[5], None, 50.0),
            (0, &[5], &[], None, 50.0),
            // What ends after it, or is handed out after it, is not of it.
            (0, &[5], &[10], None, 50.0),
            (100, &[10, 12], &[11], None, 100.0),
            (100, &[2, 4], &[3, 6, 8], None, 110.0),
            (0, &[0], &[], Some(5), 100.0),
            (0, &[0], &[9], Some(5), 100.0),
        ] {
            assert_eq!(
                mean(before, handed_out, ended, cut),
                Some(expected),
                "{before} {handed_out:?} {ended:?} {cut:?}"
            );
        }
        assert_eq!(mean(100, &[], &[], Some(0)), None, "without length");
    }

    #[test]
    fn a_level_that_is_read_late_is_completed_by_what_ended_before() {
        let t0 = t0();
        let at = |seconds| t0.instant + Duration::from_secs(seconds);
        let mut load = MemoryLoad::new(at(0), MemoryLevel { at: at(4), mib: 100 }, at(10));
        load.ended(None, at(2), 50);
        load.ended(None, at(5), 100);
        assert_eq!(load.mean_mib(), Some(60.0), "150 MiB for 2 s, 100 MiB for 3 s");
    }

    #[test]
    fn levels_of_workers_add_up_whenever_each_is_read() {
        let t0 = t0();
        let at = |seconds| t0.instant + Duration::from_secs(seconds);
        let mut load = MemoryLoad::new(at(0), MemoryLevel { at: at(0), mib: 0 }, at(10));
        let [one, two] = [0, 1].map(WorkerIndex);
        load.joined(one, MemoryLevel { at: at(1), mib: 100 });
        // Before and after the level of its own worker was read.
        load.ended(Some(one), at(0), 10);
        load.ended(Some(one), at(5), 100);
        // Its worker reads its level later, without this one.
        load.ended(Some(two), at(2), 50);
        load.joined(two, MemoryLevel { at: at(3), mib: 20 });
        assert_eq!(load.mean_mib(), Some(50.0 + 10.0 + 20.0));
    }

    #[test]
    fn what_was_never_handed_out_holds_nothing() {
        let t0 = t0();
        let (level, end) = (MemoryLevel { at: t0.instant, mib: 0 }, t0.instant + Duration::from_secs(10));
        let mut load = MemoryLoad::new(t0.instant, level, end);
        for flight in [Flight::Never, Flight::OverMemory] {
            load.handed_out(&Row { flight, ..row(&t0, head(0, 1), 0, 5) }, t0.instant);
        }
        assert_eq!(load.mean_mib(), Some(0.0));
    }
}
