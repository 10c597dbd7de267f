//! Whether invocations were sent as requested: Kolmogorov–Smirnov tests on their positions in their slots, and the gaps between
//! them.
//!
//! Each invocation has a position in its slot, from 0 to 1. All are tested against the positions that the plan gave them; arrivals
//! that are uniform in a slot (`poisson`, and the shifted ones) also against that. Positions are counted in bins, so
//! that memory does not grow with the invocations; a difference below the width of a bin is not detected.
//!
//! A slot that was cut short was asked for until then: a position in it is one of the time that it had. How long that was is known when
//! it ends, so that the bins of the latest slot are apart until then, and are stretched.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Row,
    gaps::{GapFigures, Gaps},
};
use crate::{
    plan::{Mark, SlotHead},
    units,
};

/// Bins of a slot.
const BINS: usize = 4096;

/// Terms of the Kolmogorov distribution's series that are added up. They shrink faster than exponentially.
const TERMS: i32 = 100;

/// The requested positions of invocations in their slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AskedArrivals {
    /// Uniform in the slot.
    Uniform,
    /// As the plan drew them.
    #[default]
    Planned,
}

/// What a test came to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KsTest {
    /// The greatest difference between the two cumulative distributions, 0 to 1.
    pub statistic: f64,
    /// How likely such a difference or a greater one is by chance, 0 to 1.
    pub p_value: f64,
}

/// What the tests came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ArrivalTest {
    /// Invocations that were looked at.
    pub count: u64,
    /// What was requested: `uniform` or `plan`.
    pub against: &'static str,
    /// Against the process that was requested; absent where none was, or nothing was sent.
    pub process: Option<KsTest>,
    /// Against the due times; absent where nothing was sent.
    pub plan: Option<KsTest>,
    /// The times from one invocation to the next.
    pub gaps: GapFigures,
}

/// Counts of positions by bin.
#[derive(Debug, Clone)]
struct Places(Box<[u64]>);

impl Default for Places {
    fn default() -> Self {
        Self(vec![0; BINS].into())
    }
}

impl Places {
    /// Counts an instant so long after its slot began. What is beyond the slot's end counts at its end.
    fn add(&mut self, after: Duration, slot: Duration) {
        let scaled = after.as_nanos().saturating_mul(BINS as u128).checked_div(slot.as_nanos()).unwrap_or(0);
        let bin = usize::try_from(scaled).unwrap_or(BINS).min(BINS - 1);
        self.0[bin] += 1;
    }

    fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(count, more)| *count += more);
    }

    /// The same instants in a slot that is shorter by this factor. Those of a bin are spread evenly over the time that it covers; what is
    /// beyond the slot's end counts at its end.
    fn stretched(&self, by: f64) -> Self {
        let total: u64 = self.0.iter().sum();
        let (mut stretched, limit) = (Self::default(), BINS as f64 / by);
        // How many are before the end of the bin that is looked at, of those here; and the part of this bin that was passed.
        let (mut bin, mut before, mut taken) = (0, 0_u64, 0_u64);
        for (number, count) in stretched.0.iter_mut().enumerate() {
            let end = (number + 1) as f64 / by;
            while bin < BINS && (bin + 1) as f64 <= end {
                before += self.0[bin];
                bin += 1;
            }
            // The last one covers the time until the slot's end, and no more.
            let part = (end - bin as f64) / (limit - bin as f64).min(1.0);
            let of_bin = self.0.get(bin).map_or(0.0, |count| *count as f64 * part.min(1.0));
            let until = if number + 1 == BINS { total } else { before + units::rounded(of_bin) };
            *count = until.saturating_sub(taken);
            taken = taken.max(until);
        }
        stretched
    }
}

/// Where invocations were due and sent in their slots.
#[derive(Debug, Clone, Default)]
struct Positions {
    due: Places,
    sent: Places,
}

impl Positions {
    fn merge(&mut self, other: &Self) {
        self.due.merge(&other.due);
        self.sent.merge(&other.sent);
    }

    fn stretch(&mut self, by: f64) {
        self.due = self.due.stretched(by);
        self.sent = self.sent.stretched(by);
    }
}

/// Collects the positions of a run's invocations.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    asked: AskedArrivals,
    count: u64,
    positions: Positions,
    /// The latest slot, and those in it: they are no part of the others yet.
    latest: Option<(u32, Positions)>,
    gaps: Gaps,
}

impl Arrivals {
    pub(super) fn new(asked: AskedArrivals) -> Self {
        Self { asked, ..Self::default() }
    }

    /// Takes a row. What a mode sends on top of its slot's arrivals is no part of them.
    pub(super) fn row(&mut self, row: &Row, t0: Instant) {
        let Some(sent) = row.outcome.sent.filter(|_| !matches!(row.planned.mark, Mark::Extra(_))) else {
            return;
        };
        let (begin, length) = (row.planned.slot.start.as_duration(), row.planned.slot.duration);
        self.count += 1;
        let positions = self.positions_in(row.planned.slot.index);
        positions.due.add(row.planned.due.as_duration().saturating_sub(begin), length);
        positions.sent.add(sent.saturating_duration_since(t0 + begin), length);
        self.gaps.add(&row.planned.slot, row.planned.due.as_duration(), sent.saturating_duration_since(t0));
    }

