//! A trace in shorter units.

use std::time::Duration;

use super::EditError;
use crate::arrivals::Arrivals;
use crate::counts::Counts;
use crate::events::Events;
use crate::load::Load;
use crate::random::{Purpose, StreamKey};
use crate::trace::{Trace, TraceFunction};

/// Most counts that a trace may have: as many as are read again.
const MOST_COUNTS: usize = 1 << 30;

/// `trace` in units of `unit`, of which a whole number makes one of its own. Where in its unit each counted invocation lies is
/// drawn by `arrivals`; single ones keep their times.
///
/// # Errors
/// When the units don't fit, or there would be too many counts.
pub fn refine(trace: &Trace, unit: Duration, arrivals: Arrivals, seed: u64) -> Result<Trace, EditError> {
    let (own, short) = (trace.unit.as_nanos(), unit.as_nanos());
    if short == 0 || !own.is_multiple_of(short) {
        return Err(EditError::Length { asked: trace.unit, unit });
    }
    let parts = usize::try_from(own / short).unwrap_or(usize::MAX);
    let units = trace.units.saturating_mul(parts);
    let counts = units.saturating_mul(trace.functions.len());
    if counts > MOST_COUNTS {
        return Err(EditError::TooManyCounts { counts, most: MOST_COUNTS });
    }
    let (own_ns, short_ns) = (u64::try_from(own).unwrap_or(u64::MAX), u64::try_from(short).unwrap_or(u64::MAX));
    let refined = |function: &TraceFunction| {
        let load = match &function.load {
            Load::Events(events) => Load::Events(Events::new(events.all().to_vec(), unit)),
            Load::Counts(_) => {
                let key = StreamKey::new(seed, &function.id, Purpose::Arrivals);
                let mut counts = vec![0; units];
                function.load.each_active(|at, count| {
                    let rng = key.unit(u32::try_from(at).unwrap_or(u32::MAX));
                    for offset_ns in arrivals.stream(count, own_ns, rng) {
                        let place = at * parts + usize::try_from(offset_ns / short_ns).unwrap_or(usize::MAX);
                        counts[place] += 1;
                    }
                });
                Load::Counts(Counts::new(&counts))
            }
        };
        TraceFunction { load, ..function.clone() }
    };
    Ok(Trace { functions: trace.functions.iter().map(refined).collect(), units, unit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_add_up_to_the_minutes() {
        let function = TraceFunction {
            id: "f".to_owned(),
            owner: String::new(),
            app: String::new(),
            trigger: None,
            load: Load::Counts(Counts::new(&[120, 0, 7])),
            runtime: None,
            memory: None,
        };
        let trace = Trace { functions: vec![function], units: 3, unit: Duration::from_mins(1) };
        let second = Duration::from_secs(1);
        let refined = refine(&trace, second, Arrivals::Poisson, 1).unwrap();
        assert_eq!((refined.units, refined.unit), (180, second));
        let load = &refined.functions[0].load;
        let sums = [0, 60, 120].map(|begin| (begin..begin + 60).map(|unit| load.count(unit)).sum::<u32>());
        assert_eq!(sums, [120, 0, 7]);
        let even = refine(&trace, second, Arrivals::Equidistant, 1).unwrap();
        assert!((0..60).all(|unit| even.functions[0].load.count(unit) == 2));
        assert!(refine(&trace, Duration::from_secs(7), Arrivals::Poisson, 1).is_err());
    }
}
