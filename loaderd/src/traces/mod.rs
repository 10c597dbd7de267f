//! Uploaded traces, kept below the state directory by their content.
//!
//! ```text
//! <state>/traces/<id>/…           complete: every file has its size and hash
//! <state>/traces/partial/<id>.1/… under way, or cut off; an upload resumes where its client's last one ended
//! <state>/traces/partial/<id>.2/… another upload of the same trace; the first that is complete becomes the trace
//! <state>/traces/clients/<name>   who began it
//! ```
//! A trace's id is a hash over its [`Manifest`], so that the same files are stored once, whichever client sends them.

mod error;
mod index;
mod manifest;
mod place;
mod store;
mod upload;

pub use error::{DeleteError, UploadError};
pub use index::Stage;
pub use manifest::{Manifest, TraceFile, is_hash as is_trace_id};
pub use store::{Begun, Limits, StoredTrace, TraceStore};
pub use upload::{Upload, Wanted};

#[cfg(test)]
mod tests;
