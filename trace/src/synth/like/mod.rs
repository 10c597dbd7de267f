//! Making up traces that follow a given one, by what was fitted to it.
//!
//! ```text
//! Trace ──fit──▶ Model (JSON) ──make──▶ Trace
//! ```
//! What is fitted: the distributions of rates, run times, memory and inter-arrival CVs over functions, their rank
//! correlations (a Gaussian copula), the shares of triggers, the sizes of apps, and the load's shape over the day. What is made
//! has these, and nothing else of the trace: no ids, and no function's own course.

mod fit;
mod make;
mod model;

pub use fit::fit;
pub use make::{Like, LikeError};
pub use model::{Model, ModelError, QUANTITIES, TriggerModel};

#[cfg(test)]
mod tests;
