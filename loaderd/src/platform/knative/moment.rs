//! When a change happened: as it was observed, or by the object's own stamps where the news of it came late. Pure.
//!
//! A watch that was interrupted delivers what it missed when it stands again; a slow one delivers everything late. Objects carry the
//! times of their changes, in whole seconds by the cluster's clock: exact to a second, however late they are read.

use crate::{clock::UnixMicros, platform::TimeSource};

const SECOND_US: i64 = 1_000_000;

/// How long after its stamp the news of a change may come, where nothing is known to have held it up: a stamp is a second's begin,
/// and a kubelet looks at its containers once a second.
const IN_TIME_US: i64 = 2_500_000;

/// How long a watch that stands again may take to deliver what it missed.
const CATCHING_UP_US: i64 = 2_000_000;

/// An instant of a change, and how it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: UnixMicros,
    pub(super) source: TimeSource,
}

impl Moment {
    /// The instant when it was observed.
    pub(super) fn watched(at: UnixMicros) -> Self {
        Self { at, source: TimeSource::Watch }
    }

    /// The latest instant that it can have been.
    fn latest(self) -> i64 {
        match self.source {
            TimeSource::Watch => self.at.0,
            TimeSource::Object => self.at.0.saturating_add(SECOND_US),
        }
    }

    /// Whether it was not after `later`, as exactly as both are known.
    pub(super) fn is_surely_before(self, later: Self) -> bool {
        self.latest() <= later.at.0
    }

    /// The least time that may have passed since `earlier`, in microseconds; negative if it may have been before it.
    pub(super) fn least_since(self, earlier: Self) -> i64 {
        self.at.0.saturating_sub(earlier.latest())
    }

    /// This instant, or `earliest` where a coarser stamp puts it before that.
    pub(super) fn not_before(self, earliest: Self) -> Self {
        Self { at: self.at.max(earliest.at), ..self }
    }
}

/// News of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// When it came.
    pub(super) at: UnixMicros,
    /// How far this clock is ahead of the cluster's, in microseconds.
    pub(super) skew_us: i64,
    /// Whether its watch was interrupted before.
    pub(super) after_gap: bool,
}

impl Arrival {
    /// When a change happened of which this is the news. `stamp` is the object's own, absent where it has none for the change.
    pub(super) fn date(self, stamp: Option<UnixMicros>) -> Moment {
        let in_time = if self.after_gap { SECOND_US } else { IN_TIME_US };
        let stamp = stamp.map(|stamp| UnixMicros(stamp.0.saturating_add(self.skew_us)));
        match stamp.filter(|stamp| self.at.0.saturating_sub(stamp.0) > in_time) {
            Some(at) => Moment { at, source: TimeSource::Object },
            None => Moment::watched(self.at),
        }
    }
}

/// Whether a watch goes on from what it delivered before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Continuity {
    /// It was interrupted, or has not begun.
    #[default]
    Interrupted,
    /// It stands, and what comes until then may be what it missed.
    Stands { catches_up_until: UnixMicros },
}

impl Continuity {
    pub(super) fn interrupt(&mut self) {
        *self = Self::Interrupted;
    }

    /// What came is late, without an interruption that was noticed: more of it may follow.
    pub(super) fn catch_up(&mut self, at: UnixMicros) {
        *self = Self::Stands { catches_up_until: UnixMicros(at.0.saturating_add(CATCHING_UP_US)) };
    }

    /// News came; whether it may have been missed before.
    pub(super) fn take(&mut self, at: UnixMicros) -> bool {
        match *self {
            Self::Interrupted => {
                self.catch_up(at);
                true
            }
            Self::Stands { catches_up_until } => at <= catches_up_until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> UnixMicros {
        UnixMicros(ms * 1_000)
    }

    #[test]
    fn late_news_has_the_objects_time_and_news_in_time_the_watchs() {
        for (after_gap, arrived, stamp, expected) in [
            (false, 10_900, Some(10_000), (10_900, TimeSource::Watch)),
            // A kubelet's report.
            (false, 12_400, Some(10_000), (12_400, TimeSource::Watch)),
            (false, 16_000, Some(10_000), (10_000, TimeSource::Object)),
            (true, 10_900, Some(10_000), (10_900, TimeSource::Watch)),
            (true, 12_400, Some(10_000), (10_000, TimeSource::Object)),
            (true, 12_400, None, (12_400, TimeSource::Watch)),
            // A stamp of the future, by a clock that is ahead by less than a second.
            (true, 9_500, Some(10_000), (9_500, TimeSource::Watch)),
        ] {
            let arrival = Arrival { at: at(arrived), skew_us: 0, after_gap };
            let Moment { at: UnixMicros(found), source } = arrival.date(stamp.map(at));
            assert_eq!((found / 1_000, source), expected, "{arrival:?} {stamp:?}");
        }
    }

    #[test]
    fn another_clock_does_not_make_news_late() {
        let ahead = Arrival { at: at(70_500), skew_us: 60_000_000, after_gap: true };
        assert_eq!(ahead.date(Some(at(10_000))), Moment::watched(at(70_500)));
        let late = Arrival { at: at(76_000), ..ahead };
        assert_eq!(late.date(Some(at(10_000))), Moment { at: at(70_000), source: TimeSource::Object });
    }

    #[test]
    fn order_is_sure_where_seconds_do_not_touch() {
        let object = |ms| Moment { at: at(ms), source: TimeSource::Object };
        let watched = |ms| Moment::watched(at(ms));
        assert!(
            watched(10_000).is_surely_before(watched(10_001)) && !watched(10_001).is_surely_before(watched(10_000))
        );
        assert!(!object(10_000).is_surely_before(object(10_000)) && object(10_000).is_surely_before(object(11_000)));
        assert!(!object(10_000).is_surely_before(watched(10_500)) && watched(10_000).is_surely_before(object(10_000)));
        assert_eq!(watched(12_500).least_since(object(10_000)), 1_500_000);
        assert_eq!(object(10_000).not_before(watched(10_400)), object(10_400));
    }

    #[test]
    fn a_watch_catches_up_for_a_while_after_an_interruption() {
        let mut watch = Continuity::default();
        assert!(watch.take(at(0)) && watch.take(at(1_900)) && !watch.take(at(2_100)));
        watch.interrupt();
        assert!(watch.take(at(60_000)) && !watch.take(at(63_000)));
        watch.catch_up(at(70_000));
        assert!(watch.take(at(71_000)) && !watch.take(at(73_000)));
    }
}
