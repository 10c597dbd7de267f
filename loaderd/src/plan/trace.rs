//! Mode trace: the counts of a trace's functions, unit by unit.
//!
//! A slot is a unit (a minute or a second). In it each function has three streams of its own: when its invocations are
//! due, how long they run, how much memory they take. So one function's plan depends on no other's.

use std::{collections::HashSet, sync::Arc, time::Duration};

use loader_trace::{
    Arrivals, Clamp, Event, Events, Load, MemoryProfile, Purpose, RuntimeProfile, StreamKey, StreamRng, Trace,
    TraceFunction,
};

use super::{
    FunctionOutline, Invocation, Mark, Offset, Outline, Phase, Plan, PlannedFunction, Slot, SlotOutcome, SlotOutline,
    Target, Unit,
    clamped::ClampCount,
    constant::{Since, micros, nanos},
    merge::Merge,
};
use crate::{
    id::FunctionIndex,
    spec::{Granularity, RunSpec, TraceSpec},
};

/// Memory of an invocation where the trace does not say, in MiB.
const DEFAULT_MEMORY_MIB: u32 = 200;

/// Longest id that is its own name.
const LONGEST_OWN: usize = 32;

/// Characters of a function's name that come from its id in the trace.
const ID_PART: usize = 16;

/// The plan.
pub(super) struct TracePlan {
    trace: Arc<Trace>,
    clamps: Clamps,
    arrivals: Arrivals,
    unit: Unit,
    units: u32,
    keys: Vec<Keys>,
    functions: Vec<PlannedFunction>,
    next: u32,
    clamped: ClampCount,
}

/// What drawn sizes are held to.
#[derive(Debug, Clone, Copy)]
struct Clamps {
    runtime: Clamp<Duration>,
    memory: Clamp<u32>,
}

/// The streams of one function.
struct Keys {
    arrivals: StreamKey,
    runtime: StreamKey,
    memory: StreamKey,
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
    places: std::ops::Range<usize>,
}

/// What one function's invocations of one slot ask for.
enum Sizes {
    /// Drawn from its profiles.
    Drawn(Drawn),
    /// As the trace has it.
    Exact(Exact),
}

/// Draws the sizes of one function's invocations in one slot.
struct Drawn {
    trace: Arc<Trace>,
    function: FunctionIndex,
    runtime: StreamRng,
    memory: StreamRng,
}

impl Iterator for Dues {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        match self {
            Self::Drawn(dues) => dues.next(),
            Self::Exact(events) => events.next().map(|event| event.start_ns),
        }
    }
}

impl Iterator for Exact {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let Load::Events(events) = &self.trace.functions[self.function.as_usize()].load else { return None };
        events.all().get(self.places.next()?).copied()
    }
}

