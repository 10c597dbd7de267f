//! The three functions of mode burst, and the marks of its extra invocations.

use crate::{id::FunctionIndex, plan::Mark};

/// The function whose load nothing but the climb changes.
pub(super) const STEADY: FunctionIndex = FunctionIndex(0);
/// The function that gets the burst.
pub(super) const BURSTY: FunctionIndex = FunctionIndex(1);
/// The function that is called once, in the middle of the burst.
pub(super) const VICTIM: FunctionIndex = FunctionIndex(2);

/// The names of the marks.
pub(super) const MARKS: [&str; 2] = ["burst", "victim"];
/// Marks the burst's invocations.
pub(super) const BURST: Mark = Mark::Extra(MARKS[0]);
/// Marks the victim's invocation.
pub(super) const VICTIM_MARK: Mark = Mark::Extra(MARKS[1]);
