//! What a trace format is to those that don't care which one it is.

use super::reading::{Reading, Selection};
use crate::trace::Trace;

/// A trace format: its name, the files that it is recognised by, and how they are read.
pub(super) trait Reader: Sync {
    /// Its name in specs.
    fn name(&self) -> &'static str;

    /// The files that it is recognised by, for messages.
    fn files(&self) -> &'static str;

    /// Whether files of these names are of this format.
    fn recognises(&self, names: &[String]) -> bool;

    /// Reads the selection of the files of these names. All that is wrong with them becomes faults of `reading`; none
    /// when nothing is left then.
    fn read(&self, reading: &mut Reading<'_>, names: &[String], selection: &Selection) -> Option<Trace>;
}
