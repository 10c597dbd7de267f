//! The plan of mode coldstart: a rate on the hot function, with the cold starts of each slot evenly spread in it.

use std::time::Duration;

use super::{findings::ColdStartCollector, spec::ColdStartSpec};
use crate::{
    id::FunctionIndex,
    plan::{
        ColdPool, Collector, Judging, LONGEST_VERDICT, Mark, Offset, Outline, Phase, Plan, PlannedFunction, Slot,
        SlotOutcome, Target, Unit,
        constant::{Schedule, Since, Spread, invocation},
        fixed::{self, invocations},
        overload::OverloadCount,
    },
    spec::{Overload, RunSpec, Violation},
    units,
};

/// The function that is kept warm.
pub(super) const HOT: FunctionIndex = FunctionIndex(0);

/// The plan of mode coldstart.
pub(super) struct ColdStartPlan {
    spec: ColdStartSpec,
    schedule: Schedule,
    functions: Vec<PlannedFunction>,
    next: u32,
    start: Offset,
    rule: Overload,
    overload: OverloadCount,
    judging: Judging,
}

impl ColdStartPlan {
    pub(super) fn new(run: &RunSpec, spec: &ColdStartSpec) -> Self {
        let hot = fixed::function("hot".to_owned(), 1, spec.size);
        let cold = (0..spec.functions - 1).map(|i| fixed::function(format!("cold-{i}"), 0, spec.size));
        Self {
            spec: spec.clone(),
            schedule: Schedule::new(run),
            functions: std::iter::once(hot).chain(cold).collect(),
            next: 0,
            start: Offset::default(),
            rule: run.overload,
            overload: OverloadCount::new(run.overload),
            // A slot is judged at the end of the next one, when each of its invocations has had its time.
            judging: Judging {
                warmup: Duration::ZERO,
                verdict: spec.slot.min(LONGEST_VERDICT).min(run.timeouts.function),
                drain: None,
                slo: None,
                lag: run.saturation.lag,
            },
        }
    }

    /// A slot's invocations, and how many of them are for cold functions.
    fn counts(&self, slot: u32) -> (u32, u32) {
        (invocations(self.spec.rate(slot), self.spec.slot), self.spec.cold_starts(slot))
    }
}

impl Plan for ColdStartPlan {
    fn functions(&self) -> &[PlannedFunction] {
        &self.functions
    }

    fn unit(&self) -> Unit {
        Unit::Minute
    }

    fn cold_pool(&self) -> ColdPool {
        ColdPool::all(1..self.spec.functions)
    }

    fn needs_outcomes(&self) -> bool {
        true
    }

    fn judging(&self) -> Option<Judging> {
        Some(self.judging)
    }

    fn next_slot(&mut self, previous: Option<&SlotOutcome>) -> Option<Slot> {
        if let Some(evidence) = previous.and_then(|outcome| outcome.evidence.as_ref()) {
            self.overload.take(evidence);
        }
        if self.overload.is_enough() || self.next == self.spec.slots {
            return None;
        }
        let (index, start, duration) = (self.next, self.start, self.spec.slot);
        let (count, cold) = self.counts(index);
        let offsets = self.schedule.offsets(index, count, duration);
        let (size, mut spread) = (self.spec.size, Spread::new(cold, count));
        let invocations = Since { begin: start, offsets }.map(move |due| {
            let (target, mark) = if spread.take() {
                (Target::Cold { otherwise: HOT }, Mark::Cold)
            } else {
                (Target::Function(HOT), Mark::None)
            };
            invocation(due, target, size, mark)
        });
        self.start = start.plus(duration);
        self.next += 1;
        Some(Slot {
            index,
            phase: Phase::Measure,
            start,
            duration,
            rate: self.spec.rate(index),
            planned: count.into(),
            measured: count.into(),
            invocations: Box::new(invocations),
        })
    }

    fn collector(&self) -> Box<dyn Collector> {
        Box::new(ColdStartCollector::new(&self.spec, self.rule))
    }

    fn undetermined(&self) -> Option<Violation> {
        Some(Violation::new("mode", "is coldstart: which functions are cold only the run will show"))
    }

    /// The cold functions of a slot are taken in turn, which the run may do otherwise.
    fn slot_concurrency(&self, slot: usize, _outline: &Outline) -> Option<Vec<f64>> {
        let slot = units::to_u32(slot);
        let (all, cold) = self.counts(slot);
        let each = self.spec.size.runtime.as_secs_f64() / self.spec.slot.as_secs_f64();
        let pool = u64::from(self.spec.functions - 1);
        let before: u64 = (0..slot).map(|slot| u64::from(self.counts(slot).1)).sum();
        let mut concurrency = vec![0.0; self.functions.len()];
        concurrency[0] = f64::from(all.saturating_sub(cold)) * each;
        for turn in before..before + u64::from(cold) {
            let function = 1 + turn.checked_rem(pool).unwrap_or_default();
            if let Some(function) = usize::try_from(function).ok().and_then(|index| concurrency.get_mut(index)) {
                *function += each;
            }
        }
        Some(concurrency)
    }

    fn outline(&self) -> Outline {
        let spec = &self.spec;
        let slots: Vec<_> = (0..spec.slots)
            .map(|slot| fixed::slot(self.counts(slot).0.into(), spec.slot, spec.rate(slot), spec.size))
            .collect();
        let all: u64 = slots.iter().map(|slot| slot.invocations).sum();
        let cold: u64 = (0..spec.slots).map(|slot| u64::from(self.counts(slot).1)).sum();
        // Which cold function is taken the run will show; here they share alike.
        let pool = u64::from(spec.functions - 1);
        let share = |index: u64| cold / pool + u64::from(index < cold % pool);
        let shares = std::iter::once(all - cold).chain((0..pool).map(share));
        Outline { slots, functions: shares.map(|count| fixed::share(count, spec.size)).collect(), ..Outline::default() }
    }
}
