//! What the user asks for: a spec file, and flags that win over it.
//!
//! ```text
//! file ──▶ document (JSON) ◀── flags        document ──loader_proto::json──▶ RunSpec, faults
//! ```
//! Flags are laid into the document as text, so that one reader understands both and reports all faults at once.

mod draft;
mod flags;
mod given;
mod hints;
mod source;

pub(crate) use draft::Draft;
pub(crate) use given::SpecArguments;

#[cfg(test)]
mod tests;
