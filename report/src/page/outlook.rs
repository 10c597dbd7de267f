//! What is said of a run in a list: its verdicts in a line, from its documents alone.

use std::path::Path;

use super::{verdict::lead, verdicts};
use crate::run::{ReadError, Run};

/// What a run's verdicts come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The class of its style, and how grave it is: `good`, `care` or `bad`.
    pub class: &'static str,
    /// All of it in a few words.
    pub title: String,
    /// Why.
    pub text: String,
}

/// The verdicts of a run's directory. No row is read, so that those on the files themselves are not among them.
///
/// # Errors
/// A directory that cannot be read, or is not a run's.
pub fn outlook(directory: &Path) -> Result<Outlook, ReadError> {
    let lead = lead(&verdicts::of_documents(&Run::documents(directory)?));
    Ok(Outlook { class: lead.weight.class(), title: lead.title, text: lead.text })
}
