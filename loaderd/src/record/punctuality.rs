//! Whether some of a slot's invocations were sent in time, as far as the loader is concerned: all of them, or those of a worker.

use std::time::Duration;

use tokio::time::Instant;

use super::Row;
use crate::{histogram::Histogram, units::micros};

/// The share of a slot's plan that must be sent inside the slot.
const ISSUED_SHARE: f64 = 0.99;

/// The percentile of the loader's own lag that is bounded.
const P99: f64 = 0.99;

/// What some rows of a slot show of the loader.
#[derive(Debug, Clone, Default)]
pub(super) struct Punctuality {
    /// Rows.
    pub(super) counted: u64,
    /// Of those, the ones that the loader sent inside the slot, or would have but for others.
    pub(super) attempted: u64,
    /// Rows with an own lag.
    sent: u64,
    /// The own lags above the bound, in microseconds.
    late: Histogram,
}

/// How late a loader, or a worker, was in a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lateness {
    /// Own lag, 99th percentile, where it is above the bound; else too few were sent.
    pub(super) own_lag_p99: Option<Duration>,
    /// Invocations that were attempted in time.
    pub(super) attempted: u64,
    /// Of so many.
    pub(super) planned: u64,
    /// Invocations that were late or not attempted.
    pub(super) missed: u64,
}

impl Lateness {
    /// Whether too few were sent inside the slot, so that it was behind at its end.
    pub(super) fn is_short(&self) -> bool {
        (self.attempted as f64) < ISSUED_SHARE * self.planned as f64
    }
}

impl Punctuality {
    /// Takes a row of a slot whose time, with the bound of the lag, is over at `end`.
    pub(super) fn add(&mut self, row: &Row, t0: Instant, end: Duration, bound: Duration) {
        let own_lag = row.own_lag(t0);
        self.counted += 1;
        // What waited for the peer, or found no connection, counts as sent in time: the loader is not the cause.
        self.attempted += u64::from(match own_lag {
            Some(lag) => row.planned.due.as_duration() + lag <= end,
            None => !row.is_saturated(t0, bound),
        });
        self.sent += u64::from(own_lag.is_some());
        own_lag.filter(|lag| *lag > bound).into_iter().for_each(|lag| self.late.add(micros(lag)));
    }

    /// How late it was, of `planned` invocations; absent when it kept up.
    pub(super) fn lateness(&self, planned: u64) -> Option<Lateness> {
        let own_lag_p99 = self.late_p99();
        let missed = planned.saturating_sub(self.attempted) + self.late.count();
        let lateness = Lateness { own_lag_p99, attempted: self.attempted, planned, missed };
        (own_lag_p99.is_some() || lateness.is_short()).then_some(lateness)
    }

    /// The 99th percentile of the own lag, where it is above the bound: then it is among the late ones.
    fn late_p99(&self) -> Option<Duration> {
        let late = self.late.count();
        let on_time = self.sent - late;
        // As many are late as make the 99th percentile late.
        if late == 0 || (on_time as f64) >= P99 * self.sent as f64 {
            return None;
        }
        let rank = (P99 * self.sent as f64).ceil() - on_time as f64;
        // In the middle between two ranks, so that no rounding leads to the next one.
        let share = (rank - 0.5).max(0.0) / late as f64;
        self.late.quantile(share).map(Duration::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        invoke::Status,
        record::testkit::{head, row, t0, unsent},
    };

    const BOUND: Duration = Duration::from_millis(10);

    /// Rows with these own lags, in milliseconds, and some that were not sent.
    fn of(lags: &[u64], unsent_rows: u64) -> Punctuality {
        let (t0, slot) = (t0(), head(0, 1));
        let mut rows: Vec<_> = lags.iter().map(|&lag| row(&t0, slot, lag, 5)).collect();
        rows.extend((0..unsent_rows).map(|_| unsent(slot, Status::NotSent)));
        let mut punctuality = Punctuality::default();
        rows.iter().for_each(|row| punctuality.add(row, t0.instant, slot.end().as_duration() + BOUND, BOUND));
        punctuality
    }

    #[test]
    fn the_percentile_is_that_of_all_lags() {
        for late in [2, 5, 50, 99, 100] {
            let lags: Vec<u64> = (0..100).map(|place| if place < 100 - late { 1 } else { place + 11 }).collect();
            // The 99th of a hundred.
            let expected = Duration::from_millis(98 + 11);
            assert_eq!(of(&lags, 0).lateness(100).and_then(|it| it.own_lag_p99), Some(expected), "{late}");
        }
        let lags: Vec<u64> = (0..100).map(|place| if place < 99 { 1 } else { 500 }).collect();
        assert_eq!(of(&lags, 0).lateness(100), None, "one of a hundred is above the percentile");
    }

    #[test]
    fn what_was_not_sent_is_short_of_the_plan() {
        let lateness = of(&[1; 97], 3).lateness(100).expect("it is late");
        assert_eq!((lateness.own_lag_p99, lateness.attempted, lateness.missed), (None, 97, 3));
        assert!(lateness.is_short());
        assert_eq!(of(&[1; 99], 1).lateness(100), None);
        assert_eq!(of(&[], 0).lateness(0), None, "of nothing, nothing is late");
    }
}
