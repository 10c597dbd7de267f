//! What runs leave: records read while they are written, their form and the manifest when a run is over, and whole runs in
//! the layouts that users ask for.

mod columns;
mod finished;
mod invitro;
mod layout;
mod manifest;
mod reader;
mod stored;
mod table;

pub use finished::{FinishError, finish};
pub use layout::{ExportError, Layout, Piece, Sink, UnknownLayout, export};
pub use manifest::{MANIFEST, ManifestFile, SETTINGS_BACKUP, inventory};
pub use reader::{ReadError, RecordReader};
pub use stored::StoredRecord;
