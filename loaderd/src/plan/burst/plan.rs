//! The plan of mode burst: the slots are the rates of the climb and, as the last one, the hold.

use std::time::Duration;

use super::{
    findings::BurstCollector,
    roles::{BURST, BURSTY, MARKS, VICTIM, VICTIM_MARK},
    spec::BurstSpec,
};
use crate::{
    plan::{
        Collector, Mark, Offset, Outline, Phase, Plan, PlannedFunction, Slot, SlotOutcome, Target, Unit,
        constant::{Schedule, Since, Turns, invocation},
        fixed::{self, invocations},
        merge::Merge,
    },
    spec::RunSpec,
    units,
};

/// The plan of mode burst.
pub(super) struct BurstPlan {
    spec: BurstSpec,
    schedule: Schedule,
    functions: Vec<PlannedFunction>,
    next: u32,
    start: Offset,
    /// Steady and bursty.
    turns: Turns,
}

/// What a slot of the plan is made of.
struct Step {
    rate: u32,
    duration: Duration,
    /// Invocations that steady and bursty share.
    shared: u32,
    /// Whether the burst falls into it.
    hold: bool,
}

impl BurstPlan {
    pub(super) fn new(run: &RunSpec, spec: &BurstSpec) -> Self {
        let turns = Turns::new(0, 2);
        let [steady, bursty, victim] = shares(spec);
        let functions = [("steady", 1, steady), ("bursty", 1, bursty), ("victim", 0, victim)];
        // Where steady and bursty are drawn, only the plan shows how many each gets.
        let schedule = Schedule::new(run);
        let known = |name| schedule.takes_turns(2) || name == "victim";
        let functions = functions.map(|(name, initial_scale, invocations)| PlannedFunction {
            invocations: known(name).then_some(invocations),
            ..fixed::function(name.to_owned(), initial_scale, spec.size)
        });
        Self { spec: spec.clone(), schedule, functions: functions.into(), next: 0, start: Offset::default(), turns }
    }

    /// The burst and, in its middle, the victim.
    fn burst(&self) -> [Since; 2] {
        let (_, begin, end) = self.spec.burst_window();
        let (begin, length) = (Offset::default().plus(begin), end.saturating_sub(begin));
        [
            Since { begin, offsets: self.schedule.evenly(self.spec.burst, length) },
            Since { begin: begin.plus(length / 2), offsets: self.schedule.evenly(1, length) },
        ]
    }
}

impl Plan for BurstPlan {
    fn functions(&self) -> &[PlannedFunction] {
        &self.functions
    }

    fn unit(&self) -> Unit {
        Unit::Minute
    }

    fn needs_outcomes(&self) -> bool {
        false
    }

    fn extra_marks(&self) -> &'static [&'static str] {
        &MARKS
    }

    fn next_slot(&mut self, _previous: Option<&SlotOutcome>) -> Option<Slot> {
        let index = self.next;
        let Step { rate, duration, shared, hold } = step(&self.spec, index)?;
        let start = self.start;
        let mut streams = vec![Since { begin: start, offsets: self.schedule.offsets(index, shared, duration) }];
        if hold {
            streams.extend(self.burst());
        }
        let planned = total(&self.spec, shared, hold);
        let (size, mut turns) = (self.spec.size, self.schedule.pick(index, self.turns));
        let invocations = Merge::new(streams).map(move |(due, stream)| {
            let (function, mark) = match stream {
                0 => (turns.take(), Mark::None),
                1 => (BURSTY, BURST),
                _ => (VICTIM, VICTIM_MARK),
            };
            invocation(due, Target::Function(function), size, mark)
        });
        self.turns.skip(shared);
        self.start = start.plus(duration);
        self.next += 1;
        Some(Slot {
            index,
            phase: Phase::Measure,
            start,
            duration,
            rate: rate.into(),
            planned,
            measured: planned,
            invocations: Box::new(invocations),
        })
    }

    fn collector(&self) -> Box<dyn Collector> {
        Box::new(BurstCollector::new(&self.spec))
    }

    /// The burst is counted as it comes: in its own window, which is shorter than the hold.
    fn slot_concurrency(&self, slot: usize, _outline: &Outline) -> Option<Vec<f64>> {
        let step = step(&self.spec, units::to_u32(slot))?;
        let runtime = self.spec.size.runtime.as_secs_f64();
        let shared = f64::from(step.shared) / step.duration.as_secs_f64() * runtime / 2.0;
        let (_, begin, end) = self.spec.burst_window();
        let window = end.saturating_sub(begin).as_secs_f64();
        let at_once = |invocations: u32| (f64::from(invocations) * runtime / window.max(runtime)).max(1.0);
        let (burst, victim) = if step.hold { (at_once(self.spec.burst), at_once(1)) } else { (0.0, 0.0) };
        Some(vec![shared, shared + burst, victim])
    }

    fn outline(&self) -> Outline {
        let slots = (0..).map_while(|slot| step(&self.spec, slot)).map(|step| {
            fixed::slot(total(&self.spec, step.shared, step.hold), step.duration, step.rate.into(), self.spec.size)
        });
        Outline {
            slots: slots.collect(),
            functions: shares(&self.spec).map(|count| fixed::share(count, self.spec.size)).into(),
            ..Outline::default()
        }
    }
}

/// Invocations of steady, bursty and victim; of the first two the expected ones where they are drawn.
fn shares(spec: &BurstSpec) -> [u64; 3] {
    let turns = Turns::new(0, 2);
    let shared = (0..).map_while(|slot| step(spec, slot)).map(|step| u64::from(step.shared)).sum();
    [turns.share(0, shared), turns.share(1, shared) + u64::from(spec.burst), 1]
}

/// What a slot is made of; `None` after the last.
fn step(spec: &BurstSpec, slot: u32) -> Option<Step> {
    let hold = slot == spec.target_rps;
    let (rate, duration) = if hold { (spec.target_rps, spec.hold) } else { (slot + 1, spec.step_duration) };
    (slot <= spec.target_rps).then(|| Step { rate, duration, shared: invocations(rate.into(), duration), hold })
}

/// Invocations of a slot: the shared ones, in the hold also the burst and the victim.
fn total(spec: &BurstSpec, shared: u32, hold: bool) -> u64 {
    u64::from(shared) + if hold { u64::from(spec.burst) + 1 } else { 0 }
}
