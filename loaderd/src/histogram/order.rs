//! Order statistics: what the rank of a value among others says of a percentile, as reports have it, too.

use loader_report::statistics::ranks;
pub(crate) use loader_report::statistics::{rank, tells, told_rank};

/// The 95 % interval of a percentile, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Its lower bound.
    pub low: u64,
    /// Its upper bound.
    pub high: u64,
}

/// The ranks of the bounds of a percentile's 95 % interval; absent where there are too few values for both.
pub(super) fn bounds(share: f64, count: u64) -> Option<(u64, u64)> {
    ranks(share, count).both()
}
