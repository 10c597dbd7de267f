//! A trace as parts of equal load.

use std::cmp::Reverse;

use super::EditError;
use crate::describe::FunctionFigures;
use crate::trace::Trace;

/// `parts` traces of which each function is in one, with about the same number of invocations, and within that with about the
/// same number of functions.
///
/// Functions are given out from the one invoked most, each to the part with the fewest invocations. One function can't be
/// shared out: where a few make nearly all the load, parts differ by what they make.
///
/// # Errors
/// When there are fewer functions than parts.
pub fn split(trace: &Trace, parts: usize) -> Result<Vec<Trace>, EditError> {
    if parts == 0 {
        return Err(EditError::NoPart);
    }
    let mut order: Vec<(u64, usize)> =
        trace.functions.iter().map(|function| FunctionFigures::of(function).invocations).zip(0..).collect();
    order.retain(|&(invocations, _)| invocations > 0);
    if order.len() < parts {
        return Err(EditError::TooManyParts { parts, functions: order.len() });
    }
    order.sort_by_key(|&(invocations, at)| (Reverse(invocations), at));
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); parts];
    let mut sums = vec![0_u64; parts];
    for (invocations, at) in order {
        let part = (0..parts).min_by_key(|&part| (sums[part], members[part].len())).unwrap_or_default();
        sums[part] += invocations;
        members[part].push(at);
    }
    members.iter_mut().for_each(|members| members.sort_unstable());
    Ok(members.iter().map(|members| trace.with(members)).collect())
}
