//! The plan of mode rps: slots at the rates of its search, shared by hot functions, and by cold ones in turn.

use super::{
    findings::RpsCollector,
    ramp::Ramp,
    search::Search,
    spec::{RpsSpec, SearchKind},
};
use crate::{
    plan::{
        Collector, Judging, Mark, Offset, Outline, Phase, Plan, PlannedFunction, Slot, SlotOutcome, SlotOutline,
        Target, Unit,
        constant::{Schedule, Since, Spread, Turns, invocation, nanos},
        fixed::{self, invocations},
    },
    spec::{RunSpec, Violation},
    units,
};

/// How many levels of a ramp without an end the outline shows. Cold functions are deployed for the last of them, so that
/// a run with a cold share and no end rate ends there.
const OPEN_LEVELS: u32 = 100;

/// The slot's own warm-up is one part in this many.
const WARMUP_PART: u32 = 5;

/// The plan of mode rps.
pub(super) struct RpsPlan {
    spec: RpsSpec,
    /// The spec's, with an end where a cold share needs one.
    ramp: Ramp,
    schedule: Schedule,
    functions: Vec<PlannedFunction>,
    hot: Turns,
    cold: Turns,
    next: u32,
    start: Offset,
    search: Search,
    judging: Judging,
}

impl RpsPlan {
    pub(super) fn new(run: &RunSpec, spec: &RpsSpec) -> Self {
        let highest = (0..OPEN_LEVELS).map_while(|level| spec.ramp.rate(level)).last().unwrap_or(spec.ramp.start);
        let highest = spec.ramp.end.unwrap_or(highest);
        let warmup = spec.slot / WARMUP_PART;
        let cold_functions = spec.cold.map_or(0, |cold| cold.functions(highest));
        let hot = (0..spec.functions).map(|i| fixed::function(format!("rps-{i}"), 1, spec.size));
        let cold = (0..cold_functions).map(|i| fixed::function(format!("rps-cold-{i}"), 0, spec.size));
        let ramp = Ramp { end: spec.ramp.end.or(spec.cold.map(|_| highest)), ..spec.ramp };
        let mut plan = Self {
            spec: spec.clone(),
            ramp,
            schedule: Schedule::new(run),
            functions: hot.chain(cold).collect(),
            hot: Turns::new(0, spec.functions),
            cold: Turns::new(spec.functions, cold_functions),
            next: 0,
            start: Offset::default(),
            search: Search::new(run, spec, ramp),
            judging: Judging {
                warmup,
                verdict: spec.patience.verdict.min(run.timeouts.function),
                drain: Some(spec.patience.drain),
                slo: run.slo.map(|slo| slo.response),
                lag: run.saturation.lag,
            },
        };
        if plan.search.is_determined() && plan.schedule.takes_turns(spec.functions) {
            let shares = plan.shares();
            for (function, share) in plan.functions.iter_mut().zip(shares) {
                function.invocations = Some(share);
            }
        }
        plan
    }

    /// Invocations of a slot at `rate`: hot and cold ones together, and the cold ones.
    fn counts(&self, rate: f64) -> (u32, u32) {
        let count = invocations(rate, self.spec.slot);
        let cold = self.spec.cold.map_or(0, |cold| invocations(rate * cold.ratio, self.spec.slot).min(count));
        (count, cold)
    }

    /// The rates of the outline.
    fn outlined(&self) -> impl Iterator<Item = f64> {
        let levels = if self.ramp.end.is_some() { u32::MAX } else { OPEN_LEVELS };
        let rate = |level| match self.spec.search {
            SearchKind::Linear => self.ramp.rate(level),
            SearchKind::Bisect { .. } => self.ramp.doubled(level),
        };
        (0..levels).map_while(rate)
    }

    /// By function, how many invocations the slots of the outline have for it.
    fn shares(&self) -> Vec<u64> {
        let (mut hot, mut cold) = (0, 0);
        for (count, of_these_cold) in self.outlined().map(|rate| self.counts(rate)) {
            hot += u64::from(count - of_these_cold);
            cold += u64::from(of_these_cold);
        }
        let functions = 0..units::to_u32(self.functions.len());
        let share = |function: u32| match function.checked_sub(self.spec.functions) {
            None => self.hot.share(function, hot),
            Some(index) => self.cold.share(index, cold),
        };
        functions.map(share).collect()
    }
}

impl Plan for RpsPlan {
    fn functions(&self) -> &[PlannedFunction] {
        &self.functions
    }

    fn unit(&self) -> Unit {
        Unit::Minute
    }

    fn needs_outcomes(&self) -> bool {
        true
    }

    fn judging(&self) -> Option<Judging> {
        Some(self.judging)
    }

    fn next_slot(&mut self, previous: Option<&SlotOutcome>) -> Option<Slot> {
        if let Some(outcome) = previous {
            self.search.take(outcome);
            self.start = self.start.max(outcome.next_start);
        }
        let rate = self.search.rate()?;
        let (index, start, duration) = (self.next, self.start, self.spec.slot);
        let (count, cold_count) = self.counts(rate);
        let offsets = self.schedule.offsets(index, count, duration);
        let warmup = nanos(self.judging.warmup);
        let measured = offsets.clone().skip_while(|&offset| offset < warmup).count() as u64;
        let mut hot = self.schedule.pick(index, self.hot);
        let (mut cold, mut spread) = (self.cold, Spread::new(cold_count, count));
        let (size, measured_from) = (self.spec.size, start.as_nanos().saturating_add(warmup));
        let invocations = Since { begin: start, offsets }.map(move |due| {
            let (function, mark) = if spread.take() { (cold.take(), Mark::Cold) } else { (hot.take(), Mark::None) };
            let mark = if due < measured_from { Mark::StepWarmup } else { mark };
            invocation(due, Target::Function(function), size, mark)
        });
        self.hot.skip(count - cold_count);
        self.cold.skip(cold_count);
        self.start = start.plus(duration);
        self.next = index.checked_add(1)?;
        Some(Slot {
            index,
            phase: Phase::Measure,
            start,
            duration,
            rate,
            planned: count.into(),
            measured,
            invocations: Box::new(invocations),
        })
    }

    fn collector(&self) -> Box<dyn Collector> {
        Box::new(RpsCollector(self.search.clone()))
    }

    fn undetermined(&self) -> Option<Violation> {
        match self.spec.search {
            SearchKind::Bisect { .. } => {
                Some(Violation::new("rps.search", "is bisect: which rates are tried only the run will show"))
            }
            SearchKind::Linear => (!self.search.is_determined()).then(|| {
                Violation::new("rps.end", "is missing; without it the number of steps is known only after the run")
            }),
        }
    }

    fn outline(&self) -> Outline {
        let slot = |rate| fixed::slot(self.counts(rate).0.into(), self.spec.slot, rate, self.spec.size);
        let slots: Vec<SlotOutline> = self.outlined().map(slot).collect();
        Outline {
            waits: slots.len() > 1,
            slots,
            functions: self.shares().into_iter().map(|count| fixed::share(count, self.spec.size)).collect(),
            open_ended: !self.search.is_determined(),
            ..Outline::default()
        }
    }
}
