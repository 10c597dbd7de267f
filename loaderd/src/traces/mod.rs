//! Uploaded traces, kept below the state directory by their content.
//!
//! ```text
//! <state>/traces/<id>/…           complete: every file has its size and hash
//! <state>/traces/partial/<id>/…   under way, or cut off; an upload resumes where the last one ended
//! <state>/traces/clients/<id>     who began the upload
//! ```
//! A trace's id is a hash over its [`Manifest`], so that the same files are stored once, whichever client sends them.

mod error;
mod lease;
mod manifest;
mod store;
mod upload;

pub use error::UploadError;
pub use manifest::{Manifest, TraceFile};
pub use store::{Begun, Limits, TraceStore};
pub use upload::{Upload, Wanted};

#[cfg(test)]
mod tests;
