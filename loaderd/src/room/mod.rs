//! Whether a planned load fits its platform: what its instances are expected to request over time, beside what is free. Pure.
//!
//! ```text
//! concurrency by slot and function ──▶ instances (kept for the stable window) ──▶ Demand by slot
//!                                                                                   │
//! nodes: allocatable less requested ───────────────────────────────────────────▶ Verdict, Placement
//! ```
//!
//! Concurrencies are means over slots (Little's law), so what comes in bunches within a slot needs more than is said here.

mod demand;
mod kept;
mod placement;
mod verdict;

pub use demand::{Demand, Need, Timeline, timeline};
pub use placement::{Placement, place};
pub use verdict::{Judged, Resource, Verdict, judge};
