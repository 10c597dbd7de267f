//! Expectations: what a run's figures must be like, such as `response.p99 < 500ms`.
//!
//! ```text
//! expectation = figure relation bound [ "abort" [ "after" duration ] ]
//! figure      = the name of a figure of summary.json: response.p99, failed, coldStarts.share, …
//! relation    = "<" | "<=" | ">" | ">=" | "=="
//! bound       = 500ms | 1% | 99.5% | 3 | 100/s | 170MiB | +10% (of comparisons: than A)
//! ```
//! What a run does not have is not known, and an expectation of it is not met.

mod bound;
mod judge;
mod parse;

pub use bound::{Bound, Relation};
pub use judge::Judged;
pub use parse::{Expectation, Than};
