//! Distributions of values, small while there are few. Pure.

mod buckets;
mod distribution;
mod order;
mod values;

pub use buckets::Bucket;
pub use distribution::{Distribution, PERCENTILES, Percentiles};
pub use order::Interval;
pub(crate) use order::told_rank as rank;
pub use values::Histogram;
