//! Which runs are removed, so that the state directory does not grow without bound. Pure.

use std::time::Duration;

use crate::{clock::UnixMicros, id::RunId};

/// The bounds on what is kept; absent ones do not apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Maximum time since a run's end.
    pub max_age: Option<Duration>,
    /// Maximum number of ended runs.
    pub max_runs: Option<u64>,
    /// Maximum size of all ended runs together, in bytes.
    pub max_bytes: Option<u64>,
}

/// A run that has ended and is not pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndedRun {
    pub(crate) run: RunId,
    pub(crate) finished: UnixMicros,
    pub(crate) bytes: u64,
}

impl Retention {
    /// Whether anything is ever removed.
    pub(crate) fn is_bounded(&self) -> bool {
        *self != Self::default()
    }

    /// The runs to remove, of `ended`, which is in order of submission. The newest is kept, however large.
    pub(crate) fn expired(&self, ended: &[EndedRun], now: UnixMicros) -> Vec<RunId> {
        let Self { max_age, max_runs, max_bytes } = *self;
        let (mut runs, mut bytes) = (0_u64, 0_u64);
        let mut expired = Vec::new();
        for run in ended.iter().rev() {
            runs += 1;
            bytes = bytes.saturating_add(run.bytes);
            let old = max_age.is_some_and(|most| run.finished.plus(most) < now);
            let many = max_runs.is_some_and(|most| runs > most);
            let large = runs > 1 && max_bytes.is_some_and(|most| bytes > most);
            if old || many || large {
                expired.push(run.run.clone());
            }
        }
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs that ended a minute after each other, each of 10 bytes.
    fn ended(count: i64) -> Vec<EndedRun> {
        let one =
            |index: i64| EndedRun { run: RunId::new(index, 0), finished: UnixMicros(index * 60_000_000), bytes: 10 };
        (0..count).map(one).collect()
    }

    fn expired(retention: Retention, now_minutes: i64) -> Vec<RunId> {
        let mut expired = retention.expired(&ended(5), UnixMicros(now_minutes * 60_000_000));
        expired.sort();
        expired
    }

    #[test]
    fn each_bound_removes_the_oldest() {
        let first = |count: i64| (0..count).map(|index| RunId::new(index, 0)).collect::<Vec<_>>();
        let none = Retention::default();
        assert!(!none.is_bounded() && expired(none, 1_000_000).is_empty());
        let age = Some(Duration::from_mins(3));
        assert_eq!(expired(Retention { max_age: age, ..none }, 5), first(2));
        assert_eq!(expired(Retention { max_age: age, ..none }, 100), first(5));
        // A clock that was set back makes nothing old.
        assert_eq!(expired(Retention { max_age: age, ..none }, -100), first(0));
        assert_eq!(expired(Retention { max_runs: Some(2), ..none }, 5), first(3));
        assert_eq!(expired(Retention { max_runs: Some(0), ..none }, 5), first(5));
        assert_eq!(expired(Retention { max_bytes: Some(35), ..none }, 5), first(2));
        assert_eq!(expired(Retention { max_bytes: Some(1), ..none }, 5), first(4), "the newest stays");
    }
}
