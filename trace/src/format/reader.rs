//! What a trace format is to those that don't care which one it is.

use super::header::Header;
use super::reading::{Reading, Selection};
use super::tags::Tags;
use crate::trace::Trace;

/// A trace format: its name, the files that it is recognised by, and how they are read.
pub(super) trait Reader: Sync {
    /// Its name in specs.
    fn name(&self) -> &'static str;

    /// The files that it is recognised by, for messages.
    fn files(&self) -> &'static str;

    /// Whether a file with this header is one that a trace of this format is read from first. Its tags are given for what no
    /// header says: the day, the sample, and what a table of numbers counts.
    fn recognises(&self, tags: &Tags, header: &Header) -> bool;

    /// The same, where the format was named.
    fn accepts(&self, tags: &Tags, header: &Header) -> bool {
        self.recognises(tags, header)
    }

    /// Whether a file is usually called so: where no header is known, its reader says what is wrong with it.
    fn usual_name(&self, tags: &Tags) -> bool {
        let _ = tags;
        false
    }

    /// The files that are read of those that were recognised, and of those beside them.
    fn needs(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Vec<String>>;

    /// Reads the selection of the files that were recognised. All that is wrong with them becomes faults of `reading`; none
    /// when nothing is left then.
    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace>;
}
