//! What the invocations of a trace's functions ask for.

use std::{num::NonZeroU32, time::Duration};

use loader_trace::{Clamp, Event, Events, Load, MemoryProfile, RuntimeProfile, TraceFunction};

/// Memory of an invocation where the trace has none and the spec does not say, in MiB.
pub(super) const DEFAULT_MEMORY_MIB: u32 = 200;

/// What drawn sizes are held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clamps {
    pub(super) runtime: Clamp<Duration>,
    pub(super) memory: Clamp<u32>,
    /// Memory where the trace has none, in MiB.
    pub(super) default_memory_mib: u32,
}

/// What an invocation requests, and whether a clamp touched it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Size {
    pub(super) runtime: Duration,
    pub(super) memory_mib: u32,
    pub(super) touched: bool,
}

impl Clamps {
    /// Expected work of a function's invocations: mean run time and mean memory.
    pub(super) fn means(&self, function: &TraceFunction) -> (Duration, f64) {
        if let Load::Events(events) = &function.load {
            return self.exact_means(events);
        }
        let runtime = function.runtime.as_ref().map_or(self.runtime.min, |p| p.mean(self.runtime));
        let fixed = || f64::from(self.memory.apply(self.default_memory_mib).value);
        (runtime, function.memory.as_ref().map_or_else(fixed, |profile| profile.mean(self.memory)))
    }

    /// Holds drawn sizes to the bounds.
    pub(super) fn apply(&self, runtime: Duration, memory_mib: u32) -> Size {
        let (runtime, memory) = (self.runtime.apply(runtime), self.memory.apply(memory_mib));
        Size { runtime: runtime.value, memory_mib: memory.value, touched: runtime.touched || memory.touched }
    }

    /// What an exact event requests. One of a plan was bounded before, and stays as it is.
    pub(super) fn exact(&self, event: Event, is_planned: bool) -> Size {
        let runtime = Duration::from_micros(event.runtime_us.into());
        let memory_mib = event.memory_mib.map_or(self.default_memory_mib, NonZeroU32::get);
        if is_planned { Size { runtime, memory_mib, touched: false } } else { self.apply(runtime, memory_mib) }
    }

    fn exact_sizes<'a>(&self, events: &'a Events) -> impl Iterator<Item = Size> + use<'a> {
        let (clamps, is_planned) = (*self, events.is_planned());
        events.all().iter().map(move |event| clamps.exact(*event, is_planned))
    }

    /// Mean run time and memory of exact events.
    fn exact_means(&self, events: &Events) -> (Duration, f64) {
        let (mut runtime, mut memory_mib) = (0.0, 0.0);
        for size in self.exact_sizes(events) {
            runtime += size.runtime.as_secs_f64();
            memory_mib += f64::from(size.memory_mib);
        }
        let count = events.all().len().max(1) as f64;
        (Duration::from_secs_f64(runtime / count), memory_mib / count)
    }

    /// Most memory that an invocation of a function can ask for, in MiB.
    pub(super) fn peak_memory_mib(&self, function: &TraceFunction) -> u32 {
        match &function.load {
            Load::Events(events) => self.exact_sizes(events).map(|size| size.memory_mib).max().unwrap_or_default(),
            Load::Counts(_) => self.memory.apply(self.memory_of(function, |profile| profile.quantile(1.0))).value,
        }
    }

    /// The share of a function's invocations that a clamp is expected to touch. Run time and memory are drawn
    /// independently.
    pub(super) fn share(&self, function: &TraceFunction) -> f64 {
        if let Load::Events(events) = &function.load {
            let touched = self.exact_sizes(events).filter(|size| size.touched).count();
            return touched as f64 / events.all().len().max(1) as f64;
        }
        let runtime = function.runtime.as_ref().map_or(0.0, |profile| self.runtime_share(profile));
        let memory = function.memory.as_ref().map_or(0.0, |profile| self.memory_share(profile));
        1.0 - (1.0 - runtime) * (1.0 - memory)
    }

    /// What `ask` says of a function's memory, in MiB; without a value in the trace, the default.
    pub(super) fn memory_of(&self, function: &TraceFunction, ask: impl FnOnce(&MemoryProfile) -> u32) -> u32 {
        function.memory.as_ref().map_or(self.default_memory_mib, ask)
    }

    fn runtime_share(&self, profile: &RuntimeProfile) -> f64 {
        outside(|q| self.runtime.apply(profile.quantile(q)).touched)
    }

    fn memory_share(&self, profile: &MemoryProfile) -> f64 {
        outside(|q| self.memory.apply(profile.quantile(q)).touched)
    }
}

/// The share of a distribution for which `touched` holds, to a thousandth: evaluated at the midpoints of as many equal intervals.
fn outside(touched: impl Fn(f64) -> bool) -> f64 {
    const PARTS: u16 = 1000;
    let middle = |part: u16| (f64::from(part) + 0.5) / f64::from(PARTS);
    (0..PARTS).filter(|&part| touched(middle(part))).count() as f64 / f64::from(PARTS)
}
