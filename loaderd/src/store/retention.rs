//! Which runs are removed, so that the state directory does not grow for ever. Pure.

use std::time::Duration;

use crate::{clock::UnixMicros, id::RunId};

/// What is kept; nothing is bounded where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end a run is kept.
    pub max_age: Option<Duration>,
    /// How many ended runs are kept.
    pub max_runs: Option<u64>,
    /// How many bytes ended runs may take, together.
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
    pub(crate) fn doomed(&self, ended: &[EndedRun], now: UnixMicros) -> Vec<RunId> {
        let Self { max_age, max_runs, max_bytes } = *self;
        let (mut runs, mut bytes) = (0_u64, 0_u64);
        let mut doomed = Vec::new();
        for run in ended.iter().rev() {
            runs += 1;
            bytes = bytes.saturating_add(run.bytes);
            let old = max_age.is_some_and(|most| run.finished.plus(most) < now);
            let many = max_runs.is_some_and(|most| runs > most);
            let large = runs > 1 && max_bytes.is_some_and(|most| bytes > most);
            if old || many || large {
                doomed.push(run.run.clone());
            }
        }
        doomed
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

    fn doomed(retention: Retention, now_minutes: i64) -> Vec<RunId> {
        let mut doomed = retention.doomed(&ended(5), UnixMicros(now_minutes * 60_000_000));
        doomed.sort();
        doomed
    }

    #[test]
    fn each_bound_takes_the_oldest() {
        let first = |count: i64| (0..count).map(|index| RunId::new(index, 0)).collect::<Vec<_>>();
        let none = Retention::default();
        assert!(!none.is_bounded() && doomed(none, 1_000_000).is_empty());
        let age = Some(Duration::from_mins(3));
        assert_eq!(doomed(Retention { max_age: age, ..none }, 5), first(2));
        assert_eq!(doomed(Retention { max_age: age, ..none }, 100), first(5));
        // A clock that was set back makes nothing old.
        assert_eq!(doomed(Retention { max_age: age, ..none }, -100), first(0));
        assert_eq!(doomed(Retention { max_runs: Some(2), ..none }, 5), first(3));
        assert_eq!(doomed(Retention { max_runs: Some(0), ..none }, 5), first(5));
        assert_eq!(doomed(Retention { max_bytes: Some(35), ..none }, 5), first(2));
        assert_eq!(doomed(Retention { max_bytes: Some(1), ..none }, 5), first(4), "the newest stays");
    }
}
