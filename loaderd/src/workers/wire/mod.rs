//! What workers and their coordinator say to each other, as this daemon's own types: both directions of each.
//!
//! ```text
//! worker: record::Event ──BatchEncoder──▶ EventBatch ══▶ Decoder ──▶ record::Event :coordinator
//! ```
//!
//! Instants travel as offsets from t0, which each process has on its own clock. What is read is checked: a message that is wrong, too
//! long or too large gives an error.

mod batch;
mod error;
mod event;
mod functions;
mod outcome;
mod row;
mod slot;

pub use batch::{BatchEncoder, Decoder, MOST_BYTES, MOST_EVENTS};
pub use error::WireError;
pub use functions::{endpoint, function};
pub use outcome::{from_outcome, outcome};

#[cfg(test)]
mod tests;
