//! A run as its directory tells of it: documents, samples, the sums of its rows, and remarks on what is not as it should be.
//!
//! Reading never gives up on a file: what is missing, damaged, edited, or of a newer version becomes a remark, and the rest is read.

mod documents;
mod manifest;
mod reading;
mod remark;
mod samples;
mod table;
mod track;

pub use documents::{Documents, RunFile};
pub use reading::{ReadError, Run};
pub use remark::Remark;
pub use samples::{ColdStarts, Event, NodeSeries, STAGES, Samples, SlotFigures};
pub use track::Track;
