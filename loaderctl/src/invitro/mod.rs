//! The files of InVitro, the Go loader of the vHive community: which one a document is, and the spec that it becomes.
//!
//! ```text
//! document ──kinds──▶ loader configuration ──loader──▶ spec document, notes, faults
//!                        └─files─▶ surroundings ─┘     ▲
//! document ──kinds──▶ failure configuration ──failure────┘
//! ```

mod failure;
mod files;
mod given;
mod keys;
mod kinds;
mod loader;
mod reading;

pub(crate) use failure::disturb;
pub(crate) use given::LABEL;
pub(crate) use loader::{Beside, Converted};
pub(crate) use reading::read;

#[cfg(test)]
mod tests;