    /// The positions to which one in this slot is added.
    fn positions_in(&mut self, slot: u32) -> &mut Positions {
        let (whole, latest) = (&mut self.positions, &mut self.latest);
        if latest.as_ref().is_none_or(|(index, _)| slot > *index)
            && let Some((_, positions)) = latest.replace((slot, Positions::default()))
        {
            whole.merge(&positions);
        }
        match latest {
            Some((index, positions)) if *index == slot => positions,
            _ => whole,
        }
    }

    /// All invocations of the slot have ended, which took so long: less than planned where it was cut short.
    pub(super) fn slot_completed(&mut self, slot: &SlotHead, lasted: Duration) {
        self.gaps.complete(slot);
        if let Some((_, mut positions)) = self.latest.take_if(|(index, _)| *index == slot.index) {
            if lasted < slot.duration && lasted > Duration::ZERO {
                positions.stretch(slot.duration.as_secs_f64() / lasted.as_secs_f64());
            }
            self.positions.merge(&positions);
        }
    }

    /// The outcome of the tests.
    pub(super) fn test(mut self) -> ArrivalTest {
        if let Some((_, positions)) = self.latest.take() {
            self.positions.merge(&positions);
        }
        let count = self.count as f64;
        let places = &self;
        let uniform = |bin: usize, _| (bin + 1) as f64 / BINS as f64;
        let planned = |_, due: u64| due as f64 / count;
        // Of two samples that are equally large, half of one counts.
        let plan = places.compare(planned, count / 2.0);
        let (against, process) = match self.asked {
            AskedArrivals::Uniform => ("uniform", places.compare(uniform, count)),
            AskedArrivals::Planned => ("plan", None),
        };
        ArrivalTest { count: self.count, against, process, plan, gaps: self.gaps.finish() }
    }

    /// The greatest difference between the cumulative distribution of the sends and the requested one, which is given by bin
    /// and by how many were due until its end.
    fn compare(&self, asked: impl Fn(usize, u64) -> f64, samples: f64) -> Option<KsTest> {
        let (mut due, mut sent, mut most) = (0_u64, 0_u64, 0.0_f64);
        let Positions { due: dues, sent: sends } = &self.positions;
        for (bin, (planned, counted)) in dues.0.iter().zip(&sends.0).enumerate() {
            due += planned;
            sent += counted;
            most = most.max((sent as f64 / self.count.max(1) as f64 - asked(bin, due)).abs());
        }
        (self.count > 0).then(|| KsTest { statistic: most, p_value: p_value(most, samples) })
    }
}

