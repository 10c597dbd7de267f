//! What all runs of a study have in common, as the document into which a cell's values are laid.

use loader_proto::{
    json::{self, Fault, FieldPath, Integers},
    v1,
};
use serde_json::Value;

use crate::spec::Check;

/// What is common to all runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Base(Value);

impl Base {
    /// Reads the base.
    pub(super) fn read(check: &mut Check, message: Option<&v1::RunSpec>) -> Option<Self> {
        let Some(message) = message else {
            check.fault("base", "is required: the spec that all runs have in common");
            return None;
        };
        let base = Self(json::to_value(message, Integers::Strings));
        let (read, faults) = base.with([]);
        if let Some(Fault { field, description }) = faults.into_iter().next() {
            check.fault(format!("base.{field}"), format!("cannot be stored: {description}"));
            return None;
        }
        if read != *message {
            check.fault("base", "cannot be stored: it has a value that is not the same when it is read");
            return None;
        }
        Some(base)
    }

    /// The base with other values of some fields: what could be read, and the faults of the rest.
    pub(super) fn with<'a>(
        &self,
        fields: impl IntoIterator<Item = (&'a FieldPath, &'a str)>,
    ) -> (v1::RunSpec, Vec<Fault>) {
        let mut document = self.0.clone();
        let mut unset = Vec::new();
        for (field, text) in fields {
            if let Err(description) = field.set(&mut document, text) {
                unset.push(Fault { field: field.to_string(), description });
            }
        }
        let (spec, faults) = json::from_value(&document);
        unset.extend(faults);
        (spec, unset)
    }
}
