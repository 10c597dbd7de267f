//! What runs leave: records read while they are written, their form and the manifest when a run is over, and whole runs in
//! the layouts that users ask for.

mod columns;
mod finished;
mod growing;
mod invitro;
mod layout;
mod manifest;
mod nodes;
mod piece;
mod reader;
mod table;

pub use finished::{FinishError, finish};
pub use layout::{Layout, UnknownLayout, export};
pub use manifest::{DISTURBANCES_BACKUP, MANIFEST, ManifestFile, SETTINGS_BACKUP, inventory};
pub use nodes::{NodeState, Nodes};
pub use piece::{ExportError, Piece, Sink};
pub use reader::{ReadError, RecordReader, RowError};