/// How likely a difference of `statistic` or more is between `samples` draws and the distribution that they are from.
///
/// The asymptotic Kolmogorov distribution with Stephens' correction for few samples (M. A. Stephens, "Use of the
/// Kolmogorov–Smirnov, Cramér–von Mises and related statistics without extensive tables", 1970).
fn p_value(statistic: f64, samples: f64) -> f64 {
    let root = samples.sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * statistic;
    // Below this the series does not converge, and the value is 1 to ten digits.
    if lambda < 0.2 {
        return 1.0;
    }
    let term = |k: i32| (if k % 2 == 1 { 2.0 } else { -2.0 }) * (-2.0 * f64::from(k * k) * lambda * lambda).exp();
    (1..=TERMS).map(term).sum::<f64>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::Offset,
        record::testkit::{head, row, t0},
    };

    /// The test's outcome when invocations are due and sent at these positions of a slot.
    fn outcome(asked: AskedArrivals, places: impl IntoIterator<Item = (f64, f64)>) -> ArrivalTest {
        let (t0, slot) = (t0(), head(3, 1));
        let at = |place: f64| slot.start.as_duration() + slot.duration.mul_f64(place);
        let mut arrivals = Arrivals::new(asked);
        for (due, sent) in places {
            let mut row = row(&t0, slot, 0, 1);
            row.planned.due = Offset::default().plus(at(due));
            row.outcome.sent = Some(t0.instant + at(sent));
            arrivals.row(&row, t0.instant);
        }
        arrivals.slot_completed(&slot, slot.duration);
        arrivals.test()
    }

    fn evenly(count: u32) -> impl Iterator<Item = f64> {
        (0..count).map(move |i| (f64::from(i) + 0.5) / f64::from(count))
    }

    #[test]
    fn what_goes_out_as_asked_passes() {
        for asked in [AskedArrivals::Uniform, AskedArrivals::Planned] {
            let ArrivalTest { process, plan, gaps, .. } = outcome(asked, evenly(1000).map(|place| (place, place)));
            assert_eq!(process.is_some(), asked == AskedArrivals::Uniform);
            for test in process.into_iter().chain(plan) {
                assert!(test.statistic < 0.002 && test.p_value > 0.99, "{test:?}");
            }
            assert_eq!((gaps.count, gaps.off_ratio), (999, Some(0.0)));
        }
        let nothing = outcome(AskedArrivals::Uniform, []);
        assert_eq!((nothing.process, nothing.plan, nothing.gaps), (None, None, GapFigures::default()));
    }

    #[test]
    fn what_is_held_back_fails() {
        // Everything that is due in the first half is sent at its end.
        let late = || evenly(1000).map(|place| (place, place.max(0.5)));
        for (asked, against) in [(AskedArrivals::Uniform, "uniform"), (AskedArrivals::Planned, "plan")] {
            let ArrivalTest { count, against: named, process, plan, .. } = outcome(asked, late());
            assert_eq!((count, named), (1000, against));
            for test in process.into_iter().chain(plan) {
                assert!((test.statistic - 0.5).abs() < 0.01 && test.p_value < 1e-9, "{test:?}");
            }
        }
    }

    #[test]
    fn what_was_planned_all_at_once_is_as_planned_and_not_uniform() {
        let all_at_the_start = || evenly(500).map(|place| (place * 0.01, place * 0.01));
        let found = outcome(AskedArrivals::Uniform, all_at_the_start());
        assert!(found.plan.is_some_and(|test| test.p_value > 0.99), "{found:?}");
        assert!(found.process.is_some_and(|test| test.p_value < 1e-9), "{found:?}");
    }

    /// One that is sent as asked for until the slot is cut short, at this part of it.
    fn cut_at(part: f64, count: u32) -> ArrivalTest {
        let (t0, slot) = (t0(), head(0, 1));
        let mut arrivals = Arrivals::new(AskedArrivals::Uniform);
        for place in evenly(count) {
            let at = slot.duration.mul_f64(place * part);
            let mut row = row(&t0, slot, 0, 1);
            row.planned.due = Offset::default().plus(at);
            row.outcome.sent = Some(t0.instant + at);
            arrivals.row(&row, t0.instant);
        }
        arrivals.slot_completed(&slot, slot.duration.mul_f64(part));
        arrivals.test()
    }

    /// What was asked for until then is uniform; in a slot of the planned length it would not be.
    #[test]
    fn a_slot_that_is_cut_short_is_judged_by_the_time_that_it_had() {
        for part in [0.9, 0.5, 1.0 / 3.0, 0.01, 0.0005] {
            let found = cut_at(part, 1000);
            let ArrivalTest { process: Some(process), plan: Some(plan), .. } = found else { panic!("{found:?}") };
            assert!(process.statistic < 0.003 && process.p_value > 0.99, "{part}: {process:?}");
            assert!(plan.p_value > 0.99, "{part}: {plan:?}");
        }
    }

    #[test]
    fn stretching_keeps_all_and_moves_them_in_proportion() {
        let mut places = Places::default();
        (0..100).for_each(|bin| places.0[bin] = 3);
        places.0[4000] = 7;
        let stretched = places.stretched(20.0);
        assert_eq!(stretched.0.iter().sum::<u64>(), 307);
        assert_eq!((stretched.0[..2000].iter().sum::<u64>(), stretched.0[BINS - 1]), (300, 7));
        assert_eq!(stretched.0[..1000].iter().sum::<u64>(), 150);
        assert_eq!(places.stretched(1.0).0, places.0);
    }

    #[test]
    fn rows_of_an_earlier_slot_may_come_behind_those_of_a_later_one() {
        let (t0, mut arrivals) = (t0(), Arrivals::new(AskedArrivals::Uniform));
        for (slot, place) in [(0, 0.25), (1, 0.25), (0, 0.75), (1, 0.5)] {
            let slot = head(slot, 1);
            let at = slot.start.as_duration() + slot.duration.mul_f64(place);
            let mut row = row(&t0, slot, 0, 1);
            row.planned.due = Offset::default().plus(at);
            row.outcome.sent = Some(t0.instant + at);
            arrivals.row(&row, t0.instant);
        }
        arrivals.slot_completed(&head(0, 1), Duration::from_secs(10));
        // 0.25 and 0.5 of ten seconds are 0.5 and 1 of five.
        arrivals.slot_completed(&head(1, 1), Duration::from_secs(5));
        let found = arrivals.test();
        assert_eq!(found.count, 4);
        assert!(found.process.is_some_and(|test| (test.statistic - 0.25).abs() < 0.001), "{found:?}");
    }

    #[test]
    fn p_values_are_those_of_the_tables() {
        // Critical values of the Kolmogorov distribution: 1.2238, 1.3581 and 1.6276 for 10, 5 and 1 %.
        for (lambda, p) in [(1.2238, 0.10), (1.3581, 0.05), (1.6276, 0.01)] {
            let samples: f64 = 1e8;
            assert!((p_value(lambda / samples.sqrt(), samples) - p).abs() < 1e-4, "{lambda}");
        }
    }
}
