//! A worker of a run: a process that sends a share of the run's plan, and hands what came of it to the daemon that coordinates.
//!
//! ```text
//!          ┌─────────── link: one stream at a time, reconnected ───────────┐
//! hello ─▶ assignment ─▶ plan, connections, clock ─▶ ready ─▶ start ─▶ dispatch ─▶ done ─▶ dismissed
//!                                                                        │ events
//!                                                                     spooler ─▶ spool (disk) ─▶ batches, until they were taken
//! ```
//!
//! What was recorded is kept until the coordinator has taken it, so a stream that breaks loses nothing. Without a coordinator for the
//! time that the run allows it sends nothing more, and ends.

mod arguments;
mod assignment;
mod channel;
mod clock;
mod comparing;
mod course;
mod ending;
mod incoming;
mod link;
mod load;
mod outbox;
mod parent;
mod settings;
mod spool;
mod spooler;
mod trace_files;
mod work;

pub use arguments::WorkerArguments;
pub use ending::{Ending, leave};
pub use parent::{ParentError, follow_parent};
pub use settings::{Settings, SettingsError};
pub use work::work;

#[cfg(test)]
mod tests;
