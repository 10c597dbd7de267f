//! What is known of one function of a trace, in a few numbers.

use super::gaps::Gaps;
use crate::load::Load;
use crate::trace::TraceFunction;

/// A function in a few numbers. None: the trace has no data for it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FunctionFigures {
    /// In the whole trace.
    pub invocations: u64,
    /// Units in which it is invoked.
    pub active_units: u64,
    /// Most invocations in a unit.
    pub peak: u32,
    /// Average run time in milliseconds: the stated one, or that of the percentiles or of the single invocations.
    pub runtime_ms: Option<f64>,
    /// Average memory in MiB: likewise.
    pub memory_mib: Option<f64>,
    /// Coefficient of variation of its inter-arrival times, of at least three of them. Counts are taken to lie at equal
    /// distances within their unit.
    pub variation: Option<f64>,
    /// Mean distance between units in which it is invoked, in units; none of fewer than two.
    pub idle_units: Option<f64>,
}

impl FunctionFigures {
    /// Those of `function`.
    pub fn of(function: &TraceFunction) -> Self {
        let mut gaps = Gaps::default();
        let (mut invocations, mut active_units, mut peak) = (0, 0, 0);
        let mut ends: Option<(usize, usize)> = None;
        let is_counted = matches!(function.load, Load::Counts(_));
        function.load.each_active(|unit, count| {
            invocations += u64::from(count);
            active_units += 1;
            peak = peak.max(count);
            ends = Some((ends.map_or(unit, |(first, _)| first), unit));
            if is_counted {
                gaps.add(unit as f64, count.into());
            }
        });
        if let Load::Events(events) = &function.load {
            events.all().iter().for_each(|event| gaps.add_at(event.start_ns as f64));
        }
        let idle = ends.filter(|_| active_units > 1).map(|(first, last)| (last - first) as f64);
        Self {
            invocations,
            active_units,
            peak,
            runtime_ms: runtime_ms(function),
            memory_mib: memory_mib(function),
            variation: gaps.variation(),
            idle_units: idle.map(|span| span / (active_units - 1) as f64),
        }
    }

    /// Milliseconds of all invocations together; none where run times are unknown.
    pub fn busy_ms(&self) -> Option<f64> {
        Some(self.runtime_ms? * self.invocations as f64)
    }
}

fn runtime_ms(function: &TraceFunction) -> Option<f64> {
    match (&function.runtime, &function.load) {
        (Some(profile), _) => Some(profile.average_ms()),
        (None, Load::Events(events)) => mean(events.all().iter().map(|event| f64::from(event.runtime_us) / 1000.0)),
        (None, Load::Counts(_)) => None,
    }
}

fn memory_mib(function: &TraceFunction) -> Option<f64> {
    match (&function.memory, &function.load) {
        (Some(profile), _) => Some(profile.average_mib()),
        (None, Load::Events(events)) => {
            mean(events.all().iter().filter_map(|event| Some(event.memory_mib?.get().into())))
        }
        (None, Load::Counts(_)) => None,
    }
}

/// None of nothing.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, number) = values.fold((0.0, 0.0), |(sum, number), value| (sum + value, number + 1.0));
    (number > 0.0).then(|| sum / number)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::counts::Counts;
    use crate::events::{Event, Events};
    use crate::sizes::{MemoryProfile, RuntimeProfile};

    fn function(load: Load) -> TraceFunction {
        let id = "f".to_owned();
        TraceFunction { owner: id.clone(), app: id.clone(), id, trigger: None, load, runtime: None, memory: None }
    }

    #[test]
    fn of_counts() {
        let figures = FunctionFigures::of(&TraceFunction {
            runtime: RuntimeProfile::from_millis([10.0; 7]).ok().map(|profile| profile.with_average(12.0)),
            memory: MemoryProfile::from_mib([100.0; 8]).ok(),
            ..function(Load::Counts(Counts::new(&[0, 2, 0, 0, 1, 0, 0, 3])))
        });
        assert_eq!((figures.invocations, figures.active_units, figures.peak), (6, 3, 3));
        assert_eq!((figures.runtime_ms, figures.memory_mib), (Some(12.0), Some(100.0)));
        assert_eq!((figures.idle_units, figures.busy_ms()), (Some(3.0), Some(72.0)));
        let once = FunctionFigures::of(&function(Load::Counts(Counts::new(&[0, 9]))));
        assert_eq!((once.idle_units, once.runtime_ms, once.memory_mib), (None, None, None));
    }

    #[test]
    fn of_single_invocations() {
        let event = |start_ns, runtime_us, memory| Event { start_ns, runtime_us, memory_mib: NonZeroU32::new(memory) };
        let events = vec![event(0, 1000, 0), event(10, 3000, 64), event(20, 5000, 128), event(50, 7000, 0)];
        let figures = FunctionFigures::of(&function(Load::Events(Events::new(events, Duration::from_nanos(10)))));
        assert_eq!(
            (figures.runtime_ms, figures.memory_mib, figures.idle_units),
            (Some(4.0), Some(96.0), Some(5.0 / 3.0))
        );
        // Distances 10, 10 and 30.
        let (mean, variance) = (50.0 / 3.0, 1100.0 / 3.0 - (50.0_f64 / 3.0).powi(2));
        assert!((figures.variation.unwrap() - variance.sqrt() / mean).abs() < 1e-12);
    }
}
