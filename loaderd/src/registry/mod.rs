//! The registry: knows every run, keeps the queue, and starts one run at a time.
//!
//! It is one task (`task`) that takes commands (`event_loop`); [`Registry`] sends them. A run's own task publishes its view, so
//! showing runs delays nothing; nor do disks, as what is written is written elsewhere (`writes`).

mod admission;
mod changes;
mod commands;
mod entry;
mod event_loop;
#[cfg(test)]
pub(crate) mod fake;
mod handle;
mod needed;
mod of_studies;
mod queue;
mod recovery;
mod sweep;
mod task;
mod uses;
mod writes;

pub use handle::{Activity, Page, Registry, RegistryError, Scope, Selector, Submission, Submitted, TraceUse};
pub use needed::NeededByStudies;
pub use task::{Ends, Keeping, RegistryTask};

#[cfg(test)]
mod tests;
