//! Reading what runs left: records while they are written, and whole runs in the layouts that users ask for.

mod invitro;
mod layout;
mod reader;
mod stored;

pub use layout::{ExportError, Layout, Piece, Sink, UnknownLayout, export};
pub use reader::{ReadError, RecordReader};
pub use stored::StoredRecord;
