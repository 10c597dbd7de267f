//! A study file, as far as this machine can read it.

use std::{fs, path::Path};

use loader_proto::{
    json::{self, Fault, from_value},
    v1::{RunSpec, StudySpec},
};
use serde_json::Value;

use super::{fault::fault, quick, traces::LocalTraces};
use crate::{Failure, cli::StudyFileArguments};

/// A study that only the daemon can still find faults in.
#[derive(Debug)]
pub(crate) struct StudyDraft {
    /// The document, in which traces of this machine have their paths.
    document: Value,
    /// The traces of this machine.
    pub(crate) traces: LocalTraces,
}

impl StudyDraft {
    /// Reads a study file.
    ///
    /// # Errors
    /// The file cannot be read, or every fault that can be found without the daemon.
    pub(crate) fn read(StudyFileArguments { file, quick }: &StudyFileArguments) -> Result<Self, Failure> {
        let unreadable = |error| Failure::Input(format!("cannot read {}: {error}", file.display()));
        let text = fs::read_to_string(file).map_err(unreadable)?;
        let folder = file.parent().unwrap_or_else(|| Path::new(""));
        Self::of(&text, folder, *quick).map_err(Failure::Faults)
    }

    /// Reads the text of a study file, whose relative paths start from `folder`.
    pub(super) fn of(text: &str, folder: &Path, is_quick: bool) -> Result<Self, Vec<Fault>> {
        let mut document =
            json::document(text).map_err(|Fault { description, .. }| vec![fault("study", description)])?;
        quick::choose(&mut document, is_quick).map_err(|fault| vec![fault])?;
        lift_until(&mut document);
        let (traces, mut faults) = LocalTraces::find(&mut document, folder);
        faults.extend(from_value::<StudySpec>(&document).1);
        if faults.is_empty() { Ok(Self { document, traces }) } else { Err(faults) }
    }

    /// What is common to all runs.
    pub(crate) fn base(&self) -> RunSpec {
        from_value::<StudySpec>(&self.document).0.base.unwrap_or_default()
    }

    /// The study with the traces of this machine by the ids under which they were uploaded, in the order of [`LocalTraces::all`].
    pub(crate) fn with_uploads(mut self, ids: &[String]) -> StudySpec {
        self.traces.lay_in(&mut self.document, ids);
        // Without faults: ids are texts, as the paths were.
        from_value(&self.document).0
    }
}

/// Takes `until` out of `repeats`, where a study file may have it in the place of a number.
fn lift_until(document: &mut Value) {
    let until = document.get_mut("repeats").and_then(Value::as_object_mut).and_then(|repeats| {
        let is_alone = repeats.len() == 1;
        repeats.shift_remove("until").filter(|_| is_alone)
    });
    if let (Some(until), Some(fields)) = (until, document.as_object_mut()) {
        fields.shift_remove("repeats");
        fields.insert("until".to_owned(), until);
    }
}
