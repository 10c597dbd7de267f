//! The daemon's live page, as HTML: the run under way, the queue, the list of runs, the platforms.
//!
//! Everything here is made from plain values. The page is made once; its parts that change are made again each second, once for all
//! who look at it, and its script puts them in place of the old ones. Without scripts the page shows how things were when it was made.
//!
//! ```text
//! UnderWay, Queue, Platforms ──▶ Parts ──▶ the page, and what replaces its parts
//! Listed ────────────────────▶ runs() ──▶ the table with its search, and the choice of runs to compare
//! ```

mod figures;
mod queue;
mod runs;
mod shell;
mod under_way;

pub use figures::Moment;
pub use queue::{Platform, Queued, platforms, queue};
pub use runs::{Listed, Search, runs};
pub use shell::{Parts, login, message, page, policy};
pub use under_way::{Counts, Latencies, UnderWay, Worker, nothing_under_way, under_way};

#[cfg(test)]
mod tests;
