//! Traces made of traces: parts, unions, other loads, and what differs between two.
//!
//! Each takes traces in memory and gives new ones; [`crate::write`] makes files of them. Functions keep their ids, profiles
//! and exact times wherever the change lets them.

mod diff;
mod error;
mod merge;
mod refine;
mod scale;
mod select;
mod split;

pub use diff::{Difference, FunctionChange, Quantity, diff};
pub use error::EditError;
pub use merge::merge;
pub use refine::refine;
pub use scale::{Scaled, Scaling, Way, scale};
pub use select::{Selection, select};
pub use split::split;

#[cfg(test)]
mod tests;
