//! The files of InVitro, the Go loader of the vHive community: which one a document is, and the spec that it becomes.
//!
//! ```text
//! document ──kinds──▶ loader configuration ──loader──▶ spec document, notes, faults
//!                        └─files─▶ surroundings ─┘     ▲
//! document ──kinds──▶ failure configuration ──failure────┘
//! document ──kinds──▶ multi-loader file ──multi──▶ study document, notes, faults
//! ```

mod failure;
mod files;
mod given;
mod keys;
mod kinds;
mod loader;
mod multi;
mod reading;

pub(crate) use failure::disturb;
pub(crate) use files::located;
pub(crate) use given::LABEL;
pub(crate) use loader::{Beside, Converted};
pub(crate) use multi::{Around, Imported, import as import_study, member, studies};
pub(crate) use reading::{is_multi_loader, read};

#[cfg(test)]
mod tests;
