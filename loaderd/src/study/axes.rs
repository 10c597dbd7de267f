//! The fields that vary in a study, and their values.

use std::collections::HashMap;

use loader_proto::{
    json::{self, Fault, FieldPath},
    v1,
};

use prost::Message as _;

use super::{MOST_RUNS, base::Base};
use crate::spec::Check;

/// A field that varies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// The field.
    pub field: FieldPath,
    /// Its values, as given.
    pub values: Vec<String>,
}

/// Reads the axes of a study. An axis with a fault is left out.
pub(super) fn read(check: &mut Check, messages: &[v1::Axis], base: &Base) -> Option<Vec<Axis>> {
    let axes: Vec<_> = messages.iter().enumerate().map(|(index, message)| axis(check, index, message, base)).collect();
    for (later, axis) in axes.iter().enumerate() {
        let earlier = axes[..later].iter().position(|other| {
            other.as_ref().zip(axis.as_ref()).is_some_and(|(other, axis)| other.field.overlaps(&axis.field))
        });
        if let Some((earlier, axis)) = earlier.zip(axis.as_ref()) {
            check.fault(format!("vary[{later}].field"), format!("{} varies already, by vary[{earlier}]", axis.field));
        }
    }
    axes.into_iter().collect()
}

fn axis(check: &mut Check, index: usize, message: &v1::Axis, base: &Base) -> Option<Axis> {
    let v1::Axis { field, values } = message;
    let path = format!("vary[{index}].field");
    let found = match json::field::<v1::RunSpec>(field) {
        Ok(found) => Some(found),
        Err(_) if field.is_empty() => {
            check.fault(path, "is required: the path of a field, such as scaling.stableWindow");
            None
        }
        Err(Fault { description, .. }) => {
            check.fault(path, format!("{field}: {description}"));
            None
        }
    };
    if values.len() as u64 > MOST_RUNS {
        let description = format!("has {} values; a study has at most {MOST_RUNS} runs", values.len());
        check.fault(format!("vary[{index}].values"), description);
        return None;
    }
    if values.is_empty() {
        check.fault(format!("vary[{index}].values"), "is empty; must have at least one value");
        return None;
    }
    let field = found?;
    are_valid(check, index, &field, values, base).then(|| Axis { field, values: values.clone() })
}

/// Whether the field can have each of its values, each another one.
fn are_valid(check: &mut Check, index: usize, field: &FieldPath, values: &[String], base: &Base) -> bool {
    let mut specs = HashMap::<Vec<u8>, usize>::new();
    let mut are_valid = true;
    for (number, text) in values.iter().enumerate() {
        let place = format!("vary[{index}].values[{number}]");
        let (spec, faults) = base.with([(field, text.as_str())]);
        are_valid &= faults.is_empty();
        for Fault { field, description } in &faults {
            check.fault(&place, format!("{field}: {description}"));
        }
        if faults.is_empty()
            && let Some(same) = specs.insert(spec.encode_to_vec(), number)
        {
            check.fault(&place, format!("is {text}, the same as values[{same}]"));
            are_valid = false;
        }
    }
    are_valid
}
