//! The plan of mode trace: the counts or the exact events of the trace's functions.

use std::{sync::Arc, time::Duration};

use loader_trace::{Arrivals, Event, Load, Purpose, StreamKey, StreamRng, Trace};

use super::{
    names::names,
    sizes::{Clamps, DEFAULT_MEMORY_MIB, Size},
    spec::TraceSpec,
};
use crate::{
    id::FunctionIndex,
    plan::{
        FunctionOutline, Invocation, Mark, Offset, Outline, Phase, Plan, PlannedFunction, Slot, SlotOutcome,
        SlotOutline, Target, Unit, Warmup,
        constant::{Since, micros, nanos},
        merge::Merge,
    },
    spec::RunSpec,
    units,
};

/// The plan of mode trace.
pub(super) struct TracePlan {
    trace: Arc<Trace>,
    clamps: Clamps,
    arrivals: Arrivals,
    unit: Unit,
    units: u32,
    keys: Vec<Keys>,
    functions: Vec<PlannedFunction>,
    next: u32,
    warmup: Option<Warmup>,
}

/// The streams of one function.
struct Keys {
    arrivals: StreamKey,
    runtime: StreamKey,
    memory: StreamKey,
}

/// Draws the sizes of one function's invocations in one slot.
struct Drawn {
    trace: Arc<Trace>,
    function: FunctionIndex,
    runtime: StreamRng,
    memory: StreamRng,
}

/// When one function's invocations of one slot are due, in nanoseconds since the start of the load.
enum Dues {
    /// As its count and the run's arrivals have it.
    Drawn(Since),
    /// As the trace has it.
    Exact(Exact),
}

/// The exact events of one function in one slot.
#[derive(Clone)]
struct Exact {
    trace: Arc<Trace>,
    function: FunctionIndex,
    positions: std::ops::Range<usize>,
}

/// What one function's invocations of one slot ask for.
enum Sizes {
    /// Drawn from its profiles.
    Drawn(Drawn),
    /// As the trace has it.
    Exact(Exact),
}

impl Iterator for Dues {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        match self {
            Self::Drawn(dues) => dues.next(),
            Self::Exact(events) => events.next().map(|(event, _)| event.start_ns),
        }
    }
}

/// An event, and whether it is of a plan.
impl Iterator for Exact {
    type Item = (Event, bool);

    fn next(&mut self) -> Option<(Event, bool)> {
        let Load::Events(events) = &self.trace.functions[self.function.as_usize()].load else { return None };
        Some((*events.all().get(self.positions.next()?)?, events.is_planned()))
    }
}

impl TracePlan {
    pub(super) fn new(run: &RunSpec, spec: &TraceSpec, trace: Arc<Trace>) -> Self {
        let clamps = Clamps {
            runtime: spec.runtime,
            memory: spec.memory_mib,
            default_memory_mib: spec.default_memory_mib.unwrap_or(DEFAULT_MEMORY_MIB),
        };
        let units = units::to_u32(spec.units(&trace));
        let names = names(&trace.functions);
        let functions = trace.functions.iter().zip(names).map(|(function, name)| PlannedFunction {
            name,
            source_id: function.id.clone(),
            trigger: function.trigger.clone().unwrap_or_default(),
            initial_scale: 0,
            invocations: Some(function.load.total_in_first(units as usize)),
            peak_memory_mib: clamps.peak_memory_mib(function),
        });
        let keys = trace.functions.iter().map(|function| Keys {
            arrivals: StreamKey::new(run.seed, &function.id, Purpose::Arrivals),
            runtime: StreamKey::new(run.seed, &function.id, Purpose::Runtime),
            memory: StreamKey::new(run.seed, &function.id, Purpose::Memory),
        });
        Self {
            clamps,
            arrivals: run.arrivals,
            unit: if trace.unit == Duration::from_secs(1) { Unit::Second } else { Unit::Minute },
            units,
            keys: keys.collect(),
            functions: functions.collect(),
            next: 0,
            warmup: spec.warmup,
            trace,
        }
    }

    /// Invocations of all functions in a unit.
    fn count(&self, unit: u32) -> u64 {
        self.trace.functions.iter().map(|function| u64::from(function.load.count(unit as usize))).sum()
    }

    fn unit_length(&self) -> Duration {
        Duration::from_nanos(self.unit.as_nanos())
    }

    /// The functions that are invoked in a unit: when, and what they ask for.
    fn streams(&self, unit: u32) -> (Vec<Dues>, Vec<Sizes>) {
        let numbered = (0..).map(FunctionIndex).zip(&self.trace.functions).zip(&self.keys);
        let invoked = numbered.filter_map(|((index, function), keys)| match &function.load {
            Load::Counts(counts) => {
                let count = counts.get(unit as usize);
                (count > 0).then(|| self.drawn(unit, count, index, keys))
            }
            Load::Events(events) => {
                let positions = events.positions(unit as usize);
                let exact = Exact { trace: Arc::clone(&self.trace), function: index, positions };
                (!exact.positions.is_empty()).then(|| (Dues::Exact(exact.clone()), Sizes::Exact(exact)))
            }
        });
        invoked.unzip()
    }

    fn drawn(&self, unit: u32, count: u32, function: FunctionIndex, keys: &Keys) -> (Dues, Sizes) {
        let offsets = self.arrivals.stream(count, nanos(self.unit_length()), keys.arrivals.unit(unit));
        let (runtime, memory) = (keys.runtime.unit(unit), keys.memory.unit(unit));
        let sizes = Drawn { trace: Arc::clone(&self.trace), function, runtime, memory };
        (Dues::Drawn(Since { begin: self.start(unit), offsets }), Sizes::Drawn(sizes))
    }

