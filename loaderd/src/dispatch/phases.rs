//! From when on slots are measured: set by the warm-up during the load, read when a slot opens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::plan::{Offset, Phase};

/// The instant from which slots are measured: one that begins before it belongs to the warm-up.
#[derive(Debug, Clone, Default)]
pub struct Phases(Arc<AtomicU64>);

impl Phases {
    /// All slots are measured that begin after `warmup`, or after it was ended.
    pub fn after(warmup: Duration) -> Self {
        Self(Arc::new(AtomicU64::new(Offset::default().plus(warmup).as_nanos())))
    }

    /// Ends the warm-up: slots that begin at `at` or later are measured. One that has ended stays so.
    pub fn measure_from(&self, at: Duration) {
        self.0.fetch_min(Offset::default().plus(at).as_nanos(), Ordering::Relaxed);
    }

    /// When the measured part begins, as known so far.
    pub fn measured_from(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// What a slot counts for that begins now, at `start`.
    pub fn of(&self, start: Offset) -> Phase {
        if start.as_nanos() < self.0.load(Ordering::Relaxed) { Phase::Warmup } else { Phase::Measure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_up_ends_by_itself_or_earlier_but_never_later() {
        let at = |seconds| Offset::default().plus(Duration::from_secs(seconds));
        assert_eq!(Phases::default().of(at(0)), Phase::Measure);
        let phases = Phases::after(Duration::from_secs(60));
        assert_eq!([0, 59, 60].map(|seconds| phases.of(at(seconds))), [Phase::Warmup, Phase::Warmup, Phase::Measure]);
        phases.measure_from(Duration::from_secs(30));
        phases.measure_from(Duration::from_secs(90));
        assert_eq!([29, 30].map(|seconds| phases.of(at(seconds))), [Phase::Warmup, Phase::Measure]);
        assert_eq!(phases.measured_from(), Duration::from_secs(30));
    }
}
