//! The figures of a worker, from its rows.

use tokio::time::Instant;

use crate::{
    histogram::Histogram,
    plan::Phase,
    record::{Counts, Row},
    units::micros,
};

/// The figures of one worker, added up from its rows.
#[derive(Debug, Default)]
pub(in crate::record) struct WorkerStatistics {
    /// Everything in the file.
    pub(super) rows: u64,
    /// Of the measured phase.
    pub(super) measured: Counts,
    pub(super) dispatch_lag: Histogram,
    pub(super) own_lag: Histogram,
    pub(super) receive_lag: Histogram,
    /// Measured slots in which it was the bottleneck.
    pub(in crate::record) saturated_slots: u32,
}

impl WorkerStatistics {
    /// Counts a row of the worker.
    pub(in crate::record) fn add(&mut self, row: &Row, t0: Instant) {
        self.rows += 1;
        if row.planned.slot.phase == Phase::Warmup {
            return;
        }
        self.measured.add(row);
        if !row.planned.is_measured() {
            return;
        }
        if let (Some(lag), Some(own)) = (row.lag(t0), row.own_lag(t0)) {
            self.dispatch_lag.add(micros(lag));
            self.own_lag.add(micros(own));
        }
        row.outcome.receive_lag.into_iter().for_each(|lag| self.receive_lag.add(micros(lag)));
    }
}
