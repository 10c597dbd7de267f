//! Ids of traces and spans, and which invocations have one. Pure.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::id::RunId;

/// The span context that is passed to a function: W3C Trace Context (<https://www.w3.org/TR/trace-context/>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The id of the run's trace.
    pub trace: u128,
    /// The id of the invocation's span.
    pub span: u64,
}

impl fmt::Display for Context {
    /// The header `traceparent`; the span is always sampled.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.trace, self.span)
    }
}

/// The trace of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunTrace {
    trace: u128,
    seed: u64,
    sampled: f64,
}

impl RunTrace {
    /// That of a run, with spans for the share `sampled` of its invocations.
    pub fn new(run: &RunId, sampled: f64) -> Self {
        let digest = Sha256::digest(run.as_str().as_bytes());
        let (trace, rest) = digest.split_at(16);
        let number = |bytes: &[u8]| bytes.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let seed = u64::try_from(number(&rest[..8])).unwrap_or_default();
        Self { trace: number(trace).max(1), seed, sampled }
    }

    /// The id of the trace.
    pub fn trace(&self) -> u128 {
        self.trace
    }

    /// The span of the run itself.
    pub fn root(&self) -> u64 {
        self.span(u64::MAX, u64::MAX)
    }

    /// The span of the `nth` stage.
    pub fn stage(&self, nth: u64) -> u64 {
        self.span(u64::MAX, nth)
    }

    /// The context of the `number`-th invocation of a unit of time, if it has a span.
    pub fn invocation(&self, unit: u64, number: u64) -> Option<Context> {
        let span = self.span(unit, number);
        // 53 bits, as a share.
        let share = (mixed(span ^ self.seed) >> 11) as f64 / (1_u64 << 53) as f64;
        (share < self.sampled).then_some(Context { trace: self.trace, span })
    }

    fn span(&self, unit: u64, number: u64) -> u64 {
        mixed(mixed(self.seed ^ unit).wrapping_add(number)).max(1)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): each bit of the result
/// depends on all bits of the number, and no two numbers give the same.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn trace(sampled: f64) -> RunTrace {
        RunTrace::new(&RunId::new(1, 2), sampled)
    }

    #[test]
    fn ids_are_those_of_the_run_and_of_nothing_else() {
        assert_eq!(trace(1.0), trace(1.0));
        assert_ne!(trace(1.0).trace(), RunTrace::new(&RunId::new(1, 3), 1.0).trace());
        let spans: HashSet<_> = (0..100)
            .flat_map(|unit| (0..100).map(move |number| (unit, number)))
            .filter_map(|(unit, number)| trace(1.0).invocation(unit, number))
            .map(|context| context.span)
            .chain((0..10).map(|stage| trace(1.0).stage(stage)))
            .chain([trace(1.0).root()])
            .collect();
        assert_eq!(spans.len(), 10_011);
    }

    #[test]
    fn the_share_of_invocations_with_a_span_is_as_asked() {
        let sampled = |share| (0..100_000).filter(|number| trace(share).invocation(7, *number).is_some()).count();
        assert_eq!((sampled(0.0), sampled(1.0)), (0, 100_000));
        assert!((900..1100).contains(&sampled(0.01)), "{}", sampled(0.01));
    }

    #[test]
    fn the_header_has_the_form_of_the_standard() {
        let context = Context { trace: 0xabc, span: 0xdef };
        assert_eq!(context.to_string(), "00-00000000000000000000000000000abc-0000000000000def-01");
    }
}