impl TracePlan {
    pub(super) fn new(run: &RunSpec, spec: &TraceSpec, trace: Arc<Trace>) -> Self {
        let clamps = Clamps { runtime: spec.runtime, memory: spec.memory_mib };
        let units = u32::try_from(spec.units.map_or(trace.units, |units| units.min(trace.units))).unwrap_or(u32::MAX);
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
            unit: match spec.granularity {
                Granularity::Minute => Unit::Minute,
                Granularity::Second => Unit::Second,
            },
            units,
            keys: keys.collect(),
            functions: functions.collect(),
            next: 0,
            clamped: ClampCount::default(),
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
                let places = events.places(unit as usize);
                let exact = Exact { trace: Arc::clone(&self.trace), function: index, places };
                (!exact.places.is_empty()).then(|| (Dues::Exact(exact.clone()), Sizes::Exact(exact)))
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

    /// Expected work of a function's invocations: mean run time and mean memory.
    fn means(&self, function: &TraceFunction) -> (Duration, f64) {
        if let Load::Events(events) = &function.load {
            return self.clamps.means(events);
        }
        let runtime = function.runtime.as_ref().map_or(self.clamps.runtime.min, |p| p.mean(self.clamps.runtime));
        let fixed = || f64::from(self.clamps.memory.apply(DEFAULT_MEMORY_MIB).value);
        (runtime, function.memory.as_ref().map_or_else(fixed, |profile| profile.mean(self.clamps.memory)))
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

    fn next_slot(&mut self, _previous: Option<&SlotOutcome>) -> Option<Slot> {
        let index = self.next;
        if index >= self.units {
            return None;
        }
        self.next += 1;
        let planned = self.count(index);
        let (streams, mut sizes) = self.streams(index);
        let (clamps, clamped) = (self.clamps, self.clamped.clone());
        let invocations = Merge::new(streams).map(move |(due, stream)| sizes[stream].draw(due, clamps, &clamped));
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

    fn clamped(&self) -> u64 {
        self.clamped.get()
    }

    fn outline(&self) -> Outline {
        let means: Vec<_> = self.trace.functions.iter().map(|function| self.means(function)).collect();
        let functions = self.functions.iter().zip(&self.trace.functions).zip(&means);
        let mut clamped = 0.0;
        let functions = functions.map(|((planned, function), &(mean_runtime, mean_memory_mib))| {
            let invocations = planned.invocations.unwrap_or_default();
            clamped += invocations as f64 * self.clamps.share(function);
            FunctionOutline { invocations, mean_runtime, mean_memory_mib }
        });
        let functions = functions.collect();
        Outline {
            slots: (0..self.units).map(|unit| self.outline_slot(unit, &means)).collect(),
            functions,
            clamped: rounded(clamped),
            ..Outline::default()
        }
    }
}

impl Sizes {
    fn draw(&mut self, due: u64, clamps: Clamps, clamped: &ClampCount) -> Invocation {
        let (function, size) = match self {
            Self::Drawn(drawn) => (drawn.function, drawn.next(clamps)),
            // As many as there are due times.
            Self::Exact(events) => {
                (events.function, events.next().map(|event| clamps.exact(event)).unwrap_or_default())
            }
        };
        clamped.add(size.touched);
        Invocation {
            due: Offset::from_nanos(due),
            target: Target::Function(function),
            runtime_us: micros(size.runtime),
            memory_mib: size.memory_mib,
            mark: Mark::None,
        }
    }
}

impl Drawn {
    fn next(&mut self, clamps: Clamps) -> Size {
        let function = &self.trace.functions[self.function.as_usize()];
        let runtime = function.runtime.as_ref().map_or(clamps.runtime.min, |profile| profile.sample(&mut self.runtime));
        clamps.apply(runtime, memory(function, |profile| profile.sample(&mut self.memory)))
    }
}

/// What an invocation asks for, and whether a clamp touched it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Size {
    runtime: Duration,
    memory_mib: u32,
    touched: bool,
}

impl Clamps {
    fn apply(&self, runtime: Duration, memory_mib: u32) -> Size {
        let (runtime, memory) = (self.runtime.apply(runtime), self.memory.apply(memory_mib));
        Size { runtime: runtime.value, memory_mib: memory.value, touched: runtime.touched || memory.touched }
    }

    /// What an exact event asks for. One that names its memory was planned, and stays as it is.
    fn exact(&self, event: Event) -> Size {
        let runtime = Duration::from_micros(event.runtime_us.into());
        match event.memory_mib {
            Some(memory_mib) => Size { runtime, memory_mib: memory_mib.get(), touched: false },
            None => self.apply(runtime, DEFAULT_MEMORY_MIB),
        }
    }

    /// Mean run time and memory of exact events.
    fn means(&self, events: &Events) -> (Duration, f64) {
        let (mut runtime, mut memory_mib) = (0.0, 0.0);
        for size in events.all().iter().map(|event| self.exact(*event)) {
            runtime += size.runtime.as_secs_f64();
            memory_mib += f64::from(size.memory_mib);
        }
        let count = events.all().len().max(1) as f64;
        (Duration::from_secs_f64(runtime / count), memory_mib / count)
    }

    fn peak_memory_mib(&self, function: &TraceFunction) -> u32 {
        match &function.load {
            Load::Events(events) => {
                events.all().iter().map(|event| self.exact(*event).memory_mib).max().unwrap_or_default()
            }
            Load::Counts(_) => self.memory.apply(memory(function, |profile| profile.quantile(1.0))).value,
        }
    }

    /// The share of a function's invocations that a clamp is expected to touch. Run time and memory are drawn
    /// independently.
    fn share(&self, function: &TraceFunction) -> f64 {
        if let Load::Events(events) = &function.load {
            let touched = events.all().iter().filter(|event| self.exact(**event).touched).count();
            return touched as f64 / events.all().len().max(1) as f64;
        }
        let runtime = function.runtime.as_ref().map_or(0.0, |profile| self.runtime_share(profile));
        let memory = function.memory.as_ref().map_or(0.0, |profile| self.memory_share(profile));
        1.0 - (1.0 - runtime) * (1.0 - memory)
    }

    fn runtime_share(&self, profile: &RuntimeProfile) -> f64 {
        outside(|q| self.runtime.apply(profile.quantile(q)).touched)
    }

    fn memory_share(&self, profile: &MemoryProfile) -> f64 {
        outside(|q| self.memory.apply(profile.quantile(q)).touched)
    }
}

/// The share of a distribution for which `touched` holds, to a thousandth: asked of the middles of as many equal parts.
fn outside(touched: impl Fn(f64) -> bool) -> f64 {
    const PARTS: u16 = 1000;
    let middle = |part: u16| (f64::from(part) + 0.5) / f64::from(PARTS);
    (0..PARTS).filter(|&part| touched(middle(part))).count() as f64 / f64::from(PARTS)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
fn rounded(count: f64) -> u64 {
    count.round() as u64
}

/// What `ask` says of a function's memory, in MiB; where the trace does not say, the default.
fn memory(function: &TraceFunction, ask: impl FnOnce(&MemoryProfile) -> u32) -> u32 {
    function.memory.as_ref().map_or(DEFAULT_MEMORY_MIB, ask)
}

/// A name for each function, from its id: a DNS label, unique in the trace. An id that is a short label is its own name.
/// Ids of public traces are hashes of 64 hex digits, of which the first few tell them apart; where they do not, a number
/// follows.
fn names(functions: &[TraceFunction]) -> Vec<String> {
    let mut taken = HashSet::new();
    let unique = |base: String| {
        let numbered = (2_u64..).map(|number| format!("{base}-{number}"));
        let mut candidates = std::iter::once(base.clone()).chain(numbered);
        let name = candidates.find(|name| !taken.contains(name)).unwrap_or(base);
        taken.insert(name.clone());
        name
    };
    functions.iter().map(|function| label(&function.id)).map(unique).collect()
}

fn label(id: &str) -> String {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let own = id.starts_with(|first: char| first.is_ascii_lowercase()) && !id.ends_with('-') && id.bytes().all(inner);
    if own && id.len() <= LONGEST_OWN {
        return id.to_owned();
    }
    // Of an id such as "app/function" the end says more.
    let telling = id.rsplit('/').next().unwrap_or(id);
    let kept = telling.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let part: String = kept.take(ID_PART).collect();
    format!("fn-{}", part.trim_matches('-')).trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests;
