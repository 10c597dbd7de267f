//! Which functions follow exact run times, as their answers say.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{invoke::Outcome, plan::PlannedInvocation};

/// Which functions are known to follow exact run times. Shared by all workers.
#[derive(Debug)]
pub(super) struct ExactRuntimes(
    /// By function: what its latest answer said.
    Box<[AtomicBool]>,
);

impl ExactRuntimes {
    /// Of so many functions, none of which is known to.
    pub(super) fn unknown(functions: usize) -> Self {
        Self((0..functions).map(|_| AtomicBool::new(false)).collect())
    }

    /// Learns from an outcome whether the function follows exact run times, or, where the outcome does not say, fills in what
    /// is known from earlier ones. A run time of whole milliseconds teaches nothing, and needs nothing.
    pub(super) fn settle(&self, planned: &PlannedInvocation, outcome: Outcome) -> Outcome {
        if planned.exact_runtime_us().is_none() {
            return outcome;
        }
        let Some(known) = self.0.get(planned.function.as_usize()) else { return outcome };
        let exact = match outcome.exact_runtime {
            Some(said) => {
                known.store(said, Ordering::Relaxed);
                said
            }
            None => known.load(Ordering::Relaxed),
        };
        Outcome { exact_runtime: Some(exact), ..outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::FunctionIndex,
        invoke::Status,
        plan::{Mark, testkit},
    };

    #[test]
    fn what_an_answer_does_not_say_is_taken_from_earlier_ones() {
        let functions = ExactRuntimes::unknown(2);
        let of = |function, runtime_us| PlannedInvocation {
            runtime_us,
            ..testkit::planned(0, FunctionIndex(function), Mark::None)
        };
        // Function, run time, what the outcome says, and what is then so.
        for (function, runtime_us, said, expected) in [
            (0, 1500, None, Some(false)),
            (0, 1500, Some(true), Some(true)),
            (0, 1500, None, Some(true)),
            (1, 1500, None, Some(false)),
            (0, 2000, Some(false), Some(false)),
            (0, 2000, None, None),
            (0, 1500, None, Some(true)),
            (0, 1500, Some(false), Some(false)),
            (0, 1500, None, Some(false)),
            (2, 1500, None, None),
        ] {
            let outcome = Outcome { exact_runtime: said, ..Outcome::bare(Status::FunctionTimeout, "") };
            let settled = functions.settle(&of(function, runtime_us), outcome);
            assert_eq!(settled.exact_runtime, expected, "function {function}, {runtime_us} µs, {said:?}");
        }
    }
}