    fn start(&self, unit: u32) -> Offset {
        Offset::from_nanos(self.unit.as_nanos().saturating_mul(unit.into()))
    }

    fn outline_slot(&self, unit: u32, means: &[(Duration, f64)]) -> SlotOutline {
        let seconds = self.unit_length().as_secs_f64();
        let (mut invocations, mut concurrency, mut memory_mib) = (0, 0.0, 0.0);
        for (function, (runtime, memory)) in self.trace.functions.iter().zip(means) {
            let count = function.load.count(unit as usize);
            let busy = f64::from(count) * runtime.as_secs_f64() / seconds;
            invocations += u64::from(count);
            concurrency += busy;
            memory_mib += busy * memory;
        }
        let rate = invocations as f64 / seconds;
        SlotOutline { invocations, duration: self.unit_length(), rate, concurrency, memory_mib }
    }
}

impl Plan for TracePlan {
    fn functions(&self) -> &[PlannedFunction] {
        &self.functions
    }

    fn unit(&self) -> Unit {
        self.unit
    }

    fn needs_outcomes(&self) -> bool {
        false
    }

    fn has_exact_times(&self) -> bool {
        self.trace.functions.iter().any(|function| matches!(function.load, Load::Events(_)))
    }

    fn next_slot(&mut self, _previous: Option<&SlotOutcome>) -> Option<Slot> {
        let index = self.next;
        if index >= self.units {
            return None;
        }
        self.next += 1;
        let planned = self.count(index);
        let (streams, mut sizes) = self.streams(index);
        let clamps = self.clamps;
        let invocations = Merge::new(streams).map(move |(due, stream)| sizes[stream].draw(due, clamps));
        Some(Slot {
            index,
            phase: Phase::Measure,
            start: self.start(index),
            duration: self.unit_length(),
            rate: planned as f64 / self.unit_length().as_secs_f64(),
            planned,
            measured: planned,
            invocations: Box::new(invocations),
        })
    }

    fn warmup(&self) -> Option<Warmup> {
        self.warmup
    }

    fn expected_concurrency(&self, within: Duration) -> Vec<f64> {
        let units = within.as_nanos().div_ceil(self.unit.as_nanos().into()).max(1);
        let units = usize::try_from(units).unwrap_or(usize::MAX).min(self.units as usize);
        let seconds = self.unit_length().as_secs_f64() * units as f64;
        let expected = self.trace.functions.iter().map(|function| {
            let rate = function.load.total_in_first(units) as f64 / seconds;
            rate * self.clamps.means(function).0.as_secs_f64()
        });
        expected.collect()
    }

    fn slot_concurrency(&self, slot: usize, outline: &Outline) -> Option<Vec<f64>> {
        let seconds = self.unit_length().as_secs_f64();
        let busy = self.trace.functions.iter().zip(&outline.functions).map(|(function, outline)| {
            f64::from(function.load.count(slot)) * outline.mean_runtime.as_secs_f64() / seconds
        });
        Some(busy.collect())
    }

    fn outline(&self) -> Outline {
        self.outline_while(&|| true).unwrap_or_default()
    }

    /// It looks at each function in each unit, which takes long for large traces.
    fn outline_while(&self, is_wanted: &dyn Fn() -> bool) -> Option<Outline> {
        let means: Vec<_> = self.trace.functions.iter().map(|function| self.clamps.means(function)).collect();
        let functions = self.functions.iter().zip(&self.trace.functions).zip(&means);
        let mut clamped = 0.0;
        let functions = functions.map(|((planned, function), &(mean_runtime, mean_memory_mib))| {
            let invocations = planned.invocations.unwrap_or_default();
            clamped += invocations as f64 * self.clamps.share(function);
            FunctionOutline { invocations, mean_runtime, mean_memory_mib }
        });
        let functions = functions.collect();
        let slots = (0..self.units).map(|unit| is_wanted().then(|| self.outline_slot(unit, &means)));
        Some(Outline {
            slots: slots.collect::<Option<_>>()?,
            functions,
            clamped: units::rounded(clamped),
            ..Outline::default()
        })
    }
}

impl Sizes {
    fn draw(&mut self, due: u64, clamps: Clamps) -> Invocation {
        let (function, size) = match self {
            Self::Drawn(drawn) => (drawn.function, drawn.next(clamps)),
            // As many as due times.
            Self::Exact(events) => {
                let size = events.next().map(|(event, is_planned)| clamps.exact(event, is_planned));
                (events.function, size.unwrap_or_default())
            }
        };
        Invocation {
            due: Offset::from_nanos(due),
            target: Target::Function(function),
            runtime_us: micros(size.runtime),
            memory_mib: size.memory_mib,
            clamped: size.touched,
            mark: Mark::None,
            place: None,
        }
    }
}

impl Drawn {
    fn next(&mut self, clamps: Clamps) -> Size {
        let function = &self.trace.functions[self.function.as_usize()];
        let runtime = function.runtime.as_ref().map_or(clamps.runtime.min, |profile| profile.sample(&mut self.runtime));
        clamps.apply(runtime, clamps.memory_of(function, |profile| profile.sample(&mut self.memory)))
    }
}
