//! Steady state: whether a series of latencies has settled. Pure.
//!
//! ```text
//! values since the window began ──≥ 60 s, ≥ 200──▶ look ──▶ steady
//!        ▲                                          ├──▶ a level or a trend that changes: the next window begins now
//!        └──────────── the window grows ────────────┴──▶ a unit root can't be excluded yet
//! ```
//! A window is steady when its two halves, and the window before, have the same level within 20 %, no trend is significant
//! (Mann–Kendall with the correction of Hamed and Rao), and a unit root is rejected (augmented Dickey–Fuller). Ten looks share
//! the error of 5 %, so that many looks don't find by chance what is not there. A window of which only a unit root is in doubt
//! grows rather than moves: the test's power comes with the number of values.

mod adf;
mod judge;
mod mann_kendall;
#[cfg(test)]
mod reference;
pub mod series;
mod thinned;

pub use adf::{Adf, adf};
pub use judge::{FEWEST, Finding, LEAST, LOOKS, Looks, overall};
pub use mann_kendall::{Trend, trend};
pub use thinned::Thinned;
