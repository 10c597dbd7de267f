use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::Shares;
use crate::{
    id::FunctionIndex,
    plan::{
        ColdPool, Collector, Invocation, Judging, Numbering, Outline, Place, Plan, PlannedFunction, Rounding, Slot,
        SlotOutcome, Target, Unit, Warmup,
    },
    spec::Violation,
};

/// A worker's share of a plan: the slots of the whole plan, each with this worker's invocations alone. Each of these knows its
/// place in the whole. All else is as in the whole plan: functions, slots' heads, outline.
///
/// Each slot must be taken to its end before the next is asked for, since counting goes on from slot to slot.
pub struct Shared {
    plan: Box<dyn Plan>,
    shares: Shares,
    worker: u32,
    /// Used by one slot's invocations at a time, so nobody waits for it.
    sieve: Arc<Mutex<Sieve>>,
}

impl Shared {
    /// The share of `worker` (from 0) of a plan before its first slot; `seed` is the run's.
    pub fn new(plan: Box<dyn Plan>, shares: Shares, worker: u32, seed: u64) -> Self {
        let sieve = Arc::new(Mutex::new(Sieve::new(&*plan, shares.clone(), worker, seed)));
        Self { plan, shares, worker, sieve }
    }
}

impl Plan for Shared {
    fn functions(&self) -> &[PlannedFunction] {
        self.plan.functions()
    }

    fn unit(&self) -> Unit {
        self.plan.unit()
    }

    fn cold_pool(&self) -> ColdPool {
        self.shares.pool(self.worker)
    }

    fn needs_outcomes(&self) -> bool {
        self.plan.needs_outcomes()
    }

    fn judging(&self) -> Option<Judging> {
        self.plan.judging()
    }

    fn next_slot(&mut self, previous: Option<&SlotOutcome>) -> Option<Slot> {
        let slot = self.plan.next_slot(previous)?;
        let kept = Kept { whole: slot.invocations, sieve: Arc::clone(&self.sieve) };
        Some(Slot { invocations: Box::new(kept), ..slot })
    }

    fn collector(&self) -> Box<dyn Collector> {
        self.plan.collector()
    }

    fn extra_marks(&self) -> &'static [&'static str] {
        self.plan.extra_marks()
    }

    fn has_exact_times(&self) -> bool {
        self.plan.has_exact_times()
    }

    fn undetermined(&self) -> Option<Violation> {
        self.plan.undetermined()
    }

    fn warmup(&self) -> Option<Warmup> {
        self.plan.warmup()
    }

    fn expected_concurrency(&self, within: Duration) -> Vec<f64> {
        self.plan.expected_concurrency(within)
    }

    fn outline(&self) -> Outline {
        self.plan.outline()
    }

    fn outline_while(&self, is_wanted: &dyn Fn() -> bool) -> Option<Outline> {
        self.plan.outline_while(is_wanted)
    }
}

/// A slot's invocations of one share.
struct Kept {
    whole: Box<dyn Iterator<Item = Invocation> + Send>,
    sieve: Arc<Mutex<Sieve>>,
}

impl Iterator for Kept {
    type Item = Invocation;

    fn next(&mut self) -> Option<Invocation> {
        // Only a panic in here could poison it.
        let mut sieve = self.sieve.lock().unwrap_or_else(PoisonError::into_inner);
        self.whole.find_map(|invocation| sieve.take(invocation))
    }
}

/// Counts the whole plan, and lets one share through.
struct Sieve {
    shares: Shares,
    worker: u32,
    numbering: Numbering,
    ordinal: u64,
    /// By function: its invocations so far. Counted for those that all have in turn.
    of_function: Vec<u64>,
    cold: u64,
    rounding: Rounding,
}

impl Sieve {
    fn new(plan: &dyn Plan, shares: Shares, worker: u32, seed: u64) -> Self {
        Self {
            shares,
            worker,
            numbering: Numbering::new(plan.unit()),
            ordinal: 0,
            of_function: vec![0; plan.functions().len()],
            cold: 0,
            rounding: Rounding::new(seed, plan.functions().iter().map(|function| function.name.as_str())),
        }
    }

    /// Takes the next invocation of the whole plan; gives it on, with its place, if it is of this share.
    fn take(&mut self, invocation: Invocation) -> Option<Invocation> {
        let ordinal = self.ordinal;
        self.ordinal += 1;
        let number = self.numbering.next(invocation.due).number;
        let (owner, runtime_ms) = match invocation.target {
            Target::Function(function) => self.fixed(function, invocation.runtime_us),
            Target::Cold { .. } => {
                let owner = self.shares.cold(self.cold);
                self.cold += 1;
                (owner, None)
            }
        };
        let place = Some(Place { ordinal, number, runtime_ms });
        (owner == self.worker).then_some(Invocation { place, ..invocation })
    }

    /// Whose the next invocation of a function is, and its run time in milliseconds. The draws of a function that all have in turn go on
    /// for each of its invocations, so that the n-th is rounded as in the whole plan.
    fn fixed(&mut self, function: FunctionIndex, runtime_us: u32) -> (u32, Option<u32>) {
        let owner = self.shares.owner(function).unwrap_or_else(|| {
            let count = self.of_function.get_mut(function.as_usize());
            let number = count.map_or(0, |count| std::mem::replace(count, *count + 1));
            self.shares.in_turn(number)
        });
        let is_drawn = owner == self.worker || self.shares.owner(function).is_none();
        (owner, is_drawn.then(|| self.rounding.millis(function, runtime_us)))
    }
}
