//! A study file: read, with what only this machine knows taken out of it, the quick form and the paths of traces.
//!
//! ```text
//! file ──▶ document ──quick──▶ document ──traces──▶ document, paths ──▶ StudySpec, faults
//! ```

mod draft;
mod fault;
mod quick;
mod traces;

pub(crate) use draft::StudyDraft;

#[cfg(test)]
mod tests;
