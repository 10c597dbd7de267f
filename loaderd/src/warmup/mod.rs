//! Warm-up: what brings a platform into a steady state, and when it is there. Pure.
//!
//! ```text
//! deploy, scales by need ──hold──▶ autoscaler released ──settle──▶ steady, or out of time ──▶ measure
//! └─────────── the load goes on all the time; slots that begin before `measure` count as warm-up ───┘
//! ```

mod profile;

pub use profile::{Fit, fit, needed};
